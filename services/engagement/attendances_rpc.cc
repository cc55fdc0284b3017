#include "common/rpc/door.h"
#include "coproduction/engagement/events/v1/attendances.pb.h"
#include "services/engagement/attendances_rules.h"

namespace hub::engagement {

namespace events = ::coproduction::engagement::events::v1;
namespace options = ::coproduction::options::v1;

// Scheduling's word on the unit: that it is there, took place, and whom it was allocated.
static StatusOr<Unit> AskUnit(Ask& ask, const v1::TakeAttendanceRequest& in) {
  RETURN_IF_ERROR(CheckUnitNamed(in));
  if (in.item().empty()) {
    scheduling::GetSessionFactsRequest about;
    about.set_name(in.session());
    ASSIGN_OR_RETURN(auto facts, ask.Call<scheduling::SessionFacts>(about));
    return UnitOf(facts);
  }
  scheduling::GetItemFactsRequest about;
  about.set_name(in.item());
  ASSIGN_OR_RETURN(auto facts, ask.Call<scheduling::ItemFacts>(about));
  return UnitOf(facts);
}

static Taker TakerOf(const Read& read) {
  const auto& caller = read.principal();
  return {caller.Has(options::CHAIR, read.forum()) || caller.Has(options::VICE_CHAIR, read.forum()),
          read.side() == options::PARTNER,
          "forums/" + read.forum() + "/partners/" + read.partner()};
}

static StatusOr<v1::Attendance> TakeAttendance(Write& write, const v1::TakeAttendanceRequest& in,
                                               const Unit& unit) {
  v1::Attendance attendance = NewAttendance(in, unit);
  *attendance.mutable_recorded_at() = ToTimestamp(write.now());
  ASSIGN_OR_RETURN(auto same_session,
                   write.Select<v1::Attendance>("session_id = $2 AND rep_id = $3",
                                                {IdOf(unit.session), IdOf(in.rep())}));
  RETURN_IF_ERROR(MayTake(attendance, unit, TakerOf(write), same_session));
  ASSIGN_OR_RETURN(attendance, write.Create(std::move(attendance)));
  if (attendance.capacity() == v1::Attendance::REP) {
    write.Emit<events::AttendanceRecorded>(attendance);
  }
  return attendance;
}

void BindAttendances(Door& door) {
  const char service[] = "coproduction.engagement.v1.Attendances";
  door.Bind(service, "TakeAttendance", AskUnit, TakeAttendance);
}

}  // namespace hub::engagement
