#include "services/membership/disclosure_attack.h"

#include <algorithm>
#include <optional>

namespace hub::membership {
namespace {

// Nodes are the moments between rows: row t lies between t and t + 1. An arc of a group leads from
// its first moment to its end and carries its yes; an arc of a row leads back and carries its
// count.
class Flow {
 public:
  Flow(const std::vector<Interval>& told, const std::vector<Group>& groups) : at_(told.size() + 1) {
    std::vector<int64_t> counts(told.size());
    for (const Group& group : groups) {
      arcs_.push_back({group.first, group.end, group.yes, 0, group.people});
      for (int t = group.first; t < group.end; ++t) counts[t] += group.yes;
    }
    for (size_t t = 0; t < told.size(); ++t) {
      const int at = static_cast<int>(t);
      arcs_.push_back({at + 1, at, counts[t], told[t].low, told[t].high});
    }
    for (size_t i = 0; i < arcs_.size(); ++i) {
      at_[arcs_[i].from].push_back(i);
      at_[arcs_[i].to].push_back(i);
    }
  }
  int64_t carried(size_t arc) const { return arcs_[arc].carried; }
  // Whether there is a flow with one more, or one fewer, on this arc.
  bool MoreIsPossible(size_t arc) const {
    const Arc& one = arcs_[arc];
    return one.carried < one.high && PathOf(one.to, one.from, arc).has_value();
  }
  bool FewerIsPossible(size_t arc) const {
    const Arc& one = arcs_[arc];
    return one.carried > one.low && PathOf(one.from, one.to, arc).has_value();
  }
  // Raises what is below its bound; false where that cannot be.
  bool Raise() {
    for (size_t i = 0; i < arcs_.size(); ++i) {
      Arc& one = arcs_[i];
      while (one.carried < one.low) {
        const auto path = PathOf(one.to, one.from, i);
        if (!path) return false;
        int64_t by = one.low - one.carried;
        for (const Step& step : *path) by = std::min(by, Room(step));
        one.carried += by;
        for (const Step& step : *path) arcs_[step.arc].carried += step.back ? -by : by;
      }
    }
    return true;
  }

 private:
  struct Arc {
    int from, to;
    int64_t carried, low, high;
  };
  struct Step {
    size_t arc;
    bool back;
  };
  int64_t Room(const Step& step) const {
    const Arc& arc = arcs_[step.arc];
    return step.back ? arc.carried - arc.low : arc.high - arc.carried;
  }
  std::optional<std::vector<Step>> PathOf(int from, int to, size_t without) const {
    std::vector<std::optional<Step>> by(at_.size());  // how each node was reached
    std::vector<int> next = {from};
    while (!next.empty()) {
      const int node = next.back();
      next.pop_back();
      if (node == to) break;
      for (size_t i : at_[node]) {
        const Step step = {i, arcs_[i].from != node};
        const int other = step.back ? arcs_[i].from : arcs_[i].to;
        if (i == without || Room(step) <= 0 || other == from || by[other]) continue;
        by[other] = step;
        next.push_back(other);
      }
    }
    std::vector<Step> path;
    for (int node = to; node != from;) {
      if (!by[node]) return std::nullopt;
      path.push_back(*by[node]);
      node = path.back().back ? arcs_[path.back().arc].to : arcs_[path.back().arc].from;
    }
    return path;
  }

  std::vector<Arc> arcs_;
  std::vector<std::vector<size_t>> at_;  // arcs that touch a node
};

}  // namespace

std::vector<Group> GroupsOf(const std::vector<Row>& rows) {
  // Who is counted first by row t is in no earlier row's turnout, and in its own under 'none yet'.
  auto counted = [&](size_t first, size_t t) {
    return t >= rows.size() ? 0 : rows[t].since[t == first ? 0 : first + 1];
  };
  std::vector<Group> groups;
  for (size_t first = 0; first < rows.size(); ++first) {
    for (size_t t = first; t < rows.size(); ++t) {
      const int64_t people = counted(first, t) - counted(first, t + 1);
      if (people == 0) continue;
      groups.push_back({static_cast<int>(first), static_cast<int>(t) + 1, people, 0});
    }
  }
  return groups;
}

bool Possible(const std::vector<Interval>& told, std::vector<Group>* groups) {
  Flow flow(told, *groups);
  if (!flow.Raise()) return false;
  for (size_t i = 0; i < groups->size(); ++i) (*groups)[i].yes = flow.carried(i);
  return true;
}

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
