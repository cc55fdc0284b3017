#include "common/rpc/door.h"
#include "coproduction/engagement/events/v1/live_feedback.pb.h"
#include "services/engagement/live_feedback_rules.h"

namespace hub::engagement {

namespace events = ::coproduction::engagement::events::v1;
namespace options = ::coproduction::options::v1;

static Reader ReaderOf(const Read& read) {
  if (read.side() == options::PARTNER) return Reader::kPartner;
  return read.principal().Has(options::SAFEGUARDING_LEAD, read.forum()) ? Reader::kSafeguardingLead
                                                                        : Reader::kForum;
}

// What is not for the caller is as if it were not there.
static Status MustBeFor(const Read& read, const v1::LiveFeedback& feedback) {
  if (IsFor(ReaderOf(read), feedback)) return Status();
  return Refuse(errors::RESOURCE_NOT_FOUND, "there is no '" + feedback.name() + "' here",
                feedback.name());
}

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
  RETURN_IF_ERROR(MustBeFor(write, feedback));
  RETURN_IF_ERROR(Triage(in, write.today(), &feedback));
  return write.Put(std::move(feedback));
}

static StatusOr<v1::LiveFeedback> GetLiveFeedback(Read& read,
                                                  const v1::GetLiveFeedbackRequest& in) {
  ASSIGN_OR_RETURN(auto feedback, read.Get<v1::LiveFeedback>(in.name()));
  RETURN_IF_ERROR(MustBeFor(read, feedback));
  return feedback;
}

static StatusOr<v1::ListLiveFeedbacksResponse> ListLiveFeedbacks(
    Read& read, const v1::ListLiveFeedbacksRequest& in) {
  v1::ListLiveFeedbacksRequest mine = in;
  const std::string filter = FilterFor(ReaderOf(read));
  if (!filter.empty()) {
    mine.set_filter(in.filter().empty() ? filter : in.filter() + " AND " + filter);
  }
  return read.List<v1::ListLiveFeedbacksResponse>(mine);
}

void BindLiveFeedbacks(Door& door) {
  const char service[] = "coproduction.engagement.v1.LiveFeedbacks";
  door.Bind(service, "GiveLiveFeedback", GiveLiveFeedback);
  door.Bind(service, "TriageLiveFeedback", TriageLiveFeedback);
  door.Bind(service, "GetLiveFeedback", GetLiveFeedback);
  door.Bind(service, "ListLiveFeedbacks", ListLiveFeedbacks);
}

}  // namespace hub::engagement
