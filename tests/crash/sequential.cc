#include "tests/crash/sequential.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace hub::crash {
namespace {

constexpr int kBits = 62;  // names marked in one number of a state

// Which names have been given, from `from` on in a state.
bool Used(const State& state, size_t from, int64_t name) {
  return name > 0 && (state[from + static_cast<size_t>(name / kBits)] >> name % kBits & 1) != 0;
}
void Use(State* state, size_t from, int64_t name) {
  if (name > 0) (*state)[from + static_cast<size_t>(name / kBits)] |= int64_t{1} << name % kBits;
}

std::string When(const Span& span) {
  return absl::StrCat("[", span.called, ", ",
                      span.answered() ? absl::StrCat(span.returned) : "never", "] ");
}

}  // namespace

Places::State Places::First() const {
  const int64_t places = int64_t{reps} * items;
  return State(static_cast<size_t>(places + names / kBits + 1), kNobody);
}

std::optional<State> Places::Step(const State& state, const Call& call) const {
  const int places = reps * items;
  const auto marks = static_cast<size_t>(places);
  const auto seat = static_cast<size_t>(call.seat);
  State next = state;
  switch (call.kind) {
    case kAllocate: {
      int placed = 0;
      bool has_place = false;
      for (int rep = 0; rep < reps; ++rep) {
        bool any = false;
        for (int item = 0; item < items; ++item) {
          const int place = rep * items + item;
          any |= state[static_cast<size_t>(place)] != kNobody;
        }
        placed += any ? 1 : 0;
        has_place |= any && rep == call.seat / items;
      }
      const bool room = has_place || placed < most;
      const bool taken = state[seat] != kNobody;
      if (call.outcome == kFull) return room ? std::nullopt : std::optional(next);
      if (call.outcome == kTaken) return room && taken ? std::optional(next) : std::nullopt;
      const bool done = room && !taken && !Used(state, marks, call.name);
      if (!done) return call.outcome == kUnknown ? std::optional(next) : std::nullopt;
      next[seat] = call.outcome == kUnknown ? kUnnamed : call.name;
      if (call.outcome == kDone) Use(&next, marks, call.name);
      return next;
    }
    case kEnd: {
      const bool stands = state[seat] == call.name;
      if (call.outcome == kOver) {
        return !stands && Used(state, marks, call.name) ? std::optional(next) : std::nullopt;
      }
      if (!stands) return call.outcome == kUnknown ? std::optional(next) : std::nullopt;
      next[seat] = kNobody;
      return next;
    }
    case kList:
      for (size_t i = 0; i < marks; ++i) {
        if (call.seen[i] == state[i]) continue;
        if (state[i] != kUnnamed || call.seen[i] == kNobody || Used(next, marks, call.seen[i])) {
          return std::nullopt;
        }
        next[i] = call.seen[i];
        Use(&next, marks, call.seen[i]);
      }
      return next;
  }
  return std::nullopt;
}

std::string Places::Tell(const Call& call) const {
  constexpr const char* kOutcomes[] = {"no answer", "done", "full", "taken", "over"};
  std::string text = When(call);
  if (call.kind == kList) {
    absl::StrAppend(&text, "list:");
    for (size_t i = 0; i < call.seen.size(); ++i) {
      if (call.seen[i] != kNobody) absl::StrAppend(&text, " ", i, "=a", call.seen[i]);
    }
    return text;
  }
  absl::StrAppend(&text, call.kind == kEnd ? "end" : "allocate", " seat ", call.seat, " (rep ",
                  call.seat / items, "): ", kOutcomes[call.outcome]);
  return call.name > 0 ? absl::StrCat(text, " a", call.name) : text;
}

Money::State Money::First() const {
  return State(fees.size() + claims.size() + static_cast<size_t>(names / kBits) + 1, kNobody);
}

std::optional<State> Money::Step(const State& state, const Call& call) const {
  const size_t marks = fees.size() + claims.size();
  const auto at = static_cast<size_t>(call.at);
  int64_t promised = 0, spent = 0;
  for (size_t i = 0; i < fees.size(); ++i) promised += state[i] == kNobody ? 0 : fees[i];
  for (size_t i = 0; i < claims.size(); ++i) spent += state[fees.size() + i] == 0 ? 0 : claims[i];
  const int64_t available = amount - promised - spent;
  State next = state;
  // A call without an answer that does nothing, or an answer that cannot be.
  const auto not_done = call.outcome == kUnknown ? std::optional(next) : std::nullopt;
  auto only_if = [&next](bool holds) { return holds ? std::optional(next) : std::nullopt; };
  switch (call.kind) {
    case kReserve: {
      const bool stands = state[at] != kNobody;
      if (call.outcome == kPoor) return only_if(!stands && available < fees[at]);
      if (stands && state[at] == call.name) return next;
      if (Used(state, marks, call.name)) return std::nullopt;
      if (stands && (call.outcome == kUnknown || state[at] != kUnnamed)) return not_done;
      if (!stands && available < fees[at]) return not_done;
      next[at] = call.outcome == kUnknown ? kUnnamed : call.name;
      if (call.outcome == kDone) Use(&next, marks, call.name);
      return next;
    }
    case kConfirm:
    case kRelease: {
      const bool stands = state[at] == call.name;
      if (call.outcome == kOver) return only_if(!stands && Used(state, marks, call.name));
      if (call.kind == kConfirm) return stands ? std::optional(next) : not_done;
      // Released twice is released.
      if (!stands) return Used(state, marks, call.name) ? std::optional(next) : not_done;
      next[at] = kNobody;
      return next;
    }
    case kApprove:
    case kPay: {
      int64_t& claim = next[fees.size() + at];  // 0 submitted, 1 approved, 2 paid
      const bool in_turn = claim == (call.kind == kApprove ? 0 : 1);
      const bool enough = call.kind == kPay || available >= claims[at];
      if (call.outcome == kOver) return only_if(!in_turn);
      if (call.outcome == kPoor) return only_if(in_turn && !enough);
      if (!in_turn || !enough) return not_done;
      ++claim;
      return next;
    }
    case kRead:
      return only_if((call.available < 0 || call.available == available) &&
                     (call.promised < 0 || call.promised == promised) &&
                     (call.spent < 0 || call.spent == spent) && available >= 0);
  }
  return std::nullopt;
}

std::string Money::Tell(const Call& call) const {
  constexpr const char* kKinds[] = {"reserve", "confirm", "release", "approve", "pay"};
  constexpr const char* kOutcomes[] = {"no answer", "done", "not enough", "over"};
  if (call.kind == kRead) {
    return absl::StrCat(When(call), "read: available ", call.available, ", promised ",
                        call.promised, ", spent ", call.spent);
  }
  const bool pair = call.kind < kApprove;
  const auto at = static_cast<size_t>(call.at);
  std::string text =
      absl::StrCat(When(call), kKinds[call.kind], pair ? " pair " : " claim ", call.at, " (",
                   pair ? fees[at] : claims[at], " pence): ", kOutcomes[call.outcome]);
  return call.name > 0 ? absl::StrCat(text, " c", call.name) : text;
}

std::optional<State> Record::Step(const State& state, const Call& call) const {
  if (call.kind == kRead) {
    return State{call.version, call.value} == state ? std::optional(state) : std::nullopt;
  }
  const bool current = call.etag == state[0];
  if (call.outcome == kStale) return current ? std::nullopt : std::optional(state);
  if (!current) return call.outcome == kUnknown ? std::optional(state) : std::nullopt;
  State next = {state[0] + 1, call.value};
  if (call.outcome == kDone && call.version != next[0]) return std::nullopt;
  return next;
}

std::string Record::Tell(const Call& call) const {
  constexpr const char* kOutcomes[] = {"no answer", "done", "stale"};
  if (call.kind == kRead) {
    return absl::StrCat(When(call), "read: version ", call.version, ", value ", call.value);
  }
  return absl::StrCat(When(call), "update ", call.etag, " to value ", call.value, ": ",
                      kOutcomes[call.outcome], " ", call.version);
}

}  // namespace hub::crash
