// When somebody counted as a member, from the facts of joining and leaving. Pure rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coproduction/membership/v1/duplicates.pb.h"
#include "coproduction/membership/v1/members.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// How a fact changes the count from its day on: 1, -1, or 0 for one that is not of membership.
int StepOf(v1::HistoryEntry::Kind kind);

// By how much the count of one person, who may have been entered more than once, changes on a day.
using Changes = std::map<std::string, int>;

// Days of membership, from one until before another; empty where it still lasts.
struct Span {
  std::string from, until;
  bool operator==(const Span&) const = default;
};
// How many times the count changes, up or down.
int64_t Steps(const Changes& changes);
// When the person counted. Someone who was counted twice on a day counts once.
std::vector<Span> SpansOf(const Changes& changes);
// The days on which both count: of two entries of one person these are one too many.
std::vector<Span> OverlapsOf(const Changes& one, const Changes& other);

}  // namespace hub::membership
