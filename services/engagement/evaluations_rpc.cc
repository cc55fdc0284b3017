#include "common/rpc/door.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "services/engagement/evaluations_rules.h"

namespace hub::engagement {

namespace membership = ::coproduction::membership::v1;
namespace remuneration = ::coproduction::remuneration::v1;
namespace scheduling = ::coproduction::scheduling::v1;

// What the other three services count.
struct Figures {
  membership::MembershipFigures membership;
  scheduling::SchedulingFigures scheduling;
  remuneration::RemunerationFigures remuneration;
};

static StatusOr<Figures> AskFigures(Ask& ask, const v1::GetEvaluationRequest& in) {
  RETURN_IF_ERROR(CheckPeriod(in));
  membership::GetMembershipFiguresRequest members;
  members.set_parent(in.parent());
  members.set_from(in.from());
  members.set_to(in.to());
  members.set_membership_from(MembershipFrom(in));
  scheduling::GetSchedulingFiguresRequest sessions;
  sessions.set_parent(in.parent());
  sessions.set_from(in.from());
  sessions.set_to(in.to());
  remuneration::GetRemunerationFiguresRequest money;
  money.set_parent(in.parent());
  money.set_from_date(in.from());
  money.set_to_date(in.to());
  Figures figures;
  ASSIGN_OR_RETURN(figures.membership, ask.Call<membership::MembershipFigures>(members));
  ASSIGN_OR_RETURN(figures.scheduling, ask.Call<scheduling::SchedulingFigures>(sessions));
  ASSIGN_OR_RETURN(figures.remuneration, ask.Call<remuneration::RemunerationFigures>(money));
  return figures;
}

// Engagements, and the fewest and most reps of a unit, counted from attendance.
static Status CountEngagements(Read& read, v1::Evaluation* out) {
  return read.sql().Query(
      "SELECT CAST(COALESCE(SUM(reps), 0) AS BIGINT), COALESCE(MIN(reps), 0), "
      "COALESCE(MAX(reps), 0) FROM (SELECT COUNT(*) AS reps FROM attendances "
      "WHERE forum = $1 AND session_date BETWEEN $2 AND $3 AND capacity = 'REP' "
      "AND (item_id <> '' OR series = 'PREP') GROUP BY session_id, item_id) AS units",
      {read.forum(), out->from(), out->to()}, [&](const db::Row& row) {
        out->set_engagements(static_cast<int32_t>(row.Int(0)));
        out->mutable_reps_per_unit()->set_min(static_cast<int32_t>(row.Int(1)));
        out->mutable_reps_per_unit()->set_max(static_cast<int32_t>(row.Int(2)));
        return Status();
      });
}

static Status AddOwnFigures(Read& read, v1::Evaluation* out) {
  RETURN_IF_ERROR(CountEngagements(read, out));
  const std::vector<db::Value> period = {out->from(), out->to()};
  ASSIGN_OR_RETURN(auto records, read.Select<v1::Record>("session_date BETWEEN $2 AND $3", period));
  ASSIGN_OR_RETURN(auto accounts,
                   read.Select<v1::InfluenceAccount>("session_date BETWEEN $2 AND $3", period));
  ASSIGN_OR_RETURN(auto feedbacks,
                   read.Select<v1::InfluenceFeedback>(
                       "influence_account_id IN (SELECT id FROM influence_accounts WHERE "
                       "forum = $1 AND session_date BETWEEN $2 AND $3) ORDER BY recorded_at, id",
                       period));
  *out->mutable_influence() = Ledger(accounts, feedbacks, out->to());
  *out->mutable_drafts_late() = DraftsLate(records, out->to());
  *out->mutable_shares_late() = SharesLate(records, out->to());
  return Status();
}

static StatusOr<v1::Evaluation> GetEvaluation(Read& read, const v1::GetEvaluationRequest& in,
                                              const Figures& figures) {
  v1::Evaluation evaluation;
  evaluation.set_from(in.from());
  evaluation.set_to(in.to());
  evaluation.set_membership_from(MembershipFrom(in));
  RETURN_IF_ERROR(AddOwnFigures(read, &evaluation));
  AddFigures(figures.scheduling, &evaluation);
  evaluation.mutable_pool_size()->set_start(figures.membership.pool_start());
  evaluation.mutable_pool_size()->set_end(figures.membership.pool_end());
  evaluation.mutable_membership()->set_start(figures.membership.members_start());
  evaluation.mutable_membership()->set_end(figures.membership.members_end());
  *evaluation.mutable_remuneration() = figures.remuneration;
  return evaluation;
}

void BindEvaluations(Door& door) {
  door.Bind("coproduction.engagement.v1.Evaluations", "GetEvaluation", AskFigures, GetEvaluation);
}

}  // namespace hub::engagement
