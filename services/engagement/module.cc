#include "services/engagement/module.h"

namespace hub::engagement {

const std::vector<db::Migration>& Migrations();  // made from schema/
void BindAttendances(Door& door);
void BindRecords(Door& door);
void BindInfluence(Door& door);
void BindFurtherInvolvements(Door& door);
void BindLiveFeedbacks(Door& door);
void BindEvaluations(Door& door);
void BindConsumers(Consumers& consumers);

Module MakeEngagementModule() {
  return {"engagement",
          Migrations(),
          {BindAttendances, BindRecords, BindInfluence, BindFurtherInvolvements, BindLiveFeedbacks,
           BindEvaluations},
          BindConsumers};
}

}  // namespace hub::engagement
