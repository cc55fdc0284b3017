#include "common/rpc/limits.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/rpc/wire.h"

namespace hub {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kPlaceAgain = 100'000;  // a call that is under way is mostly done by then

}  // namespace

Status Limits::Enter(const std::string& principal) {
  if (options_.per_second <= 0 && options_.at_once <= 0) return Status();
  const auto now = Steady::now();
  std::lock_guard<std::mutex> lock(mutex_);
  if (callers_.size() >= forget_at_) Forget(now);
  auto [found, is_new] = callers_.try_emplace(principal);
  Caller& caller = found->second;
  const double passed = std::chrono::duration<double>(now - caller.at).count();
  caller.calls = is_new ? options_.burst
                        : std::min(options_.burst, caller.calls + passed * options_.per_second);
  caller.at = now;
  if (options_.at_once > 0 && caller.inside >= options_.at_once) {
    return RetryAfter(
        Refuse(errors::LIMIT_REACHED, absl::StrCat("you have ", caller.inside,
                                                   " calls under way, as many as one caller may "
                                                   "have here; wait for one to end")),
        kPlaceAgain);
  }
  if (options_.per_second > 0) {
    if (caller.calls < 1) {
      const double wait = (1 - caller.calls) / options_.per_second;
      return RetryAfter(
          Refuse(errors::LIMIT_REACHED,
                 absl::StrCat("you call more often than ", options_.per_second,
                              " times a second, as one caller may here; wait and go slower")),
          static_cast<Micros>(std::ceil(wait * kSecond)));
    }
    caller.calls -= 1;
  }
  ++caller.inside;
  return Status();
}

void Limits::Leave(const std::string& principal) {
  if (options_.per_second <= 0 && options_.at_once <= 0) return;
  std::lock_guard<std::mutex> lock(mutex_);
  --callers_[principal].inside;
}

// Who rests so long that all their calls may come again is as good as new.
void Limits::Forget(Steady::time_point now) {
  for (auto it = callers_.begin(); it != callers_.end();) {
    const double passed = std::chrono::duration<double>(now - it->second.at).count();
    const bool rested =
        it->second.inside == 0 && it->second.calls + passed * options_.per_second >= options_.burst;
    it = rested ? callers_.erase(it) : std::next(it);
  }
  forget_at_ = std::max(forget_at_, 2 * callers_.size());
}

Status Limits::CheckSize(size_t bytes) const {
  if (bytes <= options_.request_bytes) return Status();
  return Refuse(errors::LIMIT_REACHED,
                absl::StrCat("the request has ", bytes, " bytes, and one may have ",
                             options_.request_bytes, "; send less at once"));
}

Micros Limits::Deadline(Micros deadline) const {
  return std::min(deadline, MachineNow() + options_.longest);
}

}  // namespace hub
