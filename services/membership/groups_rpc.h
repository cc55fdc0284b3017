// Who is in groups, for other handlers and timers.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "coproduction/membership/v1/duplicates.pb.h"
#include "coproduction/membership/v1/members.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// Who is kept of two who are one is in the groups of both from today, where their rules let in;
// that is parted again, and at last the accounts in outside systems are the kept one's.
Status MergeGroups(Write& write, const v1::Member& kept, const std::string& member,
                   v1::MergeRecord* merge);
Status PartGroups(Write& write, const v1::MergeRecord& merge, const v1::Member& member);
Status HandOverAccounts(Write& write, const std::string& kept, const std::string& member);
// The member of a group is one of the forum no more, or the data may not be used.
Status EndGroupMembership(Write& write, const std::string& resource);
// Who is not eligible any more leaves the group; once a day.
Status CheckGroup(Write& write, const std::string& resource);

}  // namespace hub::membership
