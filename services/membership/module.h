// Membership: who the parent carers are, and who may represent them.
#pragma once

#include "common/daemon/module.h"
#include "coproduction/membership/v1/members.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

Module MakeMembershipModule();

void BindForums(Door& door);
void BindMembers(Door& door);
void BindDuplicates(Door& door);
void BindReps(Door& door);
void BindDocuments(Door& door);
void BindDeclarations(Door& door);
void BindCharacteristics(Door& door);
void BindPublications(Door& door);
void BindSharing(Door& door);
void BindRights(Door& door);
void BindGroups(Door& door);
void BindRecusals(Door& door);
void BindReach(Door& door);
void BindConsumers(Consumers& consumers);

// The day has come on which an entry of the sharing agreement holds no more.
Status TellSharingEnded(Write& write, const std::string& resource);
// A request for a right is due soon, or was due.
Status TellRightsDueSoon(Write& write, const std::string& resource);
Status TellRightsOverdue(Write& write, const std::string& resource);
// The last declaration of a rep lapses soon; the day has come on which a recusal holds no more.
Status TellDeclarationDue(Write& write, const std::string& resource);
Status TellRecusalEnded(Write& write, const std::string& resource);
// The member of a group is one of the forum no more, or the data may not be used.
Status EndGroupMembership(Write& write, const std::string& resource);
// Who is not eligible any more leaves the group; once a day.
Status CheckGroup(Write& write, const std::string& resource);

// From today an application waits for its token, or without one for its end alone. Returns the day
// on which it lapses.
StatusOr<std::string> AwaitConfirmation(Write& write, const std::string& member,
                                        const std::string& token_hash);
// Nobody confirmed an application in time.
Status LapseApplication(Write& write, const std::string& resource);
// A merge can be undone no longer.
Status MakeMergeFinal(Write& write, const std::string& resource);
// The kept one is erased: what was merged into it is due too.
Status HastenMerges(Write& write, const std::string& kept);
// Erases a member for a reason of the forum's own, under a request of its own, so that the proof is
// as of every erasure.
Status EraseMember(Write& write, v1::Member member, const std::string& why);

const std::vector<db::Migration>& Migrations();  // schema/, embedded by the build

}  // namespace hub::membership
