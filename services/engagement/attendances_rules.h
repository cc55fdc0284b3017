// Who counts as having attended what. A unit is an item that was presented, or a session as a whole
// that was held and is not taken by items. One rep counts once per unit; the chair of a session is
// not counted as a rep. [seed]
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/engagement/v1/attendances.pb.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;
namespace scheduling = ::coproduction::scheduling::v1;

// What scheduling says of a unit.
struct Unit {
  std::string item;  // empty: the session as a whole
  std::string session;
  std::string partner;
  std::string date;
  scheduling::Session::Series series = scheduling::Session::SERIES_UNSPECIFIED;
  scheduling::Activity::Kind activity_kind = scheduling::Activity::KIND_UNSPECIFIED;
  int32_t session_minutes = 0;
  bool took_place = false;     // presented or held
  std::set<std::string> reps;  // allocated to the unit
};

Unit UnitOf(const scheduling::ItemFacts& facts);
Unit UnitOf(const scheduling::SessionFacts& facts);

// Who takes the attendance.
struct Taker {
  bool chair = false;    // the forum's chair or vice chair
  bool partner = false;  // a partner's officer, of the partner named here
  std::string of_partner;
};

// Exactly one of item and session names the unit, and every name is of the forum asked.
Status CheckUnitNamed(const v1::TakeAttendanceRequest& in);

// The record that would be stored.
v1::Attendance NewAttendance(const v1::TakeAttendanceRequest& in, const Unit& unit);

// `same_session` are this person's attendances of the session so far.
//   RESOURCE_EXISTS    it is recorded already
//   not_held           the unit was not held or presented
//   attended_by_items  a hub session is taken item by item
//   partner_item       a partner takes attendance at its own items only
//   not_allocated      a rep who is not allocated needs came_anyway
//   chairs_word        came_anyway takes the chair's or vice chair's word
//   chair_is_no_rep    one person is not both chair and rep of a session
Status MayTake(const v1::Attendance& attendance, const Unit& unit, const Taker& taker,
               const std::vector<v1::Attendance>& same_session);

}  // namespace hub::engagement
