#include "services/membership/disclosure_attack.h"

#include <algorithm>

namespace hub::membership {
namespace {

// Nodes are the moments between rows: row t lies between t and t + 1. An arc of a group leads from
// its first moment to its end and carries its yes; an arc of a row leads back and carries its
// count.
class Flow {
 public:
  Flow(const std::vector<Interval>& told, const std::vector<Group>& groups) {
    std::vector<int64_t> counts(told.size());
    for (const Group& group : groups) {
      arcs_.push_back({group.first, group.end, group.yes, 0, group.people});
      for (int t = group.first; t < group.end; ++t) counts[t] += group.yes;
    }
    for (size_t t = 0; t < told.size(); ++t) {
      const int at = static_cast<int>(t);
      arcs_.push_back({at + 1, at, counts[t], told[t].low, told[t].high});
    }
    at_.resize(told.size() + 1);
    for (size_t i = 0; i < arcs_.size(); ++i) {
      at_[arcs_[i].from].push_back(i);
      at_[arcs_[i].to].push_back(i);
    }
  }
  int64_t carried(size_t arc) const { return arcs_[arc].carried; }
  // Whether there is a flow with one more, or one fewer, on this arc.
  bool MoreIsPossible(size_t arc) const {
    const Arc& one = arcs_[arc];
    return one.carried < one.high && Leads(one.to, one.from, arc);
  }
  bool FewerIsPossible(size_t arc) const {
    const Arc& one = arcs_[arc];
    return one.carried > one.low && Leads(one.from, one.to, arc);
  }

 private:
  struct Arc {
    int from, to;
    int64_t carried, low, high;
  };
  bool Leads(int from, int to, size_t without) const {
    std::vector<bool> seen(at_.size());
    std::vector<int> next = {from};
    seen[from] = true;
    while (!next.empty()) {
      const int node = next.back();
      next.pop_back();
      if (node == to) return true;
      for (size_t i : at_[node]) {
        const Arc& arc = arcs_[i];
        const int other = arc.from == node ? arc.to : arc.from;
        const bool open = arc.from == node ? arc.carried < arc.high : arc.carried > arc.low;
        if (i == without || !open || seen[other]) continue;
        seen[other] = true;
        next.push_back(other);
      }
    }
    return false;
  }

  std::vector<Arc> arcs_;
  std::vector<std::vector<size_t>> at_;  // arcs that touch a node
};

}  // namespace

Pinned Attack(const std::vector<Interval>& told, const std::vector<Group>& groups, int64_t friends,
              int64_t small) {
  const Flow flow(told, groups);
  Pinned pinned;
  // The worst friends are all of a group who said one thing: the others said the other, if no more
  // of them can have said the first.
  auto conclude = [&](int64_t friends_answer, int64_t others) {
    if (friends_answer == 0) pinned.people += others;
    pinned.with_friends += others;
  };
  for (size_t i = 0; i < groups.size(); ++i) {
    const int64_t yes = groups[i].yes, no = groups[i].people - yes;
    if (no > 0 && yes <= friends && !flow.MoreIsPossible(i)) conclude(yes, no);
    if (yes > 0 && no <= friends && !flow.FewerIsPossible(i)) conclude(no, yes);
  }
  for (size_t row = groups.size(); row < groups.size() + told.size(); ++row) {
    const int64_t count = flow.carried(row);
    const bool one = !flow.MoreIsPossible(row) && !flow.FewerIsPossible(row);
    if (one && count >= 1 && count <= small) ++pinned.counts;
  }
  return pinned;
}

}  // namespace hub::membership
