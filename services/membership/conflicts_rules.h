// What a rep steps back from, and where that stands against an item. Pure rules.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/declarations.pb.h"
#include "coproduction/membership/v1/recusals.pb.h"
#include "coproduction/membership/v1/settings.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// What ties a rep to a party today: an interest of the last declaration, or a recusal. `why` is for
// the chair alone: 'declared an interest in Transport team'.
struct Tie {
  std::string party, why;
};
std::vector<Tie> TiesOn(const std::vector<v1::Declaration>& declarations,
                        const std::vector<v1::Recusal>& recusals, const std::string& today);

// A conflict is a tie to one of the item's parties: its partner, team, matter or supplier. Case and
// outer spaces do not matter. Why, of the first; empty where there is none. Source: seed (conflict
// of interest policy).
std::string ConflictIn(const std::vector<Tie>& ties, const std::vector<std::string>& parties);

// Of a rep's places, one entry for each party of each, those that the ties contradict.
struct PlaceParty {
  std::string allocation, party;
};
std::set<std::string> Contradicted(const std::vector<Tie>& ties,
                                   const std::vector<PlaceParty>& places);

}  // namespace hub::membership
