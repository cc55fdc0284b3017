// What an attendance earns: once per rep and session of any series, by the hours of the session,
// not by item (which would eat most of the grant). [ours]
#pragma once

#include "common/base/status.h"
#include "coproduction/engagement/events/v1/attendances.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/remuneration/v1/entitlements.pb.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;

// What the attended session is worth. Refused where its length or its kind of activity is not
// known: such an event is set aside, never taken for nothing.
StatusOr<v1::Entitlement> Earned(
    const ::coproduction::engagement::events::v1::AttendanceRecorded& attendance);

// Who asked for the activity and what it is stand in the booking's promise, which was agreed first.
void Honour(const v1::Commitment& promise, v1::Entitlement* entitlement);

}  // namespace hub::remuneration
