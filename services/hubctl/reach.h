// 'reach show': series of outside figures with their growth, beside how many members there were.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/reach.pb.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// The figures that stand, oldest first: what another corrects is left out.
std::vector<coproduction::membership::v1::ReachFigure> Standing(
    const coproduction::membership::v1::ReachSeries& series);

// For each series the last figure in words, a chart with its description, and the same numbers as a
// table: growth since the figure before, and of how many per cent of the members on that date
// (`members`, by date; dates that are not in it have none).
std::string ReachPage(const std::vector<coproduction::membership::v1::ReachSeries>& all,
                      const std::map<std::string, int64_t>& members, const std::string& forum,
                      const std::string& today);

// As a table of the last figure of each series, as JSON of all, or into `page` as HTML.
Status ShowReach(const std::string& page, const Options& options);

}  // namespace hub::ctl
