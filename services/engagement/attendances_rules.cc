#include "services/engagement/attendances_rules.h"

namespace hub::engagement {

Unit UnitOf(const scheduling::ItemFacts& facts) {
  return {facts.item(),
          facts.session(),
          facts.partner(),
          facts.session_date(),
          facts.series(),
          facts.activity_kind(),
          facts.session_minutes(),
          facts.state() == scheduling::Item::PRESENTED,
          {facts.reps().begin(), facts.reps().end()}};
}

Unit UnitOf(const scheduling::SessionFacts& facts) {
  return {"",
          facts.session(),
          "",
          facts.date(),
          facts.series(),
          facts.activity_kind(),
          facts.minutes(),
          facts.state() == scheduling::Session::HELD,
          {facts.reps().begin(), facts.reps().end()}};
}

Status CheckUnitNamed(const v1::TakeAttendanceRequest& in) {
  for (const auto& [field, name] : {std::pair("rep", in.rep()), std::pair("item", in.item()),
                                    std::pair("session", in.session())}) {
    if (!name.empty() && name.rfind(in.parent() + "/", 0) != 0) {
      return InvalidField(
          field, std::string(field) + " is '" + name + "', which is not of " + in.parent());
    }
  }
  if (in.item().empty() && in.session().empty()) {
    return InvalidField("item",
                        "item and session are both empty; name the item, or the session "
                        "where it has no items (a prep session, a board)");
  }
  if (!in.item().empty() && !in.session().empty()) {
    return InvalidField("session", "item and session are both given; the item alone is enough");
  }
  return Status();
}

v1::Attendance NewAttendance(const v1::TakeAttendanceRequest& in, const Unit& unit) {
  v1::Attendance attendance;
  attendance.set_rep(in.rep());
  attendance.set_capacity(
      in.capacity() == v1::Attendance::CAPACITY_UNSPECIFIED ? v1::Attendance::REP : in.capacity());
  attendance.set_item(unit.item);
  attendance.set_session(unit.session);
  attendance.set_partner(unit.partner);
  attendance.set_session_date(unit.date);
  attendance.set_series(unit.series);
  attendance.set_activity_kind(unit.activity_kind);
  attendance.set_session_minutes(unit.session_minutes);
  attendance.set_came_anyway(in.came_anyway());
  return attendance;
}

Status MayTake(const v1::Attendance& attendance, const Unit& unit, const Taker& taker,
               const std::vector<v1::Attendance>& same_session) {
  const std::string& what = unit.item.empty() ? unit.session : unit.item;
  if (!unit.took_place) {
    return RuleRefused("not_held", what +
                                       (unit.item.empty() ? " is not held" : " is not presented") +
                                       ": attendance is taken once it took place");
  }
  if (unit.item.empty() && unit.series == scheduling::Session::HUB) {
    return RuleRefused("attended_by_items", what +
                                                " is a hub session: take attendance for each of "
                                                "its items, since an engagement is one rep in "
                                                "one item");
  }
  if (taker.partner && taker.of_partner != unit.partner) {
    return RuleRefused("partner_item", what +
                                           " is no item of your organisation; the forum's chair "
                                           "or vice chair takes its attendance");
  }
  if (attendance.came_anyway() && !taker.chair) {
    return RuleRefused("chairs_word",
                       "That a rep came without being allocated is for the chair or "
                       "vice chair to say; leave came_anyway out or ask one of them");
  }
  const bool rep = attendance.capacity() == v1::Attendance::REP;
  if (rep && !attendance.came_anyway() && unit.reps.count(attendance.rep()) == 0) {
    return RuleRefused("not_allocated", attendance.rep() + " is not allocated to " + what +
                                            "; if the rep came all the same, the chair says so "
                                            "with came_anyway");
  }
  for (const auto& other : same_session) {
    if (other.item() == attendance.item()) {
      return Refuse(errors::RESOURCE_EXISTS,
                    attendance.rep() + " is recorded at " + what + " already", other.name());
    }
    if (other.capacity() != attendance.capacity()) {
      return RuleRefused("chair_is_no_rep",
                         attendance.rep() + " is recorded as " +
                             (rep ? "chair of this session, and the chair is not counted as a rep"
                                  : "a rep of this session, so cannot be its chair"));
    }
  }
  return Status();
}

}  // namespace hub::engagement
