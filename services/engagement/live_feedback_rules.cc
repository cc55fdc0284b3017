#include "services/engagement/live_feedback_rules.h"

#include "common/base/bank_holidays.h"

namespace hub::engagement {

Status MayBeTaken(const v1::EngagementSettings& settings) {
  if (!settings.danger_notice().empty() && !settings.danger_notice_checked_on().empty()) {
    return Status();
  }
  return RuleRefused(
      "danger_notice",
      "live feedback is taken once the forum says where to turn in danger: the chair "
      "sets danger_notice and danger_notice_checked_on in the engagement settings");
}

v1::LiveFeedback Received(const v1::GiveLiveFeedbackRequest& in,
                          const v1::EngagementSettings& settings, const std::string& today) {
  v1::LiveFeedback feedback;
  feedback.set_state(v1::LiveFeedback::RECEIVED);
  feedback.set_text(in.text());
  feedback.set_theme(in.theme());
  feedback.set_received_on(today);
  feedback.set_triage_by(AddWorkingDays(today, settings.triage_working_days()));
  feedback.set_safeguarding(in.safeguarding());
  return feedback;
}

Status Triage(const v1::TriageLiveFeedbackRequest& in, const std::string& today,
              v1::LiveFeedback* feedback) {
  if (in.safeguarding() && !in.cleared_text().empty()) {
    return InvalidField("cleared_text",
                        "what is flagged as safeguarding is for the safeguarding lead alone, so "
                        "nothing of it is cleared; leave cleared_text out");
  }
  if (!in.safeguarding() && in.demand() == v1::LiveFeedback::DEMAND_UNSPECIFIED) {
    return Refuse(errors::FIELD_REQUIRED,
                  "demand is required: VALUE for what services are there for, FAILURE for what "
                  "comes of something not done, or not done right",
                  "demand");
  }
  feedback->set_state(v1::LiveFeedback::TRIAGED);
  feedback->set_triaged_on(today);
  feedback->set_safeguarding(in.safeguarding());
  feedback->set_demand(in.demand());
  if (!in.theme().empty()) feedback->set_theme(in.theme());
  feedback->set_cleared_text(in.cleared_text());
  feedback->set_cleared(!in.cleared_text().empty());
  return Status();
}

}  // namespace hub::engagement
