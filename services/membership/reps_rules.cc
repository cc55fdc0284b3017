#include "services/membership/reps_rules.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_join.h"
#include "services/membership/declarations_rules.h"
#include "services/membership/documents_rules.h"

namespace hub::membership {
namespace {

const char* Name(v1::Document::Kind kind) {
  return kind == v1::Document::CODE_OF_CONDUCT ? "code of conduct" : "terms of reference";
}

// Before it is required, who accepted an older version or was a rep before it does without.
bool IsRequired(const v1::Rep& rep, const Papers& papers, const v1::Document& current,
                const std::string& today) {
  if (today >= current.required_from()) return true;
  if (!rep.induction_done_on().empty() && rep.induction_done_on() < current.published_on()) {
    return false;
  }
  return std::none_of(papers.documents.begin(), papers.documents.end(), [&](const auto& document) {
    return document.kind() == current.kind() && Accepted(papers.acceptances, document);
  });
}

std::vector<std::string> StepsMissing(const v1::Rep& rep, const v1::MembershipSettings& settings) {
  std::set<std::string> done;
  for (const auto& step : rep.induction_steps()) done.insert(step.step());
  std::vector<std::string> missing;
  for (const auto& step : settings.induction_steps()) {
    if (done.count(step) == 0) missing.push_back(step);
  }
  return missing;
}

}  // namespace

bool MayNotBeUsed(const v1::Member& member) {
  return member.state() == v1::Member::ERASED || member.has_restriction();
}

Status CheckInductionStep(const v1::Rep& rep, const std::string& step,
                          const v1::MembershipSettings& settings) {
  const auto& steps = settings.induction_steps();
  if (std::find(steps.begin(), steps.end(), step) == steps.end()) {
    return InvalidField("step", "step is '" + step + "', which is none of the forum's" +
                                    (steps.empty() ? "; its settings name no step"
                                                   : ": " + absl::StrJoin(steps, ", ")));
  }
  for (const auto& known : rep.induction_steps()) {
    if (known.step() == step) {
      return RuleRefused("induction_step", "'" + step + "' was done on " + known.done_on());
    }
  }
  return Status();
}

Status CheckInductionDone(const v1::Rep& rep, const v1::MembershipSettings& settings) {
  const auto missing = StepsMissing(rep, settings);
  if (missing.empty()) return Status();
  return RuleRefused("induction", "not yet: of the induction there is still to do: " +
                                      absl::StrJoin(missing, ", "));
}

std::string MissingForStanding(const v1::Rep& rep, const Papers& papers, const std::string& today) {
  std::vector<std::string> missing;
  if (papers.member.state() == v1::Member::ERASED) {
    missing.push_back("the member was erased");
  } else if (MayNotBeUsed(papers.member)) {
    missing.push_back("the member's data may only be stored since " +
                      papers.member.restriction().since_on());
  }
  if (rep.induction_done_on().empty()) {
    const auto steps = StepsMissing(rep, papers.settings);
    missing.push_back("the induction is not done" +
                      (steps.empty() ? "" : ", to do: " + absl::StrJoin(steps, ", ")));
  }
  for (const auto& document : NotAccepted(papers.documents, papers.acceptances)) {
    if (!IsRequired(rep, papers, document, today)) continue;
    missing.push_back("version " + std::to_string(document.number()) + " of the " +
                      Name(document.kind()) + " is not accepted");
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

}  // namespace hub::membership
