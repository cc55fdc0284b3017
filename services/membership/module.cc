#include "services/membership/module.h"

namespace hub::membership {

const std::vector<db::Migration>& Migrations();  // made from schema/
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
void BindRecusals(Door& door);
void BindGroups(Door& door);
void BindReach(Door& door);
void BindConsumers(Consumers& consumers);

Module MakeMembershipModule() {
  return {"membership",
          Migrations(),
          {BindForums, BindMembers, BindDuplicates, BindReps, BindDocuments, BindDeclarations,
           BindCharacteristics, BindPublications, BindSharing, BindRights, BindRecusals, BindGroups,
           BindReach},
          BindConsumers,
          /*makes_streams=*/true};
}

}  // namespace hub::membership
