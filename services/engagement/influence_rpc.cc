#include "common/rpc/door.h"
#include "coproduction/engagement/events/v1/influence.pb.h"
#include "services/engagement/influence_rules.h"
#include "services/engagement/records_rpc.h"

namespace hub::engagement {

namespace events = ::coproduction::engagement::events::v1;

static StatusOr<v1::InfluenceAccount> GiveFeedback(Write& write,
                                                   const v1::GiveFeedbackRequest& in) {
  ASSIGN_OR_RETURN(auto account, write.Get<v1::InfluenceAccount>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(auto record, write.Find<v1::Record>(RecordName(account.item())));
  if (!record) return Internal(account.name() + " has no record");
  ASSIGN_OR_RETURN(auto points, PointsOf(write, *record));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::EngagementSettings>());
  RETURN_IF_ERROR(MayGive(in, account, *record, points, settings, write.today()));
  v1::InfluenceFeedback feedback = NewFeedback(in, account, write.today());
  *feedback.mutable_recorded_at() = ToTimestamp(write.now());
  ApplyFeedback(feedback, &account);
  RETURN_IF_ERROR(write.Create(std::move(feedback)).status());
  write.Emit<events::InfluenceFeedbackGiven>(account);
  return write.Put(std::move(account));
}

static StatusOr<v1::InfluenceAccount> RecogniseFeedback(Write& write,
                                                        const v1::RecogniseFeedbackRequest& in) {
  ASSIGN_OR_RETURN(auto account, write.Get<v1::InfluenceAccount>(in.name(), in.etag()));
  RETURN_IF_ERROR(MayRecognise(account));
  account.set_recognition(in.recognition());
  write.Emit<events::InfluenceRecognised>(account);
  return write.Put(std::move(account));
}

static StatusOr<v1::InfluenceAccount> CloseAccount(Write& write,
                                                   const v1::CloseAccountRequest& in) {
  ASSIGN_OR_RETURN(auto account, write.Get<v1::InfluenceAccount>(in.name(), in.etag()));
  RETURN_IF_ERROR(MayClose(account));
  account.set_state(v1::InfluenceAccount::CLOSED);
  account.set_closed_on(write.today());
  return write.Put(std::move(account));
}

static Status FillAccount(Read& read, v1::InfluenceAccount* account) {
  account->set_overdue(IsOverdue(*account, read.today()));
  return Status();
}

void BindInfluence(Door& door) {
  const char service[] = "coproduction.engagement.v1.InfluenceAccounts";
  door.Bind(service, "GiveFeedback", GiveFeedback);
  door.Bind(service, "RecogniseFeedback", RecogniseFeedback);
  door.Bind(service, "CloseAccount", CloseAccount);
  door.Computed<v1::InfluenceAccount>(FillAccount);
}

}  // namespace hub::engagement
