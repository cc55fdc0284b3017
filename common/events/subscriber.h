// A service's own consumption of the stream 'services': a durable pull consumer, one active fetch
// loop. Each event is handed to `apply`, which does it as a command and answers when that is
// committed; then it is acknowledged. A failure is retried in place with a growing delay (never
// lost, never overtaken by the next); what is to become of hopeless ones is apply's decision. An
// event may come again after it was applied (its acknowledgement was lost, or a former process had
// it in hand). Of several processes that consume for one service, the one that holds their lease
// does; another goes on where it was when it is stopped, or killed and its lease has ended.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/events/consumers.h"
#include "common/events/lease.h"
#include "common/events/receivers.h"

namespace hub::events {

class Subscriber {
 public:
  // Long enough for a request to the stream to end before it does.
  static constexpr Micros kShortestLease = 4 * 1000000ll;

  // Waits for the commit. OK: acknowledge. An error: come again.
  using Apply = std::function<Status(const Envelope&, const std::string& body)>;
  // Without a lease this process alone consumes.
  static StatusOr<std::unique_ptr<Subscriber>> Start(const Receiver& services,
                                                     const std::string& durable, Apply apply,
                                                     std::unique_ptr<Lease> lease = nullptr);
  virtual ~Subscriber() = default;
  // Events in the stream that this durable has not acknowledged; UNAVAILABLE while NATS is away.
  virtual StatusOr<int64_t> Lag() = 0;
  // Why nothing arrives now, or why the event at the head is not applied; empty if all is well.
  virtual std::string Problem() = 0;
};

}  // namespace hub::events
