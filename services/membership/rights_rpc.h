// Erasures and the clocks of rights, for other handlers and timers.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "coproduction/membership/v1/members.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// Erases a member for a reason of the forum's own, under a request of its own, so that the proof is
// as of every erasure.
Status EraseMember(Write& write, v1::Member member, const std::string& why);
// Who left was kept for as long as the forum keeps such data.
Status EndRetention(Write& write, const std::string& resource);
// Whether the member asked for something over the own data that is not done.
StatusOr<bool> HasOpenRight(Read& read, const std::string& member);
// A request for a right is due soon, or was due.
Status TellRightsDueSoon(Write& write, const std::string& resource);
Status TellRightsOverdue(Write& write, const std::string& resource);

}  // namespace hub::membership
