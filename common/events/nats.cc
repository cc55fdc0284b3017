#include "common/events/nats.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"

namespace hub::events {
namespace {

using google::protobuf::Struct;

constexpr int64_t kMillisecond = 1000;           // in Micros
constexpr int64_t kNanosPerMicro = 1000;         // JetStream counts nanoseconds
constexpr Micros kClosing = 10ll * 1000 * 1000;  // for the client's last callback
constexpr int kIdsPerRequest = 1000;
constexpr Micros kIdsExpire = 5ll * 1000 * 1000;

int64_t ToMillis(Micros time) { return std::max<int64_t>(1, time / kMillisecond); }

StatusOr<Struct> ParseJson(const std::string& text) {
  Struct json;
  auto status = google::protobuf::util::JsonStringToMessage(text, &json);
  if (!status.ok()) return Internal(absl::StrCat("not JSON: ", text.substr(0, 200)));
  return json;
}

std::string Quoted(const std::string& text) {
  google::protobuf::Value value;
  value.set_string_value(text);
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(value, &json);  // a text always has one
  return json;
}

const google::protobuf::Value* Find(const Struct& json, const std::string& path) {
  const Struct* at = &json;
  const google::protobuf::Value* value = nullptr;
  for (const std::string& key : std::vector<std::string>(absl::StrSplit(path, '.'))) {
    if (at == nullptr) return nullptr;
    auto found = at->fields().find(key);
    if (found == at->fields().end()) return nullptr;
    value = &found->second;
    at = value->has_struct_value() ? &value->struct_value() : nullptr;
  }
  return value;
}

std::string ToText(const google::protobuf::Value* value) {
  if (value == nullptr) return "nothing";
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(*value, &json);
  return json;
}

// Refuses a config in which one of the `exact` fields differs from what is wanted, or one of the
// `at_least` fields is less (0 and nothing are for ever).
Status Compare(const std::string& what, const Struct& wanted, const Struct& config,
               const std::vector<std::string>& exact, const std::vector<std::string>& at_least) {
  auto refuse = [&](const std::string& field) {
    return Refuse(errors::CONFLICT,
                  absl::StrCat(what, " has ", field, " ", ToText(Find(config, field)),
                               ", the hub needs ", ToText(Find(wanted, field)),
                               "; it changes no settings of what exists, so change it there"));
  };
  for (const std::string& field : exact) {
    const auto *want = Find(wanted, field), *have = Find(config, field);
    if (want == nullptr && have == nullptr) continue;
    if (want == nullptr || have == nullptr ||
        !google::protobuf::util::MessageDifferencer::Equals(*want, *have)) {
      return refuse(field);
    }
  }
  for (const std::string& field : at_least) {
    int64_t have = NumberAt(config, field);
    if (have != 0 && have < NumberAt(wanted, field)) return refuse(field);
  }
  return Status();
}

std::map<std::string, std::string> ParseHeaders(const std::string& raw) {
  std::map<std::string, std::string> headers;
  for (absl::string_view line : absl::StrSplit(raw, "\r\n")) {
    std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.second.empty()) continue;
    headers[std::string(parts.first)] =
        FromHeader(std::string(absl::StripLeadingAsciiWhitespace(parts.second)));
  }
  return headers;
}

}  // namespace

// Lives until the client has made its last callback, which comes on a thread of its own.
struct Connection::Events {
  mutable std::mutex mutex;
  std::condition_variable changed;
  bool closed = false;
  std::string complaint;

  static void OnError(natsConnection* connection, natsSubscription*, natsStatus status,
                      void* closure) {
    auto* events = static_cast<Events*>(closure);
    const char* text = nullptr;
    natsConnection_GetLastError(connection, &text);
    std::lock_guard<std::mutex> lock(events->mutex);
    events->complaint = text != nullptr && *text != '\0' ? text : natsStatus_GetText(status);
  }
  static void OnDisconnected(natsConnection*, void* closure) {
    auto* events = static_cast<Events*>(closure);
    std::lock_guard<std::mutex> lock(events->mutex);
    if (events->complaint.empty()) events->complaint = "the connection was lost";
  }
  static void OnClosed(natsConnection*, void* closure) {
    auto* events = static_cast<Events*>(closure);
    std::lock_guard<std::mutex> lock(events->mutex);
    events->closed = true;
    events->changed.notify_all();  // under the lock: the waiting one destroys what is locked
  }
};

Endpoint EndpointOf(const Receiver& receiver, const std::string& name) {
  Endpoint endpoint;
  endpoint.url = receiver.url;
  endpoint.user = receiver.user;
  endpoint.password = receiver.password;
  endpoint.name = name;
  return endpoint;
}

StatusOr<std::unique_ptr<Connection>> Connection::Open(const Endpoint& endpoint) {
  auto connection = std::unique_ptr<Connection>(new Connection);
  connection->endpoint_ = endpoint;
  connection->events_ = std::make_unique<Events>();

  natsOptions* made = nullptr;
  natsStatus status = natsOptions_Create(&made);
  NatsOptions options(made);
  auto set = [&status](natsStatus result) {
    if (status == NATS_OK) status = result;
  };
  std::vector<std::string> urls = absl::StrSplit(endpoint.url, ',', absl::SkipWhitespace());
  std::vector<const char*> servers;
  for (const std::string& url : urls) servers.push_back(url.c_str());
  set(natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())));
  if (!endpoint.user.empty()) {
    set(natsOptions_SetUserInfo(made, endpoint.user.c_str(), endpoint.password.c_str()));
  }
  set(natsOptions_SetName(made, endpoint.name.c_str()));
  set(natsOptions_SetCustomInboxPrefix(made, endpoint.inbox_prefix.c_str()));
  set(natsOptions_SetTimeout(made, ToMillis(endpoint.timeout)));
  set(natsOptions_SetWriteDeadline(made, ToMillis(endpoint.timeout)));
  set(natsOptions_SetPingInterval(made, 10000));
  set(natsOptions_SetMaxPingsOut(made, 2));
  set(natsOptions_SetAllowReconnect(made, false));
  set(natsOptions_SetFailRequestsOnDisconnect(made, true));
  set(natsOptions_SetErrorHandler(made, Events::OnError, connection->events_.get()));
  set(natsOptions_SetDisconnectedCB(made, Events::OnDisconnected, connection->events_.get()));
  set(natsOptions_SetClosedCB(made, Events::OnClosed, connection->events_.get()));
  if (status == NATS_OK) status = natsConnection_Connect(&connection->connection_, made);
  if (status != NATS_OK) {
    return connection->Unavailable(absl::StrCat("connect to ", endpoint.url, " as ", endpoint.user),
                                   status);
  }
  return connection;
}

Connection::~Connection() {
  if (connection_ == nullptr) return;
  natsConnection_Close(connection_);
  {
    std::unique_lock<std::mutex> lock(events_->mutex);
    if (!events_->changed.wait_for(lock, std::chrono::microseconds(kClosing),
                                   [this] { return events_->closed; })) {
      lock.unlock();
      (void)events_.release();  // better lost than destroyed under a callback that is still to come
    }
  }
  inboxes_.clear();
  natsConnection_Destroy(connection_);
}

std::string Connection::complaint() const {
  std::lock_guard<std::mutex> lock(events_->mutex);
  return events_->complaint;
}

Status Connection::Unavailable(const std::string& doing, natsStatus status) const {
  std::string said = complaint();
  return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                absl::StrCat("NATS: cannot ", doing, ": ", natsStatus_GetText(status),
                             said.empty() ? "" : ", ", said));
}

Status Connection::Publish(const std::string& subject, const std::string& reply,
                           const std::string& data, const Headers& headers) {
  natsMsg* made = nullptr;
  natsStatus status =
      natsMsg_Create(&made, subject.c_str(), reply.empty() ? nullptr : reply.c_str(), data.data(),
                     static_cast<int>(data.size()));
  NatsMessage message(made);
  for (const auto& [name, value] : headers) {
    if (status == NATS_OK) {
      status = natsMsgHeader_Set(made, name.c_str(), ToHeader(value).c_str());
    }
  }
  if (status == NATS_OK) status = natsConnection_PublishMsg(connection_, made);
  return status == NATS_OK ? Status() : Unavailable(absl::StrCat("publish to ", subject), status);
}

Status Connection::Flush(Micros timeout) {
  natsStatus status = natsConnection_FlushTimeout(connection_, ToMillis(timeout));
  return status == NATS_OK ? Status() : Unavailable("flush", status);
}

StatusOr<Inbox> Connection::OpenInbox() {
  natsInbox* unique = nullptr;
  natsStatus status = natsInbox_Create(&unique);
  if (status != NATS_OK) return Unavailable("make an inbox", status);
  Inbox inbox;  // natsInbox_Create knows nothing of a prefix of one's own
  inbox.prefix_ = absl::StrCat(endpoint_.inbox_prefix, absl::string_view(unique).substr(6), ".");
  natsInbox_Destroy(unique);

  natsSubscription* made = nullptr;
  status = natsConnection_SubscribeSync(&made, connection_, (inbox.prefix_ + ">").c_str());
  if (status == NATS_OK) status = natsSubscription_SetPendingLimits(made, -1, -1);
  if (made != nullptr) {
    std::lock_guard<std::mutex> lock(inboxes_mutex_);
    inboxes_.emplace_back(made);
  }
  if (status != NATS_OK) return Unavailable("subscribe to an inbox", status);
  inbox.subscription_ = made;
  return inbox;
}

std::string Inbox::TokenOf(natsMsg* message) const {
  std::string subject = natsMsg_GetSubject(message);
  return subject.rfind(prefix_, 0) == 0 ? subject.substr(prefix_.size()) : "";
}

StatusOr<NatsMessage> Inbox::Next(Micros timeout) {
  natsMsg* message = nullptr;
  natsStatus status = natsSubscription_NextMsg(&message, subscription_, ToMillis(timeout));
  if (status == NATS_OK || status == NATS_TIMEOUT) return NatsMessage(message);
  return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                absl::StrCat("NATS: the connection is gone: ", natsStatus_GetText(status)));
}

StatusOr<Struct> Connection::Api(const std::string& what, const std::string& json) {
  const std::string subject = absl::StrCat("$JS.API.", what);
  natsMsg* made = nullptr;
  natsStatus status = natsConnection_RequestString(&made, connection_, subject.c_str(),
                                                   json.c_str(), ToMillis(endpoint_.timeout));
  NatsMessage message(made);
  if (status == NATS_NO_RESPONDERS) {
    return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                  "NATS: no JetStream answers in this account (it starts, or is not switched on)");
  }
  if (status != NATS_OK) return Unavailable(absl::StrCat("ask ", what), status);
  ASSIGN_OR_RETURN(Struct answer,
                   ParseJson(std::string(natsMsg_GetData(made), natsMsg_GetDataLength(made))));
  if (Find(answer, "error") == nullptr) return answer;
  return Refuse(NumberAt(answer, "error.code") == 404 ? errors::RESOURCE_NOT_FOUND
                                                      : errors::TEMPORARILY_UNAVAILABLE,
                absl::StrCat("JetStream: ", what, ": ", TextAt(answer, "error.description")));
}

std::string ToHeader(const std::string& value) {
  std::string header;
  for (char c : value) {
    if (c <= ' ' || c > '~' || c == '"' || c == '%') {
      absl::StrAppend(&header, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      header.push_back(c);
    }
  }
  return absl::StrReplaceAll(header, {{"Nats-Msg-Id", "Nats%2dMsg%2dId"}});
}

std::string FromHeader(const std::string& header) {
  std::string value;
  for (size_t i = 0; i < header.size(); ++i) {
    unsigned int byte = 0;
    if (header[i] == '%' && i + 2 < header.size() &&
        std::sscanf(header.c_str() + i + 1, "%2x", &byte) == 1) {
      value.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      value.push_back(header[i]);
    }
  }
  return value;
}

std::string HeaderOf(natsMsg* message, const char* name) {
  const char* value = nullptr;
  if (natsMsgHeader_Get(message, name, &value) != NATS_OK || value == nullptr) return "";
  return FromHeader(value);
}

int StatusOfAnswer(natsMsg* message) {
  int status = 0;
  if (natsMsg_GetDataLength(message) == 0) {
    (void)absl::SimpleAtoi(HeaderOf(message, "Status"), &status);
  }
  return status;
}

Delivery DeliveryOf(natsMsg* message) {
  Delivery delivery;
  const char* reply = natsMsg_GetReply(message);
  if (reply == nullptr) return delivery;
  // $JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<time>.<pending>, on newer
  // servers with <domain>.<account> after ACK and a token at the end.
  std::vector<std::string> parts = absl::StrSplit(reply, '.');
  size_t skip = parts.size() >= 11 ? 2 : 0;
  if (parts.size() < 9) return delivery;
  (void)absl::SimpleAtoi(parts[5 + skip], &delivery.stream_seq);
  (void)absl::SimpleAtoi(parts[6 + skip], &delivery.consumer_seq);
  (void)absl::SimpleAtoi(parts[8 + skip], &delivery.pending);
  return delivery;
}

int64_t NumberAt(const Struct& json, const std::string& path) {
  const auto* value = Find(json, path);
  return value == nullptr ? 0 : static_cast<int64_t>(value->number_value());
}

std::string TextAt(const Struct& json, const std::string& path) {
  const auto* value = Find(json, path);
  return value == nullptr ? "" : value->string_value();
}

Status EnsureStream(Connection& connection, const Receiver& receiver, bool makes) {
  const std::string config =
      absl::StrCat(R"({"name":)", Quoted(receiver.stream), R"(,"subjects":["coproduction.>"],)",
                   R"("retention":"limits","storage":"file","discard":"old","deny_delete":true,)",
                   R"("deny_purge":true,"max_consumers":-1,"max_msgs":-1,"max_bytes":-1,)",
                   R"("max_msgs_per_subject":-1,"max_msg_size":-1,"num_replicas":)",
                   receiver.replicas, R"(,"max_age":)", receiver.max_age * kNanosPerMicro,
                   R"(,"duplicate_window":)", receiver.duplicate_window * kNanosPerMicro, "}");
  auto info = connection.Api("STREAM.INFO." + receiver.stream);
  if (ReasonOf(info.status()) == errors::RESOURCE_NOT_FOUND) {
    if (!makes) {
      return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                    absl::StrCat("stream ", receiver.stream, " of ", receiver.name,
                                 " is missing; the relay of membership makes it"));
    }
    info = connection.Api("STREAM.CREATE." + receiver.stream, config);
  }
  RETURN_IF_ERROR(info.status());
  ASSIGN_OR_RETURN(Struct wanted, ParseJson(config));
  return Compare(absl::StrCat("stream ", receiver.stream, " of ", receiver.name), wanted,
                 info->fields().at("config").struct_value(),
                 {"subjects", "retention", "storage", "discard", "deny_delete", "deny_purge",
                  "max_msgs", "max_bytes", "max_msgs_per_subject"},
                 {"max_age", "duplicate_window"});
}

Status EnsureDurable(Connection& connection, const std::string& stream,
                     const std::string& durable) {
  const std::string config = absl::StrCat(
      R"({"durable_name":)", Quoted(durable), R"(,"deliver_policy":"all","ack_policy":"explicit",)",
      R"("replay_policy":"instant","ack_wait":30000000000,"max_ack_pending":1000,)",
      R"("max_deliver":-1})");
  auto info = connection.Api(absl::StrCat("CONSUMER.INFO.", stream, ".", durable));
  if (ReasonOf(info.status()) == errors::RESOURCE_NOT_FOUND) {
    info = connection.Api(
        absl::StrCat("CONSUMER.DURABLE.CREATE.", stream, ".", durable),
        absl::StrCat(R"({"stream_name":)", Quoted(stream), R"(,"config":)", config, "}"));
  }
  RETURN_IF_ERROR(info.status());
  ASSIGN_OR_RETURN(Struct wanted, ParseJson(config));
  const Struct& have = info->fields().at("config").struct_value();
  // A rewound one starts at a sequence.
  if (TextAt(have, "deliver_policy") == "by_start_sequence") {
    (*wanted.mutable_fields())["deliver_policy"].set_string_value("by_start_sequence");
  }
  return Compare(absl::StrCat("consumer ", durable, " of stream ", stream), wanted, have,
                 {"deliver_policy", "ack_policy", "max_deliver", "deliver_subject",
                  "filter_subject", "headers_only"},
                 {});
}

StatusOr<StreamSpan> SpanOf(Connection& connection, const std::string& stream) {
  ASSIGN_OR_RETURN(Struct info, connection.Api("STREAM.INFO." + stream));
  // A stream that never had a message starts at 0 or 1, depending on the server's version.
  return StreamSpan{std::max<int64_t>(1, NumberAt(info, "state.first_seq")),
                    NumberAt(info, "state.last_seq")};
}

namespace {

// The same durable, from that sequence on.
Status MakeAnew(Connection& connection, const std::string& stream, const std::string& durable,
                const Struct& consumer, int64_t from) {
  Struct create;
  (*create.mutable_fields())["stream_name"].set_string_value(stream);
  auto& config = *(*create.mutable_fields())["config"].mutable_struct_value();
  config = consumer.fields().at("config").struct_value();
  (*config.mutable_fields())["deliver_policy"].set_string_value("by_start_sequence");
  (*config.mutable_fields())["opt_start_seq"].set_number_value(static_cast<double>(from));
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(create, &json);
  const Status gone =
      connection.Api(absl::StrCat("CONSUMER.DELETE.", stream, ".", durable)).status();
  if (ReasonOf(gone) != errors::RESOURCE_NOT_FOUND) RETURN_IF_ERROR(gone);
  return connection.Api(absl::StrCat("CONSUMER.DURABLE.CREATE.", stream, ".", durable), json)
      .status();
}

}  // namespace

Status RewindDurables(Connection& connection, const std::string& stream, bool makes) {
  // Others may look at the same moment, and publish when they find no durable ahead: one that is
  // ahead now shows that nobody published before the first span was asked for.
  ASSIGN_OR_RETURN(const StreamSpan before, SpanOf(connection, stream));
  std::vector<Struct> consumers;
  int64_t total = 1;
  while (static_cast<int64_t>(consumers.size()) < total) {
    ASSIGN_OR_RETURN(Struct page,
                     connection.Api("CONSUMER.LIST." + stream,
                                    absl::StrCat(R"({"offset":)", consumers.size(), "}")));
    const auto* list = Find(page, "consumers");
    if (list == nullptr || list->list_value().values().empty()) break;
    for (const auto& value : list->list_value().values()) consumers.push_back(value.struct_value());
    total = NumberAt(page, "total");
  }
  ASSIGN_OR_RETURN(const StreamSpan after, SpanOf(connection, stream));
  for (const Struct& consumer : consumers) {
    const std::string durable = TextAt(consumer, "config.durable_name");
    if (durable.empty() || NumberAt(consumer, "delivered.stream_seq") <= after.last) continue;
    if (!makes) {
      return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                    absl::StrCat("consumer ", durable, " is ahead of stream ", stream,
                                 "; the relay of membership makes it anew"));
    }
    RETURN_IF_ERROR(
        MakeAnew(connection, stream, durable, consumer,
                 std::min(before.last, NumberAt(consumer, "ack_floor.stream_seq")) + 1));
  }
  return Status();
}

Status PassOver(Connection& connection, const std::string& stream, const std::string& durable,
                const std::vector<std::string>& subjects) {
  int64_t last = 0;
  for (const std::string& subject : subjects) {
    const auto stored = connection.Api("STREAM.MSG.GET." + stream,
                                       absl::StrCat(R"({"last_by_subj":)", Quoted(subject), "}"));
    if (ReasonOf(stored.status()) == errors::RESOURCE_NOT_FOUND) continue;
    RETURN_IF_ERROR(stored.status());
    last = std::max(last, NumberAt(*stored, "message.seq"));
  }
  ASSIGN_OR_RETURN(const Struct consumer,
                   connection.Api(absl::StrCat("CONSUMER.INFO.", stream, ".", durable)));
  if (NumberAt(consumer, "ack_floor.stream_seq") >= last) return Status();
  return MakeAnew(connection, stream, durable, consumer, last + 1);
}

StatusOr<StoredMessage> MessageAt(Connection& connection, const std::string& stream, int64_t seq) {
  ASSIGN_OR_RETURN(Struct answer, connection.Api("STREAM.MSG.GET." + stream,
                                                 absl::StrCat(R"({"seq":)", seq, "}")));
  StoredMessage message;
  message.subject = TextAt(answer, "message.subject");
  if (!absl::Base64Unescape(TextAt(answer, "message.data"), &message.data) ||
      !absl::Base64Unescape(TextAt(answer, "message.hdrs"), &message.raw_headers)) {
    return Internal(absl::StrCat("message ", seq, " of stream ", stream, " is not base64"));
  }
  message.headers = ParseHeaders(message.raw_headers);
  return message;
}

Status ReadIds(Connection& connection, const std::string& stream, int64_t first, int64_t last,
               const std::function<Status(int64_t, const std::string&)>& each) {
  if (first > last) return Status();
  // A consumer that ends with its use. No acknowledgements: a message that got lost on the way
  // shows by the gap in the consumer's own sequence.
  ASSIGN_OR_RETURN(
      Struct consumer,
      connection.Api(
          "CONSUMER.CREATE." + stream,
          absl::StrCat(R"({"stream_name":)", Quoted(stream),
                       R"(,"config":{"deliver_policy":"by_start_sequence",)", R"("opt_start_seq":)",
                       first, R"(,"ack_policy":"none","replay_policy":"instant",)",
                       R"("headers_only":true,"mem_storage":true,)",
                       R"("inactive_threshold":30000000000}})")));
  const std::string name = TextAt(consumer, "name");
  const std::string next = absl::StrCat("$JS.API.CONSUMER.MSG.NEXT.", stream, ".", name);
  const std::string request = absl::StrCat(R"({"batch":)", kIdsPerRequest, R"(,"expires":)",
                                           kIdsExpire * kNanosPerMicro, R"(,"no_wait":true})");
  ASSIGN_OR_RETURN(Inbox inbox, connection.OpenInbox());
  int64_t received = 0;
  bool done = false;
  while (!done) {
    RETURN_IF_ERROR(connection.Publish(next, inbox.Subject(std::to_string(received)), request));
    for (int left = kIdsPerRequest; left > 0 && !done; --left) {
      ASSIGN_OR_RETURN(NatsMessage message, inbox.Next(2 * kIdsExpire));
      if (message == nullptr) {
        return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                      absl::StrCat("JetStream: stream ", stream, " stopped in the middle"));
      }
      int status = StatusOfAnswer(message.get());
      Delivery delivery = DeliveryOf(message.get());
      if (status == 404) {  // nothing left: the rest has passed its age meanwhile
        done = true;
      } else if (status != 0 || delivery.consumer_seq != ++received) {
        return Refuse(
            errors::TEMPORARILY_UNAVAILABLE,
            absl::StrCat("JetStream: reading stream ", stream, " broke off, status ", status));
      } else {
        if (delivery.stream_seq <= last) {
          RETURN_IF_ERROR(each(delivery.stream_seq, HeaderOf(message.get(), "Nats-Msg-Id")));
        }
        done = delivery.stream_seq >= last || delivery.pending == 0;
      }
    }
  }
  (void)connection.Api(absl::StrCat("CONSUMER.DELETE.", stream, ".", name));  // or by itself, later
  return Status();
}

Micros Backoff::Next() {
  Micros delay = next_;
  next_ = std::min(longest_, next_ * 2);
  return delay - delay / 4 + std::uniform_int_distribution<Micros>(0, delay / 2)(random_);
}

}  // namespace hub::events
