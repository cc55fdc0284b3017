// Members as they are entered, and the dates of membership. Pure rules.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/settings.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// A member joined today or before, can be reached in the way that was asked for, lives where the
// area is or uses its services, and agreed to nothing of which nobody knows the wording.
Status CheckMember(const v1::Member& member, const v1::MembershipSettings& settings,
                   const std::string& today);
Status CheckWording(const v1::Consent& consent, const std::string& field);
// The day from which a member no longer counts: not before joining, not in the future.
Status CheckLeaving(const v1::Member& member, const std::string& left_on, const std::string& today);
Status CheckRejoining(const v1::Member& member, const std::string& joined_on,
                      const std::string& today);

}  // namespace hub::membership
