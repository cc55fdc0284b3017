// Membership: who the parent carers are, and who may represent them.
#pragma once

#include "common/daemon/module.h"

namespace hub::membership {

Module MakeMembershipModule();

void BindForums(Door& door);
void BindMembers(Door& door);
void BindReps(Door& door);
void BindDocuments(Door& door);
void BindDeclarations(Door& door);
void BindCharacteristics(Door& door);
void BindPublications(Door& door);
void BindSharing(Door& door);
void BindRights(Door& door);
void BindGroups(Door& door);
void BindReach(Door& door);
void BindConsumers(Consumers& consumers);

// The day has come on which an entry of the sharing agreement holds no more.
Status TellSharingEnded(Write& write, const std::string& resource);
// A request for a right is due soon, or was due.
Status TellRightsDueSoon(Write& write, const std::string& resource);
Status TellRightsOverdue(Write& write, const std::string& resource);
// The member of a group is one of the forum no more, or the data may not be used.
Status EndGroupMembership(Write& write, const std::string& resource);
// Who is not eligible any more leaves the group; once a day.
Status CheckGroup(Write& write, const std::string& resource);

const std::vector<db::Migration>& Migrations();  // schema/, embedded by the build

}  // namespace hub::membership
