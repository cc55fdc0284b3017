#include "tests/integration/machine_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace {
std::atomic<int64_t> offset_seconds{0};
}

// Stands before libc's own.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, time);  // NOLINT: the system's own type
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += offset_seconds.load();
  return static_cast<int>(result);
}

namespace hub::integration {
namespace {

constexpr Micros kSecond = 1'000'000;

Micros Truly() {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * kSecond + time.tv_nsec / 1000;
}

}  // namespace

// Abseil looks at the system's clock every two seconds only, and goes by the processor's between.
void StepMachineClock(Micros by) {
  offset_seconds += by / kSecond;
  while (std::abs(MachineNow() - Truly()) > kSecond / 10) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void SetMachineTime(const std::string& time_of_day) {
  const Micros now = MachineNow();
  Micros wanted = LondonInstant(LondonDate(now), time_of_day);
  if (wanted <= now) wanted = LondonInstant(AddDays(LondonDate(now), 1), time_of_day);
  StepMachineClock(wanted - now);
}

void ResetMachineClock() { StepMachineClock(-offset_seconds.load() * kSecond); }

}  // namespace hub::integration
