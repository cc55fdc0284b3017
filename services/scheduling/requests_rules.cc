#include "services/scheduling/requests_rules.h"

#include <array>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/date.h"

namespace hub::scheduling {
namespace {

using coproduction::engagement::v1::FurtherInvolvement;

bool SaysNothing(const std::string& can_change) {
  static const std::set<std::string> words = {"", "nothing", "none", "no", "n/a", "-"};
  std::string word(can_change);
  absl::StripAsciiWhitespace(&word);
  while (!word.empty() && word.back() == '.') word.pop_back();
  absl::AsciiStrToLower(&word);
  return words.count(word) > 0;
}

Status SaysEverything(const v1::EngagementRequest& request) {
  const std::array<std::pair<const char*, bool>, 13> said = {{
      {"workstream", request.workstream() != v1::EngagementRequest::WORKSTREAM_UNSPECIFIED},
      {"purpose", request.purpose() != v1::EngagementRequest::PURPOSE_UNSPECIFIED},
      {"decision_stage", request.decision_stage() != v1::Decision::STAGE_UNSPECIFIED},
      {"can_change", !request.can_change().empty()},
      {"cannot_change", !request.cannot_change().empty()},
      {"who_decides", !request.who_decides().empty()},
      {"requestor", !request.requestor().empty()},
      {"requestor_person", !request.requestor_person().empty()},
      {"team", !request.team().empty()},
      {"minutes_wanted", request.minutes_wanted() > 0},
      {"needed_by", !request.needed_by().empty()},
      {"papers", !request.papers().empty()},
      {"attendees", !request.attendees().empty()},
  }};
  std::string missing;
  std::string first;
  for (const auto& [field, there] : said) {
    if (there) continue;
    if (first.empty()) first = field;
    missing += (missing.empty() ? "" : ", ") + std::string(field);
  }
  if (missing.empty()) return Status();
  return Refuse(errors::FIELD_REQUIRED,
                "the request cannot be reviewed yet; it does not say: " + missing +
                    ". Add it with UpdateRequest, then submit again",
                first);
}

}  // namespace

Status AskFor(const std::string& partner, v1::EngagementRequest* request) {
  if (request->partner().empty()) request->set_partner(partner);
  if (request->partner().empty()) {
    return Refuse(errors::FIELD_REQUIRED,
                  "request.partner is required: name the partner that is to come, as "
                  "forums/warwickshire/partners/wcc",
                  "request.partner");
  }
  if (!partner.empty() && request->partner() != partner) {
    return InvalidField("request.partner", "you ask for " + partner +
                                               ", so request.partner cannot "
                                               "be '" +
                                               request->partner() + "'; leave it out");
  }
  return Status();
}

v1::Decision::Stage StageOf(const v1::EngagementRequest& request) {
  return SaysNothing(request.can_change()) ? v1::Decision::DECIDED : request.decision_stage();
}

Status MayBeSubmitted(const v1::EngagementRequest& request) {
  RETURN_IF_ERROR(SaysEverything(request));
  if (StageOf(request) != v1::Decision::DECIDED ||
      request.purpose() == v1::EngagementRequest::UPDATE) {
    return Status();
  }
  return RuleRefused(
      "decided_only_as_update",
      "this decision is already made, so it cannot come for " +
          v1::EngagementRequest::Purpose_Name(request.purpose()) +
          ". Parent carers say: when a decision is already made, it seems a bit of a pointless "
          "exercise us spending time raising views. Say what can still change and give the stage "
          "that it is really at, or bring it as an UPDATE");
}

void Submit(const std::string& today, v1::EngagementRequest* request) {
  request->set_state(v1::EngagementRequest::SUBMITTED);
  request->set_decision_stage(StageOf(*request));
  request->clear_acceptance();
  request->clear_fund();
  request->clear_question();
  if (!request->has_submit_date()) request->set_submit_date(today);
}

bool IsLate(const std::string& submit_date, const std::string& session_date, int64_t lead_days) {
  return DaysBetween(submit_date, session_date) < lead_days;
}

Status MayBeAccepted(const v1::EngagementRequest& request, bool late) {
  if (!late || !request.waiver_reason().empty()) return Status();
  return RuleRefused("late_needs_waiver",
                     "the request came on " + request.submit_date() +
                         ", too late for the session that it asks for. Ask for a later session, or "
                         "let the chair waive the lateness with a reason (WaiveLateness)");
}

bool NeedsContribution(v1::Activity::Kind kind) {
  return kind == v1::Activity::PROJECT || kind == v1::Activity::TASK_AND_FINISH ||
         kind == v1::Activity::CONSULTATION;
}

Status AgreeOnFund(const std::string& fund, v1::EngagementRequest* request) {
  if (fund.empty()) return Status();
  if (request->has_fund() && request->fund() != fund) {
    return RuleRefused("one_fund", "it was accepted with " + request->fund() +
                                       " as the fund that pays, you name " + fund +
                                       "; accept with the same, or let the side that named it take "
                                       "its word back first");
  }
  request->set_fund(fund);
  return Status();
}

v1::EngagementRequest FollowUp(const v1::EngagementRequest& old, const std::string& item,
                               FurtherInvolvement::Decision decision) {
  v1::EngagementRequest draft;
  draft.set_state(v1::EngagementRequest::DRAFT);
  draft.set_follow_up_of(item);
  draft.set_partner(old.partner());
  draft.set_title(old.title());
  draft.set_workstream(old.workstream());
  draft.set_purpose(decision == FurtherInvolvement::UPDATE ? v1::EngagementRequest::UPDATE
                    : decision == FurtherInvolvement::CO_DESIGN
                        ? v1::EngagementRequest::CO_DESIGN
                        : v1::EngagementRequest::DISCUSSION);
  draft.set_requestor(old.requestor());
  draft.set_requestor_person(old.requestor_person());
  draft.set_team(old.team());
  draft.set_supplier(old.supplier());
  draft.set_matter(old.matter());
  draft.set_who_decides(old.who_decides());
  draft.set_activity_kind(old.activity_kind());
  return draft;
}

}  // namespace hub::scheduling
