#include "common/base/clock.h"

#include "absl/time/clock.h"

namespace hub {

Micros MachineNow() { return absl::GetCurrentTimeNanos() / 1000; }

Micros Clock::Now() const { return MachineNow() + offset_.load(); }

void Clock::SetDate(const std::string& date) {
  offset_.store(LondonInstant(date, "09:00") - MachineNow());
}

}  // namespace hub
