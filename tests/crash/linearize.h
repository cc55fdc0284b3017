// Decides whether a history of concurrent calls is linearizable: whether every call that was
// answered can be given a moment between its call and its return so that all of them, done one
// after the other, give the answers that were given. A call without an answer may have had its
// effect at any later moment, or never.
//
// The search is Wing and Gong's with Lowe's memory of what was tried. It is exponential in the
// calls that overlap, so a history is of one object: what holds for each holds for all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hub::crash {

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// When a call was made and answered, in ticks of one counter.
struct Span {
  int64_t called = 0;
  int64_t returned = kNever;
  bool answered() const { return returned != kNever; }
};

struct Verdict {
  enum Word { kHolds, kRefused, kUndecided };
  Word word = kHolds;
  int64_t steps = 0;
  size_t stuck = 0;  // kRefused: the answered call that the best attempt could not explain
  bool holds() const { return word == kHolds; }
};

// A Model has a State (with == and a hash), a Call (derived from Span), First(), and
// Step(state, call): the state afterwards, nothing where that call cannot have that answer then.
// The Step of a call without an answer is what it does if it has an effect.
template <class Model>
Verdict Judge(const Model& model, const std::vector<typename Model::Call>& calls,
              absl::Duration limit = absl::Seconds(60)) {
  using State = typename Model::State;
  // Calls and returns in their order, linked so that a call that was given its moment is out.
  struct Entry {
    size_t call;
    bool is_return;
    size_t before, after;
  };
  std::vector<std::pair<int64_t, Entry>> order;
  size_t left = 0;
  for (size_t i = 0; i < calls.size(); ++i) {
    order.push_back({calls[i].called, {i, false, 0, 0}});
    if (calls[i].answered()) order.push_back({calls[i].returned, {i, true, 0, 0}}), ++left;
  }
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Entry> list = {{0, false, 0, 1}};  // the first is before all
  std::vector<size_t> return_of(calls.size(), 0);
  for (auto& [tick, entry] : order) {
    entry.before = list.size() - 1;
    entry.after = list.size() + 1;
    if (entry.is_return) return_of[entry.call] = list.size();
    list.push_back(entry);
  }
  list.push_back({0, false, list.size() - 1, 0});  // the last is after all
  const size_t end = list.size() - 1;
  auto take = [&](size_t at) {
    list[list[at].before].after = list[at].after;
    list[list[at].after].before = list[at].before;
  };
  auto put_back = [&](size_t at) {
    list[list[at].before].after = at;
    list[list[at].after].before = at;
  };

  struct Taken {
    size_t at;
    State state;  // before it
  };
  std::vector<Taken> taken;
  std::vector<uint64_t> done((calls.size() + 63) / 64, 0);
  absl::flat_hash_set<std::pair<std::vector<uint64_t>, State>> tried;
  State state = model.First();
  Verdict verdict;
  size_t deepest = 0;
  const absl::Time until = absl::Now() + limit;
  for (size_t at = list[0].after; left > 0;) {
    if (++verdict.steps % 4096 == 0 && absl::Now() > until) {
      verdict.word = Verdict::kUndecided;
      return verdict;
    }
    const size_t i = list[at].call;
    if (at != end && !list[at].is_return) {
      std::optional<State> next = model.Step(state, calls[i]);
      // An unanswered call without an effect need not be tried: it may as well never come.
      if (next && (calls[i].answered() || *next != state)) {
        done[i / 64] |= uint64_t{1} << i % 64;
        if (tried.emplace(done, *next).second) {
          taken.push_back({at, std::exchange(state, *std::move(next))});
          take(at);
          if (calls[i].answered()) take(return_of[i]), --left;
          at = list[0].after;
          continue;
        }
        done[i / 64] &= ~(uint64_t{1} << i % 64);
      }
      at = list[at].after;
      continue;
    }
    // A return whose call has no moment yet: the last choice was wrong.
    if (taken.size() >= deepest) deepest = taken.size(), verdict.stuck = i;
    if (taken.empty()) {
      verdict.word = Verdict::kRefused;
      return verdict;
    }
    at = taken.back().at;
    state = std::move(taken.back().state);
    taken.pop_back();
    const size_t undone = list[at].call;
    done[undone / 64] &= ~(uint64_t{1} << undone % 64);
    if (calls[undone].answered()) put_back(return_of[undone]), ++left;
    put_back(at);
    at = list[at].after;
  }
  return verdict;
}

}  // namespace hub::crash
