#include "services/membership/conflicts_rules.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/ascii.h"
#include "common/base/date.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {
namespace {

std::string Plain(const std::string& text) {
  const auto trimmed = absl::StripAsciiWhitespace(text);
  return absl::AsciiStrToLower(trimmed);
}

bool Over(const v1::Interest& interest, const std::string& today) {
  return !interest.until_on().empty() && interest.until_on() < today;
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

Status CheckRecusal(const v1::Recusal& recusal, const std::string& today) {
  if (recusal.ends_on().empty() || recusal.ends_on() > today) return Status();
  return InvalidField("recusal.ends_on", "ends_on is " + recusal.ends_on() +
                                             "; it must be after today, " + today +
                                             ", or empty while nobody knows");
}

std::string NoticeOn(const std::string& lapses_on, const v1::MembershipSettings& settings) {
  return AddDays(lapses_on, -settings.declaration_notice_days());
}

v1::Register RegisterOf(const std::vector<v1::Declaration>& last, const std::string& today) {
  std::vector<v1::RegisterEntry> entries;
  for (const auto& declaration : last) {
    v1::RegisterEntry entry;
    entry.set_rep(declaration.rep());
    entry.set_declared_on(declaration.declared_on());
    entry.set_lapses_on(declaration.lapses_on());
    entry.set_nil(declaration.nil());
    if (declaration.nil()) entries.push_back(entry);
    for (const auto& interest : declaration.interests()) {
      if (Over(interest, today)) continue;
      entry.set_kind(interest.kind());
      entry.set_party(interest.party());
      entry.set_since_on(interest.since_on());
      entry.set_what(interest.what());
      entries.push_back(entry);
    }
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a.party(), static_cast<int>(a.kind()), a.rep()) <
           std::make_tuple(b.party(), static_cast<int>(b.kind()), b.rep());
  });
  v1::Register out;
  for (auto& entry : entries) *out.add_entries() = std::move(entry);
  return out;
}

v1::OverdueDeclarations OverdueOf(const std::vector<v1::Declaration>& last,
                                  const std::string& today) {
  std::vector<v1::Declaration> overdue;
  for (const auto& declaration : last) {
    if (declaration.lapses_on() < today) overdue.push_back(declaration);
  }
  std::sort(overdue.begin(), overdue.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.lapses_on(), a.rep()) < std::make_pair(b.lapses_on(), b.rep());
  });
  v1::OverdueDeclarations out;
  for (const auto& declaration : overdue) {
    auto* one = out.add_declarations();
    one->set_rep(declaration.rep());
    one->set_lapsed_on(declaration.lapses_on());
    one->set_days(DaysBetween(declaration.lapses_on(), today));
  }
  return out;
}

}  // namespace hub::membership
