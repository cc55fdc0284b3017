// The relay brings every committed event to its receiver's stream: once, in the order of each
// aggregate. It publishes with Nats-Msg-Id = event id, at most one in flight per aggregate and
// receiver, many aggregates in parallel; `duplicate` is success. An event that cannot be sent (it
// is held back, too large, refused) holds up those after it of its aggregate, and no others. One to
// a partner that no sharing agreement covers any more is never sent. 'Sent' is marked
// through the writer's queue. JetStream acknowledges before it fsyncs, so on every connect and
// lease take-over the relay first reads the stream back and publishes again what is not there:
// everything acknowledged within the horizon before the last acknowledgement, and further back for
// as long as messages are missing (a store that was lost, or replaced by an older copy). The
// server's window for duplicates is a second line, never the only one. NATS away: nothing fails,
// everything arrives when it is back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/db/db.h"
#include "common/events/receivers.h"

namespace hub::events {

class Relay {
 public:
  struct Options {
    std::string service;  // 'membership'
    db::Store* store = nullptr;
    const Clock* clock = nullptr;  // the hub's: what is shared with a partner today
    std::vector<Receiver> receivers;
    // Whether this service has taken what it was told before it started: a partner is sent nothing
    // until then, since an agreement may have ended meanwhile. Where there is none: at once.
    std::function<bool()> informed = nullptr;
    // Of the relays to one receiver, one makes its stream and durable; the others wait (nats.h).
    bool makes_streams = true;
    Micros horizon = 180 * 1000000ll;  // how far back an acknowledged event may be lost
    // Who relays: of several processes on one database, the one that holds the receiver's lease. A
    // name that stays the same lets a restarted process go on at once; empty: one is made up.
    std::string holder;
    Micros lease = 10 * 1000000ll;    // machine time
    Micros ack_wait = 5 * 1000000ll;  // for a publish; nothing is sent with less lease than this
    Micros poll = 200'000;            // what other processes committed is found this late
  };
  static StatusOr<std::unique_ptr<Relay>> Start(Options options);
  virtual ~Relay() = default;  // stops; unsent rows stay for the next start
  virtual void Wake() = 0;     // after a commit that wrote payloads; never blocks
  // Rows not yet acknowledged, for status and drain.
  virtual StatusOr<int64_t> Unsent() = 0;
  // A sentence for each receiver that cannot be served now, for status and logs.
  virtual std::vector<std::string> Problems() = 0;
};

// 'membership.1f3a...' : the event's id from its service and payload row.
std::string EventId(const std::string& service, int64_t payload_id);

}  // namespace hub::events
