// Which of several processes on one database does what only one may do at a time: a row of table
// `leases`, held for a while of machine time and lengthened by whoever has it. One that is killed
// is followed by another when that while has passed.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "common/base/clock.h"
#include "common/db/db.h"

namespace hub::events {

// Of one thread.
class Lease {
 public:
  // `holder` tells the processes apart. One that has the same name after a restart goes on at once.
  Lease(db::Store* store, std::string name, std::string holder, Micros length)
      : store_(store), name_(std::move(name)), holder_(std::move(holder)), length_(length) {}

  enum Claim { kForeign, kKept, kTaken };  // kTaken: from another, or for the first time ever
  // Takes or lengthens it unless at least `enough` of it is left.
  StatusOr<Claim> Take(Micros enough);
  // 0: it is not ours. One that would last longer than it is long was taken before the machine's
  // clock went back, and is to be taken anew.
  Micros left() const {
    const Micros left = until_ - MachineNow();
    return left > length_ ? 0 : std::max<Micros>(left, 0);
  }
  // Another need not wait for its end.
  void Release();

 private:
  db::Store* const store_;
  const std::string name_, holder_;
  const Micros length_;
  using Steady = std::chrono::steady_clock;
  bool Holds(const std::string& holder, Micros until);

  Micros until_ = 0;
  std::string seen_;  // a row of another whose end is too far off, and since when it is there
  Steady::time_point seen_at_;
};

}  // namespace hub::events
