#include "services/membership/module.h"

namespace hub::membership {

Module MakeMembershipModule() {
  return {"membership",
          Migrations(),
          {BindForums, BindMembers, BindReps, BindDocuments, BindDeclarations, BindCharacteristics,
           BindSettings},
          BindConsumers};
}

}  // namespace hub::membership
