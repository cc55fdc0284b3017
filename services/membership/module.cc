#include "services/membership/module.h"

namespace hub::membership {

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
