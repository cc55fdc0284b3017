#include "common/rpc/door.h"
#include "coproduction/engagement/events/v1/live_feedback.pb.h"
#include "services/engagement/live_feedback_rules.h"

namespace hub::engagement {

namespace events = ::coproduction::engagement::events::v1;

static StatusOr<v1::GiveLiveFeedbackResponse> GiveLiveFeedback(
    Write& write, const v1::GiveLiveFeedbackRequest& in) {
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::EngagementSettings>());
  RETURN_IF_ERROR(MayBeTaken(settings));
  ASSIGN_OR_RETURN(auto feedback, write.Create(Received(in, settings, write.today())));
  write.Emit<events::LiveFeedbackReceived>(feedback);
  v1::GiveLiveFeedbackResponse answer;
  answer.set_triage_by(feedback.triage_by());
  return answer;
}

static StatusOr<v1::LiveFeedback> TriageLiveFeedback(Write& write,
                                                     const v1::TriageLiveFeedbackRequest& in) {
  ASSIGN_OR_RETURN(auto feedback, write.Get<v1::LiveFeedback>(in.name(), in.etag()));
  RETURN_IF_ERROR(Triage(in, write.today(), &feedback));
  return write.Put(std::move(feedback));
}

void BindLiveFeedbacks(Door& door) {
  const char service[] = "coproduction.engagement.v1.LiveFeedbacks";
  door.Bind(service, "GiveLiveFeedback", GiveLiveFeedback);
  door.Bind(service, "TriageLiveFeedback", TriageLiveFeedback);
}

}  // namespace hub::engagement
