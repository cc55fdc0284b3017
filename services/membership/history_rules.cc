#include "services/membership/history_rules.h"

#include <cstdlib>
#include <functional>

namespace hub::membership {
namespace {

// The spans of days on which `counts` holds of how often each of the two counts.
std::vector<Span> SpansWhere(const Changes& one, const Changes& other,
                             const std::function<bool(int, int)>& counts) {
  std::map<std::string, std::pair<int, int>> days;
  for (const auto& [day, change] : one) days[day].first += change;
  for (const auto& [day, change] : other) days[day].second += change;
  std::vector<Span> spans;
  int first = 0, second = 0;
  bool inside = false;
  for (const auto& [day, change] : days) {
    first += change.first;
    second += change.second;
    const bool now = counts(first, second);
    if (now && !inside) spans.push_back({day, ""});
    if (!now && inside) spans.back().until = day;
    inside = now;
  }
  return spans;
}

}  // namespace

int StepOf(v1::HistoryEntry::Kind kind) {
  switch (kind) {
    case v1::HistoryEntry::MEMBER_JOINED:
    case v1::HistoryEntry::LEAVING_CANCELLED:
      return 1;
    case v1::HistoryEntry::MEMBER_LEFT:
    case v1::HistoryEntry::JOINING_CANCELLED:
      return -1;
    default:
      return 0;
  }
}

int64_t Steps(const Changes& changes) {
  int64_t steps = 0;
  for (const auto& [day, change] : changes) steps += std::abs(change);
  return steps;
}

std::vector<Span> SpansOf(const Changes& changes) {
  return SpansWhere(changes, {}, [](int times, int) { return times > 0; });
}

std::vector<Span> OverlapsOf(const Changes& one, const Changes& other) {
  return SpansWhere(one, other, [](int first, int second) { return first > 0 && second > 0; });
}

}  // namespace hub::membership
