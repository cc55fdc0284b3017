#include "services/membership/reps_rules.h"

#include "absl/strings/ascii.h"
#include "common/base/date.h"

namespace hub::membership {
namespace {

std::string Plain(const std::string& text) {
  const auto trimmed = absl::StripAsciiWhitespace(text);
  return absl::AsciiStrToLower(trimmed);
}

const char* Name(v1::Document::Kind kind) {
  return kind == v1::Document::CODE_OF_CONDUCT ? "code of conduct" : "terms of reference";
}

bool Accepted(const Papers& papers, const v1::Document& document) {
  for (const auto& acceptance : papers.acceptances) {
    if (acceptance.document() == document.name()) return true;
  }
  return false;
}

std::string MissingDocument(v1::Document::Kind kind, const Papers& papers,
                            const v1::MembershipSettings& settings, const std::string& today) {
  const v1::Document* current = nullptr;
  bool older = false;
  for (const auto& document : papers.documents) {
    if (document.kind() != kind) continue;
    older |= Accepted(papers, document);
    if (current == nullptr || document.number() > current->number()) current = &document;
  }
  if (current == nullptr || Accepted(papers, *current)) return "";
  const std::string by = AddDays(current->published_on(), settings.acceptance_days());
  if (older && today <= by) return "";
  return "version " + std::to_string(current->number()) + " of the " + Name(kind) +
         " is not accepted";
}

}  // namespace

bool MayNotBeUsed(const v1::Member& member) {
  return member.state() == v1::Member::ERASED || member.has_restriction();
}

std::string MissingForStanding(const v1::Rep& rep, const Papers& papers,
                               const v1::MembershipSettings& settings, const std::string& today) {
  std::vector<std::string> missing;
  if (papers.member.state() == v1::Member::ERASED) {
    missing.push_back("the member was erased");
  } else if (MayNotBeUsed(papers.member)) {
    missing.push_back("the member's data may only be stored since " +
                      papers.member.restriction().since_on());
  }
  if (rep.induction_done_on().empty()) missing.push_back("the induction is not done");
  for (auto kind : {v1::Document::CODE_OF_CONDUCT, v1::Document::TERMS_OF_REFERENCE}) {
    const std::string document = MissingDocument(kind, papers, settings, today);
    if (!document.empty()) missing.push_back(document);
  }
  const v1::Declaration* last = LastDeclaration(papers.declarations);
  if (last == nullptr) {
    missing.push_back("interests were never declared");
  } else if (last->lapses_on() <= today) {
    missing.push_back("the declaration of interests lapsed on " + last->lapses_on());
  }
  std::string text;
  for (const auto& one : missing) text += (text.empty() ? "" : "; ") + one;
  return text;
}

std::string LapsesOn(const std::string& declared_on, const v1::MembershipSettings& settings) {
  const auto day = ToDay(declared_on);
  const auto month = absl::CivilMonth(day) + settings.declaration_months();
  // The last day of the month where the month is shorter: 29 February becomes 28 February.
  const absl::CivilDay last(absl::CivilDay(month + 1) - 1);
  return ToText(absl::CivilDay(month.year(), month.month(), std::min(day.day(), last.day())));
}

bool Conflicts(const v1::Declaration& declaration, const std::vector<std::string>& parties,
               const std::string& today) {
  for (const auto& interest : declaration.interests()) {
    if (interest.since_on() > today) continue;
    if (!interest.until_on().empty() && interest.until_on() < today) continue;
    for (const auto& party : parties) {
      if (!Plain(party).empty() && Plain(party) == Plain(interest.party())) return true;
    }
  }
  return false;
}

std::set<std::string> Contradicted(const v1::Declaration& declaration,
                                   const std::vector<PlaceParty>& places,
                                   const std::string& today) {
  std::set<std::string> contradicted;
  for (const auto& [allocation, party] : places) {
    if (Conflicts(declaration, {party}, today)) contradicted.insert(allocation);
  }
  return contradicted;
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

}  // namespace hub::membership
