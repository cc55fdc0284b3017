#include "services/membership/declarations_rules.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/date.h"

namespace hub::membership {

std::string LapsesOn(const std::string& declared_on, const v1::MembershipSettings& settings) {
  const auto day = ToDay(declared_on);
  const auto month = absl::CivilMonth(day) + settings.declaration_months();
  // The last day of the month where the month is shorter: 29 February becomes 28 February.
  const absl::CivilDay last(absl::CivilDay(month + 1) - 1);
  return ToText(absl::CivilDay(month.year(), month.month(), std::min(day.day(), last.day())));
}

const v1::Declaration* LastDeclaration(const std::vector<v1::Declaration>& declarations) {
  const v1::Declaration* last = nullptr;
  for (const auto& declaration : declarations) {
    if (last == nullptr || std::make_pair(declaration.declared_on(), declaration.name()) >
                               std::make_pair(last->declared_on(), last->name())) {
      last = &declaration;
    }
  }
  return last;
}

Status CheckDeclaration(const v1::Declaration& declaration) {
  if (declaration.nil() != declaration.interests().empty()) {
    return InvalidField("declaration.nil",
                        declaration.nil()
                            ? "nil says that there is nothing to declare, yet interests are listed"
                            : "list the interests, or set nil where there is nothing to declare");
  }
  for (const auto& interest : declaration.interests()) {
    if (!interest.until_on().empty() && interest.until_on() < interest.since_on()) {
      return InvalidField("declaration.interests.until_on",
                          "an interest ends on " + interest.until_on() + ", before it began on " +
                              interest.since_on());
    }
  }
  return Status();
}

bool Over(const v1::Interest& interest, const std::string& today) {
  return !interest.until_on().empty() && interest.until_on() < today;
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
