// What scheduling does when another service tells a fact, and when time has passed.
#include "common/events/consumers.h"

#include "coproduction/engagement/events/v1/further_involvements.pb.h"
#include "coproduction/engagement/events/v1/influence.pb.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/scheduling/events/v1/requests.pb.h"
#include "coproduction/scheduling/events/v1/sessions.pb.h"
#include "coproduction/scheduling/v1/settings.pb.h"
#include "services/scheduling/allocations_rpc.h"
#include "services/scheduling/items_rpc.h"
#include "services/scheduling/requests_rules.h"

namespace hub::scheduling {

namespace engagement = ::coproduction::engagement::events::v1;
namespace membership = ::coproduction::membership::events::v1;
namespace events = ::coproduction::scheduling::events::v1;

// What allowed the places of a rep, or one place, holds no longer: those to come are free again.
// `column` refers to the resource.
static Status EndPlacesToCome(Write& write, const std::string& column, const std::string& resource,
                              const std::string& reason) {
  return EndPlaces(write,
                   column +
                       " = $2 AND session_id IN (SELECT id FROM sessions WHERE forum = $1 AND "
                       "date >= $3 AND state NOT IN ('HELD', 'CANCELLED'))",
                   {IdOf(resource), write.today()}, reason);
}

static Status OnRepPaused(Write& write, const membership::RepPaused& event, const Envelope&) {
  return EndPlacesToCome(write, "rep_id", event.rep(), "the rep pauses");
}

static Status OnRepStoodDown(Write& write, const membership::RepStoodDown& event, const Envelope&) {
  return EndPlacesToCome(write, "rep_id", event.rep(), "the rep stood down");
}

static Status OnGoodStandingLapsed(Write& write, const membership::GoodStandingLapsed& event,
                                   const Envelope&) {
  return EndPlacesToCome(write, "rep_id", event.rep(), "the rep is no longer in good standing");
}

static Status OnConflictFound(Write& write, const membership::ConflictFound& event,
                              const Envelope&) {
  return EndPlacesToCome(write, "id", event.allocation(), "the rep is not available for this item");
}

// Once: at most one request follows up an item, however often this is told.
static Status OnFurtherInvolvementDecided(Write& write,
                                          const engagement::FurtherInvolvementDecided& event,
                                          const Envelope&) {
  using coproduction::engagement::v1::FurtherInvolvement;
  if (event.decision() == FurtherInvolvement::NONE) return Status();
  ASSIGN_OR_RETURN(auto there, write.Select<v1::EngagementRequest>("follow_up_of_id = $2",
                                                                   {IdOf(event.item())}));
  if (!there.empty()) return Status();
  ASSIGN_OR_RETURN(auto old, write.Get<v1::EngagementRequest>(event.request()));
  return write.Create(FollowUp(old, event.item(), event.decision())).status();
}

static Status OnInfluenceFeedbackOverdue(Write& write,
                                         const engagement::InfluenceFeedbackOverdue& event,
                                         const Envelope&) {
  return write.sql()
      .Exec(
          "INSERT INTO overdue_feedback(forum, influence_account, partner, team) "
          "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
          {write.forum(), event.influence_account(), event.partner(), event.team()})
      .status();
}

static Status OnInfluenceFeedbackGiven(Write& write,
                                       const engagement::InfluenceFeedbackGiven& event,
                                       const Envelope&) {
  return write.sql()
      .Exec("DELETE FROM overdue_feedback WHERE forum = $1 AND influence_account = $2",
            {write.forum(), event.influence_account()})
      .status();
}

static Status TellReviewOverdue(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto request, write.Get<v1::EngagementRequest>(resource));
  request.clear_review_overdue_date();
  write.Emit<events::RequestReviewOverdue>(request);
  return write.Put(std::move(request)).status();
}

static Status LookAtQuorum(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto session, write.Get<v1::Session>(resource));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::SchedulingSettings>());
  ASSIGN_OR_RETURN(auto placed, RepsOfSession(write, resource));
  session.clear_quorum_check_date();
  if (static_cast<int64_t>(placed.size()) < settings.quorum()) {
    auto& event = write.Emit<events::SessionQuorumAtRisk>(session);
    event.set_reps(static_cast<int32_t>(placed.size()));
    event.set_quorum(static_cast<int32_t>(settings.quorum()));
  }
  return write.Put(std::move(session)).status();
}

// Its session was cancelled or its request withdrawn. Its places fall away with it.
static Status DropFallenAway(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto item, write.Get<v1::Item>(resource));
  return Drop(write, std::move(item)).status();
}

void BindConsumers(Consumers& consumers) {
  consumers.On<membership::RepPaused>(OnRepPaused);
  consumers.On<membership::RepStoodDown>(OnRepStoodDown);
  consumers.On<membership::GoodStandingLapsed>(OnGoodStandingLapsed);
  consumers.On<membership::ConflictFound>(OnConflictFound);
  consumers.On<engagement::FurtherInvolvementDecided>(OnFurtherInvolvementDecided);
  consumers.On<engagement::InfluenceFeedbackOverdue>(OnInfluenceFeedbackOverdue);
  consumers.On<engagement::InfluenceFeedbackGiven>(OnInfluenceFeedbackGiven);
  consumers.OnDue("RequestReviewOverdue", TellReviewOverdue);
  consumers.OnDue("SessionQuorumAtRisk", LookAtQuorum);
  consumers.OnDue("ItemFellAway", DropFallenAway);
}

}  // namespace hub::scheduling
