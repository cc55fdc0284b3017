#include "common/rpc/gate.h"

#include <algorithm>

namespace hub {
namespace {

// A caller that watches the health of a process has left by then.
constexpr std::chrono::milliseconds kQuiet(100);

}  // namespace

bool Gate::Enter(bool from_within) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ && !from_within) return false;
  last_came_ = Clock::now();
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

void Gate::AwaitQuiet(std::chrono::milliseconds most) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto from = Clock::now(), limit = from + most;
  for (auto now = from; now < limit; now = Clock::now()) {
    const auto quiet_at = std::max(from, last_came_) + kQuiet;
    if (now >= quiet_at) return;
    changed_.wait_until(lock, std::min(quiet_at, limit));
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
