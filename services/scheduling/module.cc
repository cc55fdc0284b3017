#include "services/scheduling/module.h"

namespace hub::scheduling {

const std::vector<db::Migration>& Migrations();  // made from schema/
void BindSessions(Door& door);
void BindRequests(Door& door);
void BindItems(Door& door);
void BindInvitations(Door& door);
void BindAllocations(Door& door);
void BindFigures(Door& door);
void BindSchoolHolidays(Door& door);
void BindConsumers(Consumers& consumers);

Module MakeSchedulingModule() {
  return {"scheduling",
          Migrations(),
          {BindSessions, BindRequests, BindItems, BindInvitations, BindAllocations, BindFigures,
           BindSchoolHolidays},
          BindConsumers};
}

}  // namespace hub::scheduling
