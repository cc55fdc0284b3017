// The NATS client behind RAII, and the few questions the hub asks of JetStream. This is the one
// door to <nats/nats.h>; nothing outside common/events and its tests uses it.
//
// A Connection lives from one connect to its loss and never reconnects by itself: whoever uses it
// opens the next one, and so cannot miss that it is another, on which acknowledged messages may be
// gone. (The client's own reconnect tells of itself on another thread, after publishing has
// resumed.)
#pragma once

#include <nats/nats.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/events/receivers.h"
#include "google/protobuf/struct.pb.h"

namespace hub::events {

struct FreeNats {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
  void operator()(natsSubscription* subscription) const { natsSubscription_Destroy(subscription); }
};
using NatsOptions = std::unique_ptr<natsOptions, FreeNats>;
using NatsMessage = std::unique_ptr<natsMsg, FreeNats>;
using NatsSubscription = std::unique_ptr<natsSubscription, FreeNats>;

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Endpoint {
  std::string url;  // nats://host:port, several with commas
  std::string user;
  std::string password;
  std::string name;                     // shown in the server's own monitoring
  std::string inbox_prefix = "_INBOX";  // a tenant has its own
  Micros timeout = 2000000;             // of the connect and of each request
};
Endpoint EndpointOf(const Receiver& receiver, const std::string& name);

// Where answers arrive: one subscription to a subject of its own, for as long as the connection
// lives. Used by one thread at a time.
class Inbox {
 public:
  // The subject to give as reply; `token` tells its answers from others.
  std::string Subject(const std::string& token) const { return prefix_ + token; }
  // The token of an answer; empty for a message of a stream, which keeps its own subject.
  std::string TokenOf(natsMsg* message) const;
  // Null when nothing came in time; UNAVAILABLE once the connection is lost.
  StatusOr<NatsMessage> Next(Micros timeout);

 private:
  friend class Connection;
  std::string prefix_;  // _INBOX.<unique>.
  natsSubscription* subscription_ = nullptr;
};

class Connection {
 public:
  // One attempt, bounded by the timeout. Whoever calls decides when to try again.
  static StatusOr<std::unique_ptr<Connection>> Open(const Endpoint& endpoint);
  ~Connection();
  Connection(const Connection&) = delete;

  bool connected() const {
    return natsConnection_Status(connection_) == NATS_CONN_STATUS_CONNECTED;
  }
  size_t max_payload() const { return natsConnection_GetMaxPayload(connection_); }
  // What the server last complained about. A refused publish or subscribe shows here only.
  std::string complaint() const;

  // Sends and does not wait. With `reply`, an answer arrives there.
  Status Publish(const std::string& subject, const std::string& reply, const std::string& data,
                 const Headers& headers = {});
  // Waits until the server has what was published.
  Status Flush(Micros timeout);
  StatusOr<Inbox> OpenInbox();
  // A request to JetStream ('STREAM.INFO.wcc') from any thread. What JetStream does not have is
  // RESOURCE_NOT_FOUND, every other error TEMPORARILY_UNAVAILABLE with its words.
  StatusOr<google::protobuf::Struct> Api(const std::string& what, const std::string& json = "");

 private:
  struct Events;  // what the client's callbacks tell
  Connection() = default;
  Status Unavailable(const std::string& doing, natsStatus status) const;

  Endpoint endpoint_;
  std::unique_ptr<Events> events_;
  natsConnection* connection_ = nullptr;
  std::mutex inboxes_mutex_;
  std::vector<NatsSubscription> inboxes_;  // destroyed after the close, when no read loop is left
};

// A header's value as CloudEvents writes it (percent-encoded), and back. The server finds
// Nats-Msg-Id by searching the text of all headers, so no value may contain it.
std::string ToHeader(const std::string& value);
std::string FromHeader(const std::string& header);
std::string HeaderOf(natsMsg* message, const char* name);  // decoded; empty where there is none
int StatusOfAnswer(natsMsg* message);  // 404, 408, 409, 503 of a message without content, else 0

// '$JS.ACK...', the reply of a delivered message: where it stands in the stream and the consumer,
// and how many are still to come.
struct Delivery {
  int64_t stream_seq = 0, consumer_seq = 0, pending = 0;
};
Delivery DeliveryOf(natsMsg* message);

// A number or a text in a JetStream answer, by path ('state.last_seq'). 0 or empty if missing.
int64_t NumberAt(const google::protobuf::Struct& json, const std::string& path);
std::string TextAt(const google::protobuf::Struct& json, const std::string& path);

// The receiver's stream: made if it is missing and never changed. An existing one is compared:
// nobody may purge or delete, and it keeps messages at least as long as the receiver asks. (Servers
// ignore settings they do not know, so what was created is compared too.) One alone `makes` it; for
// the others it is TEMPORARILY_UNAVAILABLE until then. Of two that make it at once, nats-server
// before 2.9.16 keeps both in one place, and what is fetched there reaches nobody until the server
// starts anew.
Status EnsureStream(Connection& connection, const Receiver& receiver, bool makes);
// The same for a durable pull consumer that leaves nothing out, by the one who uses it.
Status EnsureDurable(Connection& connection, const std::string& stream, const std::string& durable);

struct StreamSpan {
  int64_t first = 0, last = 0;  // sequences; last < first when it is empty
};
StatusOr<StreamSpan> SpanOf(Connection& connection, const std::string& stream);

// A stream that lost its end, while a durable kept on disk how far it was, takes new messages at
// sequences that the durable would pass over. Such durables are made anew at the end of the stream,
// or where their acknowledgements end, by the one who makes the stream; for the others it is
// TEMPORARILY_UNAVAILABLE. To be done before anything is published after a connect.
Status RewindDurables(Connection& connection, const std::string& stream, bool makes);

// What the durable has not acknowledged of messages on these subjects it is not to fetch any more:
// where there are such, it is made anew behind the last of them.
Status PassOver(Connection& connection, const std::string& stream, const std::string& durable,
                const std::vector<std::string>& subjects);

struct StoredMessage {
  std::string subject, data;
  std::string raw_headers;                     // as stored
  std::map<std::string, std::string> headers;  // decoded
};
// RESOURCE_NOT_FOUND if there is none at that sequence.
StatusOr<StoredMessage> MessageAt(Connection& connection, const std::string& stream, int64_t seq);
// Calls `each` with the Nats-Msg-Id of every message from `first` to `last`, in order, until one of
// the calls fails. Bodies stay where they are.
Status ReadIds(Connection& connection, const std::string& stream, int64_t first, int64_t last,
               const std::function<Status(int64_t seq, const std::string& id)>& each);

// Growing delays with jitter, so that many do not return at the same moment.
class Backoff {
 public:
  Backoff(Micros first, Micros longest) : first_(first), longest_(longest), next_(first) {}
  Micros Next();
  void Reset() { next_ = first_; }

 private:
  const Micros first_, longest_;
  Micros next_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace hub::events
