// How much one caller may ask of a process, so that no one's program takes the hub from the others:
// calls a second, calls at once, the bytes of a request, the time of a call. The process has one
// for all its doors. What services ask each other is theirs who called first, and counted there.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "common/base/date.h"
#include "common/base/status.h"

namespace hub {

class Limits {
 public:
  struct Options {
    double per_second = 0;  // 0: no limit
    double burst = 0;       // calls that may come at once after a rest
    int at_once = 0;        // 0: no limit
    size_t request_bytes = 1 << 20;
    Micros longest = 30'000'000;  // of a call, and what a caller has who names no deadline
  };
  Limits() : Limits(Options()) {}
  explicit Limits(Options options) : options_(options) {}

  // LIMIT_REACHED, with the time after which the caller may come again. Whoever is let in leaves
  // once.
  Status Enter(const std::string& principal);
  void Leave(const std::string& principal);
  // LIMIT_REACHED, without such a time: it never fits.
  Status CheckSize(size_t bytes) const;
  // When a call ends whose caller wants `deadline`.
  Micros Deadline(Micros deadline) const;

 private:
  using Steady = std::chrono::steady_clock;  // whatever happens to the machine's time
  struct Caller {
    double calls = 0;  // that may still come now
    Steady::time_point at;
    int inside = 0;
  };
  void Forget(Steady::time_point now);

  const Options options_;
  std::mutex mutex_;
  std::map<std::string, Caller> callers_;
  size_t forget_at_ = 10000;  // callers, when those who rest are forgotten
};

}  // namespace hub
