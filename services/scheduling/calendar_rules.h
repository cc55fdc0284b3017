// When the hub meets and when its requests are reviewed. Civil dates in, civil dates out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coproduction/scheduling/v1/settings.pb.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

// The first hub date after `after`. Counted by `interval_days` from `anchor`, the first hub
// session, never by week numbers; a date on a bank holiday is left out and the count goes on.
// [seed: fortnightly; ours: no bank holidays]
std::string NextHubDate(const std::string& anchor, int64_t interval_days, const std::string& after);

// The day on which the requests for a hub session are reviewed: `review_days` before it, on the
// working day before where that is a bank holiday. [seed: 'the alternate Fridays']
std::string ReviewDate(const std::string& hub_date, int64_t review_days);

// The first review from `today` on.
std::string NextReviewDate(const std::string& anchor, int64_t interval_days, int64_t review_days,
                           const std::string& today);

// Parent carers have less availability then [seed]. First and last day belong to the holiday.
bool InSchoolHoliday(const std::string& date, const std::vector<v1::SchoolHoliday>& holidays);

}  // namespace hub::scheduling
