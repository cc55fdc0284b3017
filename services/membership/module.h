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
void BindConsumers(Consumers& consumers);

const std::vector<db::Migration>& Migrations();  // schema/, embedded by the build

}  // namespace hub::membership
