#include "services/scheduling/allocations_rpc.h"

#include "common/base/clock.h"
#include "common/rpc/door.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "coproduction/scheduling/v1/allocations.pb.h"
#include "services/scheduling/allocations_rules.h"
#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {

namespace events = ::coproduction::scheduling::events::v1;
namespace membership = ::coproduction::membership::v1;
namespace remuneration = ::coproduction::remuneration::v1;
using v1::Allocation;
using v1::EngagementRequest;
using v1::Invitation;
using v1::Item;
using v1::Session;

static StatusOr<std::set<std::string>> RepsWhere(Read& read, const std::string& where,
                                                 const std::string& name) {
  ASSIGN_OR_RETURN(auto allocations,
                   read.Select<Allocation>(where + " AND state = 'ALLOCATED'", {IdOf(name)}));
  std::set<std::string> reps;
  for (const auto& allocation : allocations) reps.insert(allocation.rep());
  return reps;
}

StatusOr<std::set<std::string>> RepsOfSession(Read& read, const std::string& session) {
  return RepsWhere(read, "session_id = $2", session);
}

StatusOr<std::set<std::string>> RepsOfItem(Read& read, const std::string& item) {
  return RepsWhere(read, "item_id = $2", item);
}

static StatusOr<Allocation> EndPlace(Write& write, Allocation allocation,
                                     const std::string& reason) {
  allocation.set_state(Allocation::ENDED);
  allocation.set_end_reason(reason);
  write.Emit<events::AllocationEnded>(allocation);
  return write.Put(std::move(allocation));
}

Status EndPlaces(Write& write, const std::string& where, std::vector<db::Value> values,
                 const std::string& reason) {
  ASSIGN_OR_RETURN(auto places,
                   write.Select<Allocation>(where + " AND state = 'ALLOCATED'", std::move(values)));
  for (const auto& place : places) {
    ASSIGN_OR_RETURN(Allocation allocation, write.Get<Allocation>(place.name()));
    RETURN_IF_ERROR(EndPlace(write, std::move(allocation), reason).status());
  }
  return Status();
}

// What a rep has a place in.
struct Unit {
  Session session;
  std::optional<Item> item;
};

static StatusOr<Unit> UnitOf(Read& read, const v1::AllocateRepRequest& in) {
  Unit unit;
  if (!in.item().empty()) {
    ASSIGN_OR_RETURN(unit.item, read.Get<Item>(in.item()));
  }
  const std::string session = unit.item ? unit.item->session() : in.session();
  if (session.empty()) {
    return Refuse(errors::FIELD_REQUIRED,
                  "name the item, or the session where the place is in the session as a whole",
                  "item");
  }
  ASSIGN_OR_RETURN(unit.session, read.Get<Session>(session));
  return unit;
}

static StatusOr<std::optional<EngagementRequest>> RequestOf(Read& read, const Unit& unit) {
  if (!unit.item) return std::optional<EngagementRequest>();
  return read.Find<EngagementRequest>(unit.item->request());
}

// The rep's places in a session. Their commitment is one.
static StatusOr<std::vector<Allocation>> PlacesOf(Read& read, const std::string& rep,
                                                  const std::string& session) {
  return read.Select<Allocation>("rep_id = $2 AND session_id = $3 AND state = 'ALLOCATED'",
                                 {IdOf(rep), IdOf(session)});
}

// What the others say: membership that the rep may, remuneration that a fund pays.
struct Booking {
  std::string commitment;
  Micros answered;         // machine time
  int64_t most_hours = 0;  // of the rep's in a month
};

static StatusOr<Booking> AskOthers(Ask& ask, const v1::AllocateRepRequest& in) {
  membership::CheckAllocationRequest check;
  remuneration::ReserveCommitmentRequest reserve;
  Booking booking{"", MachineNow()};
  RETURN_IF_ERROR(ask.Snapshot([&](Read& read) -> Status {
    ASSIGN_OR_RETURN(Unit unit, UnitOf(read, in));
    ASSIGN_OR_RETURN(auto request, RequestOf(read, unit));
    check.set_parent(in.parent());
    check.set_rep(in.rep());
    for (const auto& party : PartiesOf(request)) check.add_parties(party);
    reserve.set_parent(in.parent());
    reserve.set_rep(in.rep());
    reserve.set_session(unit.session.name());
    reserve.set_session_date(unit.session.date());
    const Booked booked = BookedAs(unit.session, request);
    reserve.set_activity_kind(booked.kind);
    reserve.set_fund(booked.fund);
    reserve.set_minutes(unit.session.minutes());
    if (request) reserve.set_partner(request->partner());
    ASSIGN_OR_RETURN(auto places, PlacesOf(read, in.rep(), unit.session.name()));
    if (!places.empty()) booking.commitment = places[0].commitment();
    return Status();
  }));
  ASSIGN_OR_RETURN(auto word, ask.Call<membership::CheckAllocationResponse>(check));
  RETURN_IF_ERROR(MembershipAllows(word));
  booking.most_hours = word.most_hours_a_month();
  if (!booking.commitment.empty()) return booking;
  ASSIGN_OR_RETURN(auto commitment, ask.Call<remuneration::Commitment>(reserve));
  booking.commitment = commitment.name();
  // Not where another command of the same moment gave the rep a place with this commitment.
  ask.IfItFails([reserve, name = commitment.name()](Ask& undo) {
    bool used = true;
    Status read = undo.Snapshot([&](Read& read) -> Status {
      ASSIGN_OR_RETURN(auto places, PlacesOf(read, reserve.rep(), reserve.session()));
      used = !places.empty();
      return Status();
    });
    if (!read.ok() || used) return;
    remuneration::ReleaseCommitmentRequest release;
    release.set_name(name);
    // Unreleased it lapses by itself.
    undo.Call<remuneration::Commitment>(release).IgnoreError();
  });
  return booking;
}

// The sessions of a month in which the rep has a place.
static StatusOr<std::vector<Session>> PlacedIn(Read& read, const std::string& rep,
                                               const std::string& month) {
  return read.Select<Session>(
      "id IN (SELECT session_id FROM allocations WHERE forum = $1 AND rep_id = $2 AND "
      "state = 'ALLOCATED') AND substr(date, 1, 7) = $3",
      {IdOf(rep), month});
}

// The session is locked first, so that two reps cannot take the same last place. Before that the
// door has locked the position of the rep, whom the call names and whose events are followed
// (common/rpc/door.cc): no other booking of the rep adds to the month meanwhile.
static StatusOr<Allocation> AllocateRep(Write& write, const v1::AllocateRepRequest& in,
                                        const Booking& booking) {
  RETURN_IF_ERROR(FreshEnough(MachineNow() - booking.answered));
  ASSIGN_OR_RETURN(Unit unit, UnitOf(write, in));
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(unit.session.name()));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::SchedulingSettings>());
  ASSIGN_OR_RETURN(auto placed, RepsOfSession(write, session.name()));
  ASSIGN_OR_RETURN(auto invited, write.Select<Invitation>("rep_id = $2 AND session_id = $3",
                                                          {IdOf(in.rep()), IdOf(session.name())}));
  const Invitation invitation = invited.empty() ? Invitation() : invited[0];
  RETURN_IF_ERROR(
      MayBeAllocated(in.rep(), session, unit.item, invitation.reply(), placed, settings));
  ASSIGN_OR_RETURN(auto placed_in, PlacedIn(write, in.rep(), MonthOf(session.date())));
  RETURN_IF_ERROR(WithinMonthlyCap(booking.most_hours, session, invitation, placed_in));
  Allocation allocation;
  allocation.set_rep(in.rep());
  allocation.set_session(session.name());
  if (unit.item) allocation.set_item(unit.item->name());
  allocation.set_state(Allocation::ALLOCATED);
  allocation.set_commitment(booking.commitment);
  ASSIGN_OR_RETURN(allocation, write.Create(std::move(allocation)));
  auto& event = write.Emit<events::RepAllocated>(allocation);
  event.set_session_date(session.date());
  ASSIGN_OR_RETURN(auto request, RequestOf(write, unit));
  for (const auto& party : PartiesOf(request)) event.add_parties(party);
  return allocation;
}

static StatusOr<Allocation> EndAllocation(Write& write, const v1::EndAllocationRequest& in) {
  ASSIGN_OR_RETURN(Allocation allocation, write.Get<Allocation>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(allocation.session()));
  RETURN_IF_ERROR(MustBeOpen(session));
  return EndPlace(write, std::move(allocation), in.reason());
}

void BindAllocations(Door& door) {
  const char service[] = "coproduction.scheduling.v1.Allocations";
  door.Bind(service, "AllocateRep", AskOthers, AllocateRep);
  door.Bind(service, "EndAllocation", EndAllocation);
}

}  // namespace hub::scheduling
