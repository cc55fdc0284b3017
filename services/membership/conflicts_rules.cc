#include "services/membership/conflicts_rules.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/ascii.h"
#include "common/base/date.h"
#include "services/membership/declarations_rules.h"

namespace hub::membership {
namespace {

std::string Plain(const std::string& text) {
  const auto trimmed = absl::StripAsciiWhitespace(text);
  return absl::AsciiStrToLower(trimmed);
}

}  // namespace

std::vector<Tie> TiesOn(const std::vector<v1::Declaration>& declarations,
                        const std::vector<v1::Recusal>& recusals, const std::string& today) {
  std::vector<Tie> ties;
  if (const v1::Declaration* last = LastDeclaration(declarations)) {
    for (const auto& interest : last->interests()) {
      if (interest.since_on() > today || Over(interest, today)) continue;
      ties.push_back({Plain(interest.party()), "declared an interest in " + interest.party()});
    }
  }
  for (const auto& recusal : recusals) {
    const bool over = !recusal.ends_on().empty() && recusal.ends_on() <= today;
    if (recusal.state() != v1::Recusal::ACTIVE || over) continue;
    ties.push_back({Plain(recusal.party()), "steps back from " + recusal.party()});
  }
  return ties;
}

std::string ConflictIn(const std::vector<Tie>& ties, const std::vector<std::string>& parties) {
  for (const Tie& tie : ties) {
    for (const auto& party : parties) {
      if (!tie.party.empty() && Plain(party) == tie.party) return tie.why;
    }
  }
  return "";
}

std::set<std::string> Contradicted(const std::vector<Tie>& ties,
                                   const std::vector<PlaceParty>& places) {
  std::set<std::string> contradicted;
  for (const PlaceParty& place : places) {
    if (!ConflictIn(ties, {place.party}).empty()) contradicted.insert(place.allocation);
  }
  return contradicted;
}

}  // namespace hub::membership
