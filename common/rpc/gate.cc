#include "common/rpc/gate.h"

#include <algorithm>
#include <chrono>

namespace hub {
namespace {

// A caller that goes by the health of a process has left by then. One that has not is told by the
// end of its connection, and what it had just sent is CANCELLED.
constexpr Micros kQuiet = 100'000;

}  // namespace

bool Gate::Enter(bool from_outside) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ && from_outside) {
    last_refused_ = MachineNow();
    return false;
  }
  ++inside_;
  return true;
}

void Gate::Leave() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--inside_ == 0) changed_.notify_all();
}

void Gate::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  last_refused_ = MachineNow();
}

void Gate::WaitUntilQuiet(Micros limit) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (Micros now = MachineNow(); now < limit; now = MachineNow()) {
    const Micros quiet_at = last_refused_ + kQuiet;
    if (inside_ == 0 && now >= quiet_at) return;
    const Micros until = inside_ == 0 ? std::min(quiet_at, limit) : limit;
    changed_.wait_for(lock, std::chrono::microseconds(until - now));
  }
}

}  // namespace hub
