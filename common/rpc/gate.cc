#include "common/rpc/gate.h"

#include <algorithm>
#include <chrono>

namespace hub {
namespace {

// A caller that watches the health of a process has left by then.
constexpr Micros kQuiet = 100'000;

}  // namespace

bool Gate::Enter(bool from_within) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ && !from_within) return false;
  last_came_ = MachineNow();
  ++inside_;
  return true;
}

void Gate::Leave() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--inside_ == 0) changed_.notify_all();
}

int64_t Gate::inside() {
  std::lock_guard<std::mutex> lock(mutex_);
  return inside_;
}

void Gate::AwaitQuiet(Micros limit) {
  std::unique_lock<std::mutex> lock(mutex_);
  const Micros from = MachineNow();
  for (Micros now = from; now < limit; now = MachineNow()) {
    const Micros quiet_at = std::max(from, last_came_) + kQuiet;
    if (now >= quiet_at) return;
    changed_.wait_for(lock, std::chrono::microseconds(std::min(quiet_at, limit) - now));
  }
}

void Gate::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

void Gate::AwaitEmpty() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return inside_ == 0; });
}

}  // namespace hub
