// Dates of membership. Pure rules.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/members.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// A member joined today or before, and can be reached in the way that was asked for.
Status CheckNewMember(const v1::Member& member, const std::string& today);
// The day from which a member no longer counts: not before joining, not in the future.
Status CheckLeaving(const v1::Member& member, const std::string& left_on, const std::string& today);
Status CheckRejoining(const v1::Member& member, const std::string& joined_on,
                      const std::string& today);

}  // namespace hub::membership
