#include "common/events/subscriber.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/events/nats.h"
#include "common/fault/failpoint.h"

namespace hub::events {
namespace {

constexpr int kBatch = 100;
constexpr Micros kSecond = 1000000;
constexpr Micros kLook = 100000;  // how long a wait for messages goes without looking around
constexpr Micros kLeaseLeft = Subscriber::kShortestLease / 2;  // while anything is in hand
constexpr int kUnanswered = 3;                                 // requests
constexpr Micros kFirstPause = 100000, kLongestPause = 5 * kSecond;

Envelope EnvelopeOf(const std::function<std::string(const char*)>& header) {
  Envelope envelope;
  envelope.id = header("ce-id");
  envelope.type = header("ce-type");
  envelope.aggregate = header("ce-subject");
  envelope.epoch = header("ce-epoch");
  (void)absl::SimpleAtoi(header("ce-version"), &envelope.version);
  (void)absl::SimpleAtoi(header("ce-sequence"), &envelope.sequence);
  absl::Time time;
  if (absl::ParseTime(absl::RFC3339_full, header("ce-time"), &time, nullptr)) {
    envelope.time = absl::ToUnixMicros(time);
  }
  return envelope;
}

class PullSubscriber : public Subscriber {
 public:
  PullSubscriber(const Receiver& services, const std::string& durable, Apply apply,
                 std::unique_ptr<Lease> lease)
      : services_(services), durable_(durable), apply_(std::move(apply)), lease_(std::move(lease)) {
    thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
  }

  StatusOr<int64_t> Lag() override {
    std::shared_ptr<Connection> connection;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      connection = connection_;
    }
    if (connection == nullptr || !connection->connected()) {
      return Refuse(errors::TEMPORARILY_UNAVAILABLE, "NATS is away");
    }
    ASSIGN_OR_RETURN(auto info, connection->Api(ConsumerInfo()));
    return NumberAt(info, "num_pending") + NumberAt(info, "num_ack_pending");
  }

  std::string Problem() override {
    std::lock_guard<std::mutex> lock(mutex_);
    return problem_;
  }

 private:
  std::string ConsumerInfo() const {
    return absl::StrCat("CONSUMER.INFO.", services_.stream, ".", durable_);
  }

  void Run(std::stop_token stop) {
    Backoff backoff(kFirstPause, 2 * kSecond);
    while (!stop.stop_requested()) {
      auto opened = Connection::Open(EndpointOf(services_, durable_ + " subscriber"));
      Status status = opened.status();
      if (opened.ok()) {
        auto connection = std::shared_ptr<Connection>(std::move(*opened));
        Keep(connection);
        status = Serve(*connection, stop, backoff);
        Keep(nullptr);
      }
      SetProblem(status);
      Pause(stop, backoff.Next());
    }
    // Not before the connection has ended, and with it every request to the stream.
    if (lease_ != nullptr) lease_->Release();
  }

  void Keep(std::shared_ptr<Connection> connection) {
    std::lock_guard<std::mutex> lock(mutex_);
    connection_ = std::move(connection);
  }
  void SetProblem(const Status& status) {
    std::lock_guard<std::mutex> lock(mutex_);
    problem_ = MessageOf(status);
  }
  void Pause(std::stop_token stop, Micros time) {
    std::unique_lock<std::mutex> lock(mutex_);
    pause_.wait_for(lock, stop, std::chrono::microseconds(time), [] { return false; });
  }

  // As long as the connection holds.
  Status Serve(Connection& connection, std::stop_token stop, Backoff& backoff) {
    ASSIGN_OR_RETURN(Inbox inbox, connection.OpenInbox());
    caught_up_ = false;
    for (int request = 0; !stop.stop_requested();) {
      ASSIGN_OR_RETURN(const bool mine, Mine());
      if (mine && !caught_up_) {
        caught_up_ = true;
        RETURN_IF_ERROR(EnsureDurable(connection, services_.stream, durable_));
        RETURN_IF_ERROR(CatchUp(connection, stop));
      } else if (mine) {
        RETURN_IF_ERROR(Fetch(connection, inbox, std::to_string(++request), stop));
      } else if (connection.connected()) {
        Pause(stop, kSecond / 2);
      } else {
        return Refuse(errors::TEMPORARILY_UNAVAILABLE, "NATS is away");
      }
      if (unanswered_ > 0) continue;
      SetProblem(Status());
      backoff.Reset();
    }
    // What is in hand and not applied is for the next one's CatchUp. Not given back by a -NAK: with
    // this request still open, server 2.9.10 loses it until its time has passed.
    return connection.Flush(kSecond);
  }

  // Whether this process is the one that consumes. What another had in hand comes first.
  StatusOr<bool> Mine() {
    if (lease_ == nullptr) return true;
    ASSIGN_OR_RETURN(const Lease::Claim claim, lease_->Take(kLeaseLeft));
    if (claim != Lease::kKept) caught_up_ = false;
    return claim != Lease::kForeign;
  }

  // What was delivered before and not acknowledged would come again only after its time, behind
  // newer events of the same aggregates. So it is read from the stream first, and acknowledged by
  // the subject that its delivery had: the server finds it by the sequence.
  Status CatchUp(Connection& connection, std::stop_token stop) {
    ASSIGN_OR_RETURN(auto info, connection.Api(ConsumerInfo()));
    if (NumberAt(info, "num_ack_pending") == 0) return Status();
    for (int64_t seq = NumberAt(info, "ack_floor.stream_seq") + 1;
         seq <= NumberAt(info, "delivered.stream_seq") && caught_up_ && !stop.stop_requested();
         ++seq) {
      auto stored = MessageAt(connection, services_.stream, seq);
      if (ReasonOf(stored.status()) == errors::RESOURCE_NOT_FOUND) continue;  // past its age
      RETURN_IF_ERROR(stored.status());
      if (ApplyInPlace(EnvelopeOf([&](const char* name) { return stored->headers[name]; }),
                       stored->data, stop, [] {})) {
        RETURN_IF_ERROR(connection.Publish(
            absl::StrCat("$JS.ACK.", services_.stream, ".", durable_, ".1.", seq, ".0.0.0"), "",
            "+ACK"));
      }
    }
    return Status();
  }

  // One request: up to a batch of events, or what comes within a second.
  Status Fetch(Connection& connection, Inbox& inbox, const std::string& token,
               std::stop_token stop) {
    RETURN_IF_ERROR(connection.Publish(
        absl::StrCat("$JS.API.CONSUMER.MSG.NEXT.", services_.stream, ".", durable_),
        inbox.Subject(token),
        absl::StrCat(R"({"batch":)", kBatch, R"(,"expires":)", kSecond * 1000, "}")));
    using Steady = std::chrono::steady_clock;
    constexpr std::chrono::seconds kExpires(2);
    auto expires = Steady::now() + kExpires;  // should the server's own word be lost
    for (int left = kBatch; left > 0 && caught_up_ && !stop.stop_requested();) {
      ASSIGN_OR_RETURN(NatsMessage message, inbox.Next(kLook));
      if (message == nullptr) {
        if (Steady::now() > expires) return Unanswered(connection, left < kBatch);
        continue;
      }
      unanswered_ = 0;
      std::string answered = inbox.TokenOf(message.get());
      if (!answered.empty()) {
        // The request has ended (404, 408, 409). The end of an earlier one says nothing.
        if (answered != token) continue;
        if (StatusOfAnswer(message.get()) != 503) return Status();
        return Refuse(errors::TEMPORARILY_UNAVAILABLE, "NATS: no JetStream answers");
      }
      --left;
      bool applied = ApplyInPlace(
          EnvelopeOf([&](const char* name) { return HeaderOf(message.get(), name); }),
          std::string(natsMsg_GetData(message.get()), natsMsg_GetDataLength(message.get())), stop,
          [&] { Answer(connection, message.get(), "+WPI"); });
      if (applied) FAILPOINT("applied");
      if (applied) Answer(connection, message.get(), "+ACK");
      expires = Steady::now() + kExpires;
    }
    return Status();
  }

  // The server says at least that a request has ended. A word may be lost; not one after another.
  Status Unanswered(Connection& connection, bool delivered) {
    if (delivered || ++unanswered_ < kUnanswered) return Status();
    return Refuse(
        errors::TEMPORARILY_UNAVAILABLE,
        absl::StrCat("NATS: ", unanswered_, " requests for the events of ", durable_, " in stream ",
                     services_.stream, " had no answer. ",
                     connection.complaint().empty() ? "If this stays, start nats-server anew"
                                                    : connection.complaint()));
  }

  // Until it is applied; false: stopped before, or another process consumes now. `still` tells the
  // server between the attempts.
  bool ApplyInPlace(const Envelope& envelope, const std::string& body, std::stop_token stop,
                    const std::function<void()>& still) {
    Backoff backoff(kFirstPause, kLongestPause);
    for (bool first = true; !stop.stop_requested(); first = false) {
      Status status = Mine().status();
      if (status.ok() && !caught_up_) return false;
      if (status.ok()) status = apply_(envelope, body);
      if (status.ok()) {
        if (!first) SetProblem(status);
        return true;
      }
      SetProblem(Status(status.code(), absl::StrCat("event ", envelope.id, " of ",
                                                    envelope.aggregate, ": ", status.message())));
      still();
      Pause(stop, backoff.Next());
    }
    return false;
  }

  // Not natsMsg_Ack: that crashes on messages of a plain subscription. A lost answer only brings
  // the event again.
  void Answer(Connection& connection, natsMsg* message, const std::string& word) {
    const char* reply = natsMsg_GetReply(message);
    if (reply != nullptr) (void)connection.Publish(reply, "", word);
  }

  const Receiver services_;
  const std::string durable_;
  const Apply apply_;
  const std::unique_ptr<Lease> lease_;
  int unanswered_ = 0;      // of the thread: requests in a row
  bool caught_up_ = false;  // of the thread: nothing is in the hand of another

  std::mutex mutex_;
  std::condition_variable_any pause_;
  std::shared_ptr<Connection> connection_;
  std::string problem_;
  std::jthread thread_;
};

}  // namespace

StatusOr<std::unique_ptr<Subscriber>> Subscriber::Start(const Receiver& services,
                                                        const std::string& durable, Apply apply,
                                                        std::unique_ptr<Lease> lease) {
  if (durable.empty() || apply == nullptr) {
    return Internal("a subscriber needs the name of its durable and what to do with events");
  }
  return std::unique_ptr<Subscriber>(
      std::make_unique<PullSubscriber>(services, durable, std::move(apply), std::move(lease)));
}

}  // namespace hub::events
