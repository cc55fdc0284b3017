// The two clocks, never mixed. Machine time: tokens, leases, horizons, day keys, the age of an
// answer. The hub's time: rules, timers, due dates, reservations; it is machine time too, unless
// the state is a demonstration's, where a command sets its date.
#pragma once

#include <atomic>
#include <string>

#include "common/base/date.h"

namespace hub {

Micros MachineNow();

class Clock {
 public:
  // Hub time. In a demonstration: the set date at 09:00 London plus the machine time passed since.
  Micros Now() const;
  std::string Today() const { return LondonDate(Now()); }
  // Only for a demonstration's state and for tests. `date` is a civil date.
  void SetDate(const std::string& date);
  bool IsSet() const { return offset_.load() != 0; }

 private:
  std::atomic<Micros> offset_{0};
};

}  // namespace hub
