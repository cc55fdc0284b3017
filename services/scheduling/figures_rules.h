// What the evaluation takes from scheduling, counted from the records of a period.
#pragma once

#include <cstdint>
#include <vector>

#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

// `sessions`: all of the period, by date. `items`: those of these sessions. `requests`: the
// submitted ones that asked for one of these sessions. [seed: items by workstream, prep sessions;
// ours: shares of late requests, decided items, overruns, quorate sessions, stage claimed against
// felt]
v1::SchedulingFigures Figures(const std::vector<v1::Session>& sessions,
                              const std::vector<v1::Item>& items,
                              const std::vector<v1::EngagementRequest>& requests,
                              int64_t lead_days);

}  // namespace hub::scheduling
