// Families tell what they think without a name; the forum reads it and clears what the council
// sees.
#include "coproduction/engagement/v1/live_feedback.pb.h"
#include "coproduction/engagement/v1/settings.pb.h"
#include "services/hubctl/demo_turn.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::engagement::v1;

// The form opens once it says where to turn in danger.
Status OpenForm(Turn& turn) {
  v1::UpdateEngagementSettingsRequest update;
  v1::EngagementSettings* settings = update.mutable_settings();
  settings->set_name(turn.forum() + "/engagementSettings");
  settings->set_danger_notice(turn.book().document("danger notice"));
  settings->set_danger_notice_checked_on(DayOf(turn["Received"]));
  update.mutable_update_mask()->add_paths("danger_notice");
  update.mutable_update_mask()->add_paths("danger_notice_checked_on");
  return turn.Do(turn.Holder("CHAIR"), update);
}

Status Give(Turn& turn) {
  v1::GiveLiveFeedbackRequest give;
  give.set_parent(turn.forum());
  give.set_text(turn["Text"]);
  give.set_theme(turn["Theme"]);
  give.set_safeguarding(turn["In danger"] == "yes");
  return turn.Do(kPlatform, give);
}

// Found by its words: whoever gave it was told no name. The safeguarding lead finds all.
StatusOr<std::string> Find(Turn& turn) {
  v1::ListLiveFeedbacksRequest list;
  list.set_parent(turn.forum());
  list.set_filter("received_on = \"" + DayOf(turn["Received"]) + "\"");
  ASSIGN_OR_RETURN(const auto found, turn.Read<v1::ListLiveFeedbacksResponse>(
                                         turn.Holder("SAFEGUARDING_LEAD"), list));
  for (const auto& feedback : found.live_feedbacks()) {
    if (feedback.text() == turn["Text"]) return feedback.name();
  }
  return std::string();
}

Status Triage(Turn& turn) {
  v1::TriageLiveFeedbackRequest triage;
  ASSIGN_OR_RETURN(*triage.mutable_name(), Find(turn));
  triage.set_safeguarding(turn["In danger"] == "yes");
  triage.set_demand(ValueOf(turn["Demand"], v1::LiveFeedback::Demand_Parse));
  triage.set_cleared_text(turn["Cleared text"]);
  return turn.Do(turn.Member(turn["Triaged by"]), triage);
}

}  // namespace

void PlanLiveFeedback(Plan* plan) {
  const auto& rows = plan->book().rows("live-feedback");
  if (!rows.empty()) plan->On(rows[0], "Received", Step::kLiveFeedback, OpenForm);
  for (const Row& row : rows) {
    plan->On(row, "Received", Step::kLiveFeedback, Give);
    plan->On(row, "Triaged", Step::kLiveFeedback, Triage);
  }
}

}  // namespace hub::ctl
