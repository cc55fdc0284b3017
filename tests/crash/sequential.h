// What the hub promises of three things, told as if one call came after the other: the places of a
// session, the money of a fund, a record under its etag. A history of calls on one of them is held
// against it by Judge() (tests/crash/linearize.h).
//
// What a call makes has a name that only an answer tells. Names are numbers from 1 here; what a
// call made whose answer never came is kUnnamed until an answer names it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/linearize.h"

namespace hub::crash {

using State = std::vector<int64_t>;

inline constexpr int64_t kNobody = 0, kUnnamed = -1;

// Places of reps in the items of a session. At most `most` reps have one; a rep has at most one in
// an item. A seat is a rep in an item: rep * items + item.
struct Places {
  enum Kind { kAllocate, kEnd, kList };
  enum Outcome { kUnknown, kDone, kFull, kTaken, kOver };
  struct Call : Span {
    Kind kind = kList;
    Outcome outcome = kUnknown;
    int seat = 0;
    int64_t name = 0;                // of the allocation made or ended
    std::vector<int64_t> seen = {};  // kList: by seat, the allocation that stands or kNobody
  };
  using State = crash::State;

  int most = 6;
  int reps = 0, items = 1;
  int64_t names = 0;  // the highest in the history

  State First() const;
  std::optional<State> Step(const State& state, const Call& call) const;
  std::string Tell(const Call& call) const;
};

// A fund's money: what is promised to (rep, session) pairs and what approved claims took. Never
// more than there is.
struct Money {
  enum Kind { kReserve, kConfirm, kRelease, kApprove, kPay, kRead };
  enum Outcome { kUnknown, kDone, kPoor, kOver };
  struct Call : Span {
    Kind kind = kRead;
    Outcome outcome = kUnknown;
    int at = 0;                                         // the pair or the claim
    int64_t name = 0;                                   // of the commitment
    int64_t available = -1, promised = -1, spent = -1;  // kRead: pence; -1 where not told
  };
  using State = crash::State;

  int64_t amount = 0;
  std::vector<int64_t> fees;    // by pair, pence
  std::vector<int64_t> claims;  // by claim, pence
  int64_t names = 0;

  State First() const;
  std::optional<State> Step(const State& state, const Call& call) const;
  std::string Tell(const Call& call) const;
};

// A record that is changed by etag: of the changes from one version exactly one is done.
struct Record {
  enum Kind { kUpdate, kRead };
  enum Outcome { kUnknown, kDone, kStale };
  struct Call : Span {
    Kind kind = kRead;
    Outcome outcome = kUnknown;
    int64_t etag = 0;     // kUpdate: the version that it is to change
    int64_t version = 0;  // that the answer has
    int64_t value = 0;    // that it sets or has
  };
  using State = crash::State;

  int64_t first_value = 0;

  State First() const { return {1, first_value}; }
  std::optional<State> Step(const State& state, const Call& call) const;
  std::string Tell(const Call& call) const;
};

}  // namespace hub::crash
