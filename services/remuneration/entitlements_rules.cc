#include "services/remuneration/entitlements_rules.h"

namespace hub::remuneration {

using Activity = ::coproduction::scheduling::v1::Activity;

StatusOr<v1::Entitlement> Earned(
    const ::coproduction::engagement::events::v1::AttendanceRecorded& attendance) {
  if (attendance.activity_kind() == Activity::KIND_UNSPECIFIED) {
    return InvalidField("activity_kind", attendance.attendance() +
                                             " is of no kind of activity, so no fund can pay it.");
  }
  if (attendance.session_minutes() <= 0) {
    return InvalidField("session_minutes", attendance.attendance() + " is of a session of " +
                                               std::to_string(attendance.session_minutes()) +
                                               " minutes, for which nothing can be earned.");
  }
  v1::Entitlement entitlement;
  entitlement.set_rep(attendance.rep());
  entitlement.set_session(attendance.session());
  entitlement.set_session_date(attendance.session_date());
  entitlement.set_activity_kind(attendance.activity_kind());
  entitlement.set_minutes(attendance.session_minutes());
  if (!attendance.partner().empty()) entitlement.set_partner(attendance.partner());
  return entitlement;
}

void Honour(const v1::Commitment& promise, v1::Entitlement* entitlement) {
  entitlement->set_commitment(promise.name());
  entitlement->set_activity_kind(promise.activity_kind());
  if (promise.partner().empty()) {
    entitlement->clear_partner();
  } else {
    entitlement->set_partner(promise.partner());
  }
}

}  // namespace hub::remuneration
