// Which of several processes on one database does what only one may do at a time: a row of table
// `leases`, held for a while of machine time and lengthened by whoever has it. One that is killed
// is followed by another when that while has passed.
#pragma once

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
  Micros until() const { return until_; }  // machine time; in the past: it is not ours
  // Another need not wait for its end.
  void Release();

 private:
  db::Store* const store_;
  const std::string name_, holder_;
  const Micros length_;
  Micros until_ = 0;
};

}  // namespace hub::events
