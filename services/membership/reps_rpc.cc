// Reps: the life cycle, good standing, and the word that scheduling asks for.
#include "common/db/db.h"
#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/conflicts.h"
#include "services/membership/history.h"
#include "services/membership/members_rules.h"
#include "services/membership/papers.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
constexpr char kReps[] = "coproduction.membership.v1.Reps";

StatusOr<v1::Rep> CreateRep(Write& write, const v1::CreateRepRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.member()));
  if (member.state() != v1::Member::ACTIVE) {
    return RuleRefused("rep_is_member", "only an active member can be a rep");
  }
  v1::Rep rep;
  rep.set_member(in.member());
  rep.set_most_hours_a_month(in.most_hours_a_month());
  rep.set_state(v1::Rep::APPLIED);
  rep.set_applied_on(write.today());
  return write.Create(std::move(rep), IdOf(in.member()));
}

StatusOr<v1::Rep> StartInduction(Write& write, const v1::StartInductionRequest& in) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(in.name(), in.etag()));
  rep.set_state(v1::Rep::IN_INDUCTION);
  return write.Put(std::move(rep));
}

StatusOr<v1::Rep> CompleteInductionStep(Write& write, const v1::CompleteInductionStepRequest& in) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  RETURN_IF_ERROR(CheckInductionStep(rep, in.step(), settings));
  auto* step = rep.add_induction_steps();
  step->set_step(in.step());
  step->set_done_on(write.today());
  return write.Put(std::move(rep));
}

StatusOr<v1::Rep> CompleteInduction(Write& write, const v1::CompleteInductionRequest& in) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  RETURN_IF_ERROR(CheckInductionDone(rep, settings));
  rep.set_induction_done_on(write.today());
  return write.Put(std::move(rep));
}

StatusOr<v1::Rep> ActivateRep(Write& write, const v1::ActivateRepRequest& in) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(const std::string missing, Missing(write, rep));
  if (!missing.empty()) return RuleRefused("good_standing", "not yet: " + missing);
  rep.set_state(v1::Rep::ACTIVE);
  rep.clear_standing_lapsed_on();
  RETURN_IF_ERROR(Record(write, rep.member(), v1::HistoryEntry::REP_ENTERED_POOL, write.today()));
  write.Emit<events::RepActivated>(rep);
  return write.Put(std::move(rep));
}

StatusOr<v1::Rep> PauseRep(Write& write, const v1::PauseRepRequest& in) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(in.name(), in.etag()));
  rep.set_state(v1::Rep::PAUSED);
  RETURN_IF_ERROR(Record(write, rep.member(), v1::HistoryEntry::REP_LEFT_POOL, write.today()));
  write.Emit<events::RepPaused>(rep);
  return write.Put(std::move(rep));
}

StatusOr<v1::Rep> StandDownRep(Write& write, const v1::StandDownRepRequest& in) {
  ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(in.name(), in.etag()));
  if (rep.state() == v1::Rep::ACTIVE) {
    RETURN_IF_ERROR(Record(write, rep.member(), v1::HistoryEntry::REP_LEFT_POOL, write.today()));
  }
  rep.set_state(v1::Rep::STOOD_DOWN);
  write.Emit<events::RepStoodDown>(rep);
  return write.Put(std::move(rep));
}

StatusOr<v1::Rep> UpdateRep(Write& write, const v1::UpdateRepRequest& in) {
  ASSIGN_OR_RETURN(auto rep, write.Merge(in.rep(), in.update_mask()));
  return write.Put(std::move(rep));
}

StatusOr<v1::CheckAllocationResponse> CheckAllocation(Read& read,
                                                      const v1::CheckAllocationRequest& in) {
  ASSIGN_OR_RETURN(auto rep, read.Get<v1::Rep>(in.rep()));
  ASSIGN_OR_RETURN(auto papers, PapersOf(read, rep.name()));
  v1::CheckAllocationResponse out;
  *out.mutable_answered_time() = ToTimestamp(read.now());
  out.set_most_hours_a_month(rep.most_hours_a_month());
  ASSIGN_OR_RETURN(const auto ties, TiesOf(read, rep.name()));
  const std::vector<std::string> parties(in.parties().begin(), in.parties().end());
  out.set_not_to_be_invited(SaidNo(papers.member, v1::Consent::INVITATIONS));
  const std::string missing = MissingForStanding(rep, papers, read.today());
  if (MayNotBeUsed(papers.member)) {
    out.set_reason(v1::CheckAllocationResponse::RESTRICTED);
  } else if (rep.state() != v1::Rep::ACTIVE) {
    out.set_reason(v1::CheckAllocationResponse::NOT_ACTIVE);
    out.set_reason_for_chair(missing);
  } else if (!missing.empty()) {
    out.set_reason(v1::CheckAllocationResponse::NOT_IN_GOOD_STANDING);
    out.set_reason_for_chair(missing);
  } else if (const std::string why = ConflictIn(ties, parties); !why.empty()) {
    out.set_reason(v1::CheckAllocationResponse::CONFLICT_OF_INTEREST);
    out.set_reason_for_chair(why);
  } else {
    out.set_allowed(true);
  }
  return out;
}

StatusOr<coproduction::type::v1::Attendees> ResolveAttendees(
    Read& read, const v1::ResolveAttendeesRequest& in) {
  std::vector<v1::Member> members;
  for (const auto& rep : in.reps()) {
    ASSIGN_OR_RETURN(auto member,
                     read.Find<v1::Member>("forums/" + read.forum() + "/members/" + IdOf(rep)));
    members.push_back(member ? *std::move(member) : v1::Member());
  }
  return AttendeesOf(members);
}

StatusOr<v1::Pool> GetPool(Read& read, const v1::GetPoolRequest& in) {
  const std::string date = DateOr(in.date(), read.today());
  // Nothing changed since the date itself.
  const std::string since = DateOr(in.since(), date);
  v1::Pool pool;
  RETURN_IF_ERROR(read.sql().Query(
      "SELECT member_id, "
      "SUM(CASE WHEN on_date > $1 THEN 0 WHEN kind = 'REP_ENTERED_POOL' THEN 1 ELSE -1 END), "
      "SUM(CASE WHEN on_date > $2 THEN 0 WHEN kind = 'REP_ENTERED_POOL' THEN 1 ELSE -1 END) "
      "FROM history WHERE forum = $3 AND kind IN ('REP_ENTERED_POOL', 'REP_LEFT_POOL') "
      "GROUP BY member_id ORDER BY member_id",
      {date, since, read.forum()}, [&](const db::Row& row) {
        const std::string rep = "forums/" + read.forum() + "/reps/" + std::string(row.Text(0));
        const bool now = row.Int(1) > 0, then = row.Int(2) > 0;
        if (now) pool.add_reps(rep);
        if (now && !then) pool.add_entered(rep);
        if (then && !now) pool.add_left(rep);
        return Status();
      }));
  return pool;
}

Status FillRep(Read& read, v1::Rep* rep) {
  ASSIGN_OR_RETURN(const std::string missing, Missing(read, *rep));
  rep->set_standing_reason(missing);
  rep->set_in_good_standing(missing.empty());
  return Status();
}

}  // namespace

void BindReps(Door& door) {
  door.Bind(kReps, "CreateRep", CreateRep);
  door.Bind(kReps, "UpdateRep", UpdateRep);
  door.Bind(kReps, "StartInduction", StartInduction);
  door.Bind(kReps, "CompleteInductionStep", CompleteInductionStep);
  door.Bind(kReps, "CompleteInduction", CompleteInduction);
  door.Bind(kReps, "ActivateRep", ActivateRep);
  door.Bind(kReps, "PauseRep", PauseRep);
  door.Bind(kReps, "StandDownRep", StandDownRep);
  door.Bind(kReps, "GetPool", GetPool);
  door.Bind(kReps, "CheckAllocation", CheckAllocation);
  door.Bind(kReps, "ResolveAttendees", ResolveAttendees);
  door.Computed<v1::Rep>(FillRep);
}

}  // namespace hub::membership
