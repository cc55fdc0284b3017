#include "services/scheduling/figures_rules.h"

#include "common/rpc/door.h"
#include "coproduction/scheduling/v1/settings.pb.h"

namespace hub::scheduling {

static StatusOr<v1::SchedulingFigures> GetSchedulingFigures(
    Read& read, const v1::GetSchedulingFiguresRequest& in) {
  ASSIGN_OR_RETURN(auto settings, read.Settings<v1::SchedulingSettings>());
  ASSIGN_OR_RETURN(auto sessions,
                   read.Select<v1::Session>("date >= $2 AND date <= $3", {in.from(), in.to()}));
  const std::string of_period =
      "session_id IN (SELECT id FROM sessions WHERE forum = $1 AND date >= $2 AND date <= $3)";
  ASSIGN_OR_RETURN(auto items, read.Select<v1::Item>(of_period, {in.from(), in.to()}));
  ASSIGN_OR_RETURN(auto requests,
                   read.Select<v1::EngagementRequest>(of_period + " AND submit_date IS NOT NULL",
                                                      {in.from(), in.to()}));
  return Figures(sessions, items, requests, settings.lead_days());
}

void BindFigures(Door& door) {
  door.Bind("coproduction.scheduling.v1.Sessions", "GetSchedulingFigures", GetSchedulingFigures);
}

}  // namespace hub::scheduling
