#include "services/remuneration/module.h"

namespace hub::remuneration {

const std::vector<db::Migration>& Migrations();  // made from schema/
void BindFunds(Door& door);
void BindRates(Door& door);
void BindCommitments(Door& door);
void BindEntitlements(Door& door);
void BindClaims(Door& door);
void BindTransfers(Door& door);
void BindConsumers(Consumers& consumers);

Module MakeRemunerationModule() {
  return {"remuneration",
          Migrations(),
          {BindFunds, BindRates, BindCommitments, BindEntitlements, BindClaims, BindTransfers},
          BindConsumers};
}

}  // namespace hub::remuneration
