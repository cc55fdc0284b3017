#include "common/events/consumers.h"

#include "coproduction/engagement/events/v1/attendances.pb.h"
#include "coproduction/remuneration/v1/entitlements.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "coproduction/scheduling/events/v1/sessions.pb.h"
#include "services/remuneration/commitments_rpc.h"
#include "services/remuneration/entitlements_rules.h"
#include "services/remuneration/transfers_rpc.h"

namespace hub::remuneration {

namespace engagement = ::coproduction::engagement::events::v1;
namespace scheduling = ::coproduction::scheduling::events::v1;

// An attendance earns the fee of its session, once per rep and session. [ours]
static Status OnAttendanceRecorded(Write& write, const engagement::AttendanceRecorded& event,
                                   const Envelope&) {
  ASSIGN_OR_RETURN(auto earned,
                   write.Select<v1::Entitlement>("rep_id = $2 AND session_id = $3",
                                                 {IdOf(event.rep()), IdOf(event.session())}));
  if (!earned.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(v1::Entitlement entitlement, Earned(event));
  ASSIGN_OR_RETURN(auto promise, StandingCommitment(write, event.rep(), event.session()));
  if (promise.has_value()) {
    Honour(*promise, &entitlement);
    ASSIGN_OR_RETURN(auto commitment, write.Get<v1::Commitment>(promise->name()));
    RETURN_IF_ERROR(Keep(write, std::move(commitment), v1::Commitment::EARNED).status());
  }
  RETURN_IF_ERROR(OpenAccount(write, AccountOfRep(event.rep())));
  return write.Create(std::move(entitlement)).status();
}

// The booking that the reservation was for stands. Told after the promise lapsed or was released,
// it gets the same promise again.
static Status OnRepAllocated(Write& write, const scheduling::RepAllocated& event, const Envelope&) {
  ASSIGN_OR_RETURN(auto promise, StandingCommitment(write, event.rep(), event.session()));
  if (promise.has_value()) {
    ASSIGN_OR_RETURN(auto commitment, write.Get<v1::Commitment>(promise->name()));
    const bool reserved = commitment.state() == v1::Commitment::RESERVED;
    AddPlace(&commitment);
    return (reserved ? Keep(write, std::move(commitment), v1::Commitment::CONFIRMED)
                     : write.Put(std::move(commitment)))
        .status();
  }
  ASSIGN_OR_RETURN(auto ended,
                   write.Select<v1::Commitment>("rep_id = $2 AND session_id = $3 AND state IN"
                                                " ('EXPIRED', 'RELEASED') ORDER BY id DESC LIMIT 1",
                                                {IdOf(event.rep()), IdOf(event.session())}));
  if (ended.empty()) return absl::OkStatus();
  ended[0].set_state(v1::Commitment::CONFIRMED);
  ended[0].set_places(1);
  return MakePromise(write, ended[0], ended[0].fund()).status();
}

// With the rep's last place in the session its money is free at once.
static Status OnAllocationEnded(Write& write, const scheduling::AllocationEnded& event,
                                const Envelope&) {
  ASSIGN_OR_RETURN(auto promise, StandingCommitment(write, event.rep(), event.session()));
  if (!promise.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(auto commitment, write.Get<v1::Commitment>(promise->name()));
  const bool last = TakePlace(&commitment);
  return (last ? End(write, std::move(commitment), v1::Commitment::RELEASED)
               : write.Put(std::move(commitment)))
      .status();
}

static Status OnSessionCancelled(Write& write, const scheduling::SessionCancelled& event,
                                 const Envelope&) {
  ASSIGN_OR_RETURN(auto promises, write.Select<v1::Commitment>(
                                      "session_id = $2 AND state IN ('RESERVED', 'CONFIRMED')",
                                      {IdOf(event.session())}));
  for (const auto& promise : promises) {  // as many as a session has reps
    ASSIGN_OR_RETURN(auto commitment, write.Get<v1::Commitment>(promise.name()));
    RETURN_IF_ERROR(End(write, std::move(commitment), v1::Commitment::RELEASED).status());
  }
  return absl::OkStatus();
}

// Nothing came of the promise in time: its money is free again.
static Status ExpireCommitment(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto commitment, write.Get<v1::Commitment>(resource));
  if (!Lapsed(commitment, write.today())) return absl::OkStatus();  // it moved on meanwhile
  return End(write, std::move(commitment), v1::Commitment::EXPIRED).status();
}

void BindConsumers(Consumers& consumers) {
  consumers.On<engagement::AttendanceRecorded>(OnAttendanceRecorded);
  consumers.On<scheduling::RepAllocated>(OnRepAllocated);
  consumers.On<scheduling::AllocationEnded>(OnAllocationEnded);
  consumers.On<scheduling::SessionCancelled>(OnSessionCancelled);
  consumers.OnDue("CommitmentExpired", ExpireCommitment);
}

}  // namespace hub::remuneration
