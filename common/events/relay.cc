#include "common/events/relay.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/id.h"
#include "common/events/lease.h"
#include "common/events/nats.h"
#include "common/events/readback.h"
#include "common/fault/failpoint.h"
#include "common/journal/context.h"
#include "common/journal/sharing.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "google/protobuf/util/json_util.h"

namespace hub::events {
namespace {

using coproduction::hub::events::v1::SharingEnded;
using google::protobuf::Struct;
using Steady = std::chrono::steady_clock;  // whatever happens to the machine's time
using std::chrono::microseconds;

constexpr int kBatch = 512;  // events taken up at a time
constexpr int kPage = 1000;  // rows marked in one transaction
constexpr size_t kHeaderRoom = 4096;
constexpr Micros kLook = 100000;  // how long a wait for answers goes without looking around
constexpr Micros kFirstPause = 100000, kLongestPause = 2000000;  // between attempts
constexpr std::chrono::seconds kLastEvents(10);  // of all services to a partner, when sharing ended
constexpr std::chrono::seconds kPassedOver(1);   // until what could not be sent is looked at again
constexpr std::chrono::seconds kLookForStream(5);    // by the one who makes it
constexpr std::chrono::seconds kLastWords(2);        // at the end
constexpr std::chrono::milliseconds kLookAgain(20);  // then, whether another has sent it

// An unsent event.
struct Row {
  int64_t payload_id = 0;
  std::string id, type, aggregate, epoch, paths, body;
  int64_t version = 0, sequence = 0;
  Micros time = 0;
  int64_t waits_for = 0;  // the row of the aggregate's event before, if that is unsent too
  bool withheld = false;  // no agreement covers it any more
};

// The unsent events of one aggregate in a batch, in its order.
struct Lane {
  std::deque<Row> rows;
  int64_t last_sent = 0;
};

StatusOr<std::string> ToJson(const std::string& type, const std::string& body) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return Internal(absl::StrCat("no message type ", type, " is known"));
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  std::string json;
  if (!message->ParseFromString(body) ||
      !google::protobuf::util::MessageToJsonString(*message, &json).ok()) {
    return Internal(absl::StrCat("the stored body is no ", type));
  }
  return json;
}

// CloudEvents 1.0 in binary mode.
Headers HeadersOf(const Row& event, const std::string& service, bool json) {
  Headers headers = {
      {"Nats-Msg-Id", event.id},
      {"ce-specversion", "1.0"},
      {"ce-id", event.id},
      {"ce-source", absl::StrCat("//coproduction-hub/", service)},
      {"ce-type", event.type},
      {"ce-subject", event.aggregate},
      {"ce-time", absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(event.time),
                                   absl::UTCTimeZone())},
      {"ce-forum", absl::StartsWith(event.aggregate, "forums/") ? ForumOf(event.aggregate) : ""},
      {"ce-sequence", absl::StrCat(event.sequence)},
      {"ce-version", absl::StrCat(event.version)},
      {"ce-epoch", event.epoch},
      {"ce-paths", event.paths},
      {"content-type", json ? "application/json" : "application/protobuf"}};
  // An attribute that says nothing is left out, as CloudEvents has no empty ones.
  headers.erase(std::remove_if(headers.begin(), headers.end(),
                               [](const auto& header) { return header.second.empty(); }),
                headers.end());
  return headers;
}

std::string SubjectOf(const std::string& service, const std::string& type) {
  return absl::StrCat("coproduction.", service, ".", type.substr(type.rfind('.') + 1));
}

// The relay to one receiver: a thread with a connection of its own.
class ReceiverRelay {
 public:
  ReceiverRelay(const Relay::Options& options, const Receiver& receiver)
      : options_(options),
        receiver_(receiver),
        lease_(options.store, "relay/" + receiver.name, options.holder, options.lease) {
    thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
  }

  const Receiver& receiver() const { return receiver_; }

  void Wake() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (woken_) return;
      woken_ = true;
    }
    wake_.notify_one();
  }
  void Stop() { thread_.request_stop(); }

  std::string problem() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return problem_;
  }

 private:
  void Run(std::stop_token stop) {
    Backoff backoff(kFirstPause, kLongestPause);
    while (!stop.stop_requested()) {
      StatusOr<bool> more = Turn(stop);
      std::unique_lock<std::mutex> lock(mutex_);
      if (!more.ok()) {
        problem_ = absl::StrCat("events to ", receiver_.name, ": ", more.status().message());
        wake_.wait_for(lock, stop, microseconds(backoff.Next()), [] { return false; });
        continue;
      }
      backoff.Reset();
      problem_ = unsendable_.ok()
                     ? ""
                     : absl::StrCat("events to ", receiver_.name, ": ", unsendable_.message());
      if (!*more) {
        wake_.wait_for(lock, stop, microseconds(options_.poll), [this] { return woken_; });
        woken_ = false;
      }
    }
    SayLastWords();
    lease_.Release();
  }

  // What was committed last goes out before the process ends, if the server is there to take it: by
  // this process, or by another that relays, or that is about to let go of it.
  void SayLastWords() {
    const auto limit = Steady::now() + kLastWords;
    while (Steady::now() < limit && connection_ != nullptr && connection_->connected()) {
      const StatusOr<bool> more = Turn(std::stop_token());
      if (!more.ok()) return;
      if (*more) continue;
      const StatusOr<std::vector<Row>> left = Load();
      if (!left.ok() || left->empty()) return;
      std::this_thread::sleep_for(kLookAgain);
    }
  }

  // One step; whether there may be more to do at once.
  StatusOr<bool> Turn(std::stop_token stop) {
    if (connection_ == nullptr || !connection_->connected()) {
      read_back_ = false;
      connection_.reset();
      ASSIGN_OR_RETURN(connection_,
                       Connection::Open(EndpointOf(receiver_, options_.service + " relay")));
      ASSIGN_OR_RETURN(inbox_, connection_->OpenInbox());
    }
    // Before the rows are loaded, which are judged by what is known then.
    const bool informed = !receiver_.partner() || !options_.informed || options_.informed();
    std::vector<Row> rows;
    // One that was deleted is made anew although nothing is to be sent from here: others wait.
    if (read_back_ && options_.makes_streams && Steady::now() >= look_for_stream_) {
      look_for_stream_ = Steady::now() + kLookForStream;
      const Status there = SpanOf(*connection_, receiver_.stream).status();
      if (ReasonOf(there) == errors::RESOURCE_NOT_FOUND) read_back_ = false;
    }
    if (read_back_) {
      ASSIGN_OR_RETURN(rows, Load());
      if (rows.empty()) return false;  // no lease is asked for where nothing is to be sent
    }
    ASSIGN_OR_RETURN(bool mine, Claim());
    if (!mine) return false;
    if (!read_back_) {
      RETURN_IF_ERROR(EnsureStream(*connection_, receiver_, options_.makes_streams));
      RETURN_IF_ERROR(RewindDurables(*connection_, receiver_.stream, options_.makes_streams));
      if (options_.makes_streams && !receiver_.durable.empty()) {
        RETURN_IF_ERROR(EnsureDurable(*connection_, receiver_.stream, receiver_.durable));
      }
      read_back_ = true;
      if (Status status = ReadBack(stop); !status.ok()) {
        read_back_ = false;
        return status;
      }
      if (!read_back_) return true;  // another had the lease in the meantime
      ASSIGN_OR_RETURN(rows, Load());
    }
    if (!informed) return false;
    return Send(std::move(rows), stop);
  }

  // Makes sure of the lease. Taken over from another, the stream is to be read back first.
  StatusOr<bool> Claim() {
    ASSIGN_OR_RETURN(const Lease::Claim claim, lease_.Take(options_.ack_wait + options_.lease / 5));
    if (claim != Lease::kTaken) return claim == Lease::kKept;
    FAILPOINT("lease-taken");
    read_back_ = false;
    return true;
  }

  // The oldest unsent rows that were not passed over a moment ago. Row ids are in time order, but
  // several processes' clocks may differ, so each row also brings the one it must not overtake.
  StatusOr<std::vector<Row>> Load() {
    std::vector<Row> rows;
    if (Steady::now() >= look_again_) {
      passed_over_ = 0;
      unsendable_ = Status();
    }
    RETURN_IF_ERROR(options_.store->ReadAndWait([&](db::Conn& conn) -> Status {
      rows.clear();
      if (receiver_.partner()) {
        ASSIGN_OR_RETURN(const auto shares,
                         journal::SharesOf(conn, receiver_.name, options_.clock->Today()));
        withheld_ = journal::Withheld(shares);
      }
      return conn.Query(
          "SELECT p.id, p.type, p.aggregate, p.paths, p.body, p.version, p.n, p.at, "
          "COALESCE(CASE WHEN earlier.sent_at IS NULL THEN earlier.id END, 0), "
          "(SELECT value FROM meta WHERE name = 'epoch') "
          "FROM payloads p LEFT JOIN payloads earlier ON earlier.receiver = p.receiver "
          "AND earlier.aggregate = p.aggregate AND earlier.n = p.n - 1 "
          "WHERE p.receiver = $1 AND p.receiver <> '' AND p.sent_at IS NULL "
          "AND p.held_until <= 0 AND p.id > $2 ORDER BY p.id LIMIT $3",
          {receiver_.name, passed_over_, int64_t{kBatch}}, [&](const db::Row& row) {
            Row& event = rows.emplace_back();
            event.payload_id = row.Int(0);
            event.id = EventId(options_.service, event.payload_id);
            event.type = row.Text(1);
            event.aggregate = row.Text(2);
            event.paths = row.Text(3);
            event.body = row.Blob(4);
            event.version = row.Int(5);
            event.sequence = row.Int(6);
            event.time = row.Int(7);
            event.waits_for = row.Int(8);
            event.epoch = row.Text(9);
            event.withheld = absl::c_linear_search(withheld_, event.type);
            return Status();
          });
    }));
    return rows;
  }

  // Publishes what it can of the batch and marks what was acknowledged. What cannot be sent is
  // passed over, so that any number of such does not hold up those behind them. True if there may
  // be more.
  StatusOr<bool> Send(std::vector<Row> rows, std::stop_token stop) {
    std::vector<Mark> withheld;
    for (const Row& row : rows) {
      if (row.withheld) withheld.push_back({row.payload_id, 0});
    }
    if (!withheld.empty()) {
      RETURN_IF_ERROR(Update({}, withheld));
      return true;
    }
    const size_t size = rows.size();
    const int64_t last = rows.empty() ? 0 : rows.back().payload_id;
    std::map<std::string, Lane> lanes;
    for (Row& row : rows) lanes[row.aggregate].rows.push_back(std::move(row));
    std::unordered_map<std::string, Lane*> in_flight;  // by token
    Status failure;
    bool interrupted = false;
    auto send_next = [&](Lane& lane) {
      if (!failure.ok() || lane.rows.empty()) return;
      const Row& row = lane.rows.front();
      if (row.waits_for != 0 && row.waits_for != lane.last_sent) return;
      // First the lease, then go on.
      interrupted |= stop.stop_requested() || lease_.left() < options_.ack_wait;
      if (interrupted) return;
      std::string token = std::to_string(++last_token_);
      StatusOr<std::string> body = receiver_.json ? ToJson(row.type, row.body) : row.body;
      if (!body.ok()) {
        unsendable_ = Internal(
            absl::StrCat("event ", row.id, " and those after it wait: ", body.status().message()));
        return;
      }
      if (body->size() + kHeaderRoom > connection_->max_payload()) {
        unsendable_ = Internal(absl::StrCat("event ", row.id, " of ", body->size(),
                                            " bytes is more than the server takes"));
        return;
      }
      // What the partner has not fetched of it, it is to fetch no more. All services have heard of
      // it by then, so that none of their events follows.
      if (receiver_.partner() && row.type == SharingEnded::descriptor()->full_name()) {
        const auto seen = ended_.try_emplace(row.payload_id, Steady::now()).first;
        if (Steady::now() < seen->second + kLastEvents) return;
        std::vector<std::string> subjects;
        for (const auto& type : withheld_) subjects.push_back(SubjectOf("*", type));
        failure = PassOver(*connection_, receiver_.stream, receiver_.durable, subjects);
        if (!failure.ok()) return;
        ended_.erase(seen);
      }
      FAILPOINT("before-publish");
      failure = connection_->Publish(SubjectOf(options_.service, row.type), inbox_.Subject(token),
                                     *body, HeadersOf(row, options_.service, receiver_.json));
      if (failure.ok()) in_flight[token] = &lane;
      FAILPOINT("after-publish");
    };
    for (auto& [aggregate, lane] : lanes) {
      std::sort(lane.rows.begin(), lane.rows.end(),
                [](const Row& a, const Row& b) { return a.sequence < b.sequence; });
      send_next(lane);
    }
    std::vector<Mark> sent;
    auto deadline = Steady::now() + microseconds(options_.ack_wait);
    while (!in_flight.empty()) {
      StatusOr<NatsMessage> answer = inbox_.Next(kLook);
      if (!answer.ok() || (*answer == nullptr && Steady::now() > deadline)) {
        failure =
            answer.ok()
                ? Refuse(errors::TEMPORARILY_UNAVAILABLE,
                         absl::StrCat("JetStream acknowledged nothing for ",
                                      options_.ack_wait / 1000000, " s ", connection_->complaint()))
                : answer.status();
        break;
      }
      if (*answer == nullptr) continue;
      auto found = in_flight.find(inbox_.TokenOf(answer->get()));
      if (found == in_flight.end()) continue;  // late, of an earlier batch
      Lane& lane = *found->second;
      in_flight.erase(found);
      if (int status = StatusOfAnswer(answer->get()); status != 0) {
        failure = Refuse(errors::TEMPORARILY_UNAVAILABLE,
                         absl::StrCat("JetStream: no stream takes events, status ", status));
        continue;
      }
      StatusOr<int64_t> stream_seq = Acknowledged(answer->get());
      if (!stream_seq.ok()) {
        unsendable_ = stream_seq.status();
        continue;
      }
      deadline = Steady::now() + microseconds(options_.ack_wait);
      lane.last_sent = lane.rows.front().payload_id;
      sent.push_back({lane.last_sent, *stream_seq});
      lane.rows.pop_front();
      send_next(lane);
    }
    // What may be in the stream without being marked is looked for there before it is sent again.
    if (!sent.empty()) FAILPOINT("after-ack");
    Status marked = Update({}, sent);
    if (failure.ok()) failure = marked;
    if (!failure.ok()) {
      read_back_ = false;
      return failure;
    }
    if (interrupted) return true;
    if (sent.size() < size) {
      if (passed_over_ == 0) look_again_ = Steady::now() + kPassedOver;
      passed_over_ = last;
    }
    return !sent.empty() || size == kBatch;
  }

  // The stream's sequence of an acknowledged event; of a duplicate, that of the first.
  StatusOr<int64_t> Acknowledged(natsMsg* answer) {
    Struct ack;
    std::string text(natsMsg_GetData(answer), natsMsg_GetDataLength(answer));
    (void)google::protobuf::util::JsonStringToMessage(text, &ack);
    int64_t stream_seq = NumberAt(ack, "seq");
    if (stream_seq > 0) return stream_seq;
    return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                  absl::StrCat("JetStream refused an event: ", TextAt(ack, "error.description")));
  }

  // What was acknowledged and is not there becomes unsent again, what is there unmarked is marked.
  Status ReadBack(std::stop_token stop) {
    ASSIGN_OR_RETURN(const Difference difference,
                     events::ReadBack(*connection_, *options_.store, options_.service, receiver_,
                                      options_.horizon, [&]() -> Status {
                                        ASSIGN_OR_RETURN(bool mine, Claim());
                                        if (mine && !stop.stop_requested()) return Status();
                                        return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                                                      "another relays to it now");
                                      }));
    return Update(difference.lost, difference.found);
  }

  // `lost` become unsent if nobody has sent them elsewhere meanwhile, then `sent` become sent; one
  // without a sequence was withheld.
  Status Update(const std::vector<Mark>& lost, const std::vector<Mark>& sent) {
    for (size_t at = 0; at < lost.size() + sent.size(); at += kPage) {
      RETURN_IF_ERROR(options_.store->WriteAndWait([&](db::Conn& conn) {
        Micros now = MachineNow();
        for (size_t i = at; i < std::min(at + kPage, lost.size() + sent.size()); ++i) {
          if (i > at) FAILPOINT("mid-mark");
          if (i < lost.size()) {
            conn.Post(
                "UPDATE payloads SET sent_at = NULL, stream_seq = NULL "
                "WHERE id = $1 AND stream_seq = $2",
                {lost[i].id, lost[i].stream_seq});
          } else {
            const Mark& mark = sent[i - lost.size()];
            conn.Post(
                "UPDATE payloads SET sent_at = $1, stream_seq = $2 "
                "WHERE id = $3 AND sent_at IS NULL",
                {now, mark.stream_seq == 0 ? db::Value() : db::Value(mark.stream_seq), mark.id});
          }
        }
        return Status();
      }));
    }
    return Status();
  }

  const Relay::Options& options_;
  const Receiver receiver_;

  // Of the thread.
  std::unique_ptr<Connection> connection_;
  Inbox inbox_;
  Lease lease_;
  bool read_back_ = false;  // on this connection and lease
  uint64_t last_token_ = 0;
  int64_t passed_over_ = 0;                      // the last row of those that could not be sent...
  Steady::time_point look_again_;                // ...until then
  Status unsendable_;                            // why
  std::vector<std::string> withheld_;            // types that no agreement covers today
  std::map<int64_t, Steady::time_point> ended_;  // rows that tell of an end, since when they wait
  Steady::time_point look_for_stream_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;
  std::string problem_;
  std::jthread thread_;
};

class RelayToAll : public Relay {
 public:
  explicit RelayToAll(Options options) : options_(std::move(options)) {
    for (const Receiver& receiver : options_.receivers) {
      relays_.push_back(std::make_unique<ReceiverRelay>(options_, receiver));
    }
  }
  ~RelayToAll() override {
    for (auto& relay : relays_) relay->Stop();  // all at once, then each is waited for
  }

  void Wake() override {
    for (auto& relay : relays_) relay->Wake();
  }
  StatusOr<int64_t> Unsent() override {
    int64_t unsent = 0;
    RETURN_IF_ERROR(options_.store->ReadAndWait([&](db::Conn& conn) -> Status {
      unsent = 0;
      for (auto& relay : relays_) {
        RETURN_IF_ERROR(
            conn.Query("SELECT COUNT(*) FROM payloads "
                       "WHERE receiver = $1 AND receiver <> '' AND sent_at IS NULL "
                       "AND held_until <= 0",
                       {relay->receiver().name}, [&](const db::Row& row) {
                         unsent += row.Int(0);
                         return Status();
                       }));
      }
      return Status();
    }));
    return unsent;
  }
  std::vector<std::string> Problems() override {
    std::vector<std::string> problems;
    for (auto& relay : relays_) {
      std::string problem = relay->problem();
      if (!problem.empty()) problems.push_back(std::move(problem));
    }
    return problems;
  }

 private:
  const Options options_;
  std::vector<std::unique_ptr<ReceiverRelay>> relays_;
};

}  // namespace

std::string EventId(const std::string& service, int64_t payload_id) {
  return absl::StrCat(service, ".", absl::Hex(payload_id));
}

StatusOr<std::unique_ptr<Relay>> Relay::Start(Options options) {
  if (options.store == nullptr || options.clock == nullptr || options.service.empty()) {
    return Internal("a relay needs its service, its store and the hub's clock");
  }
  if (options.lease < 2 * options.ack_wait) {
    return Internal("a lease shorter than two waits for an acknowledgement would never send");
  }
  if (options.holder.empty()) options.holder = NewRandomId();
  return std::unique_ptr<Relay>(std::make_unique<RelayToAll>(std::move(options)));
}

}  // namespace hub::events
