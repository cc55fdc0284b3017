#include "services/scheduling/calendar_rules.h"

#include <algorithm>

#include "common/base/bank_holidays.h"
#include "common/base/date.h"

namespace hub::scheduling {

std::string NextHubDate(const std::string& anchor, int64_t interval_days,
                        const std::string& after) {
  int64_t passed = DaysBetween(anchor, after);
  int64_t count = passed < 0 ? 0 : passed / interval_days + 1;
  std::string date;
  do {
    date = AddDays(anchor, count++ * interval_days);
  } while (IsBankHoliday(date));
  return date;
}

std::string ReviewDate(const std::string& hub_date, int64_t review_days) {
  std::string date = AddDays(hub_date, -review_days);
  return IsBankHoliday(date) ? AddWorkingDays(date, -1) : date;
}

std::string NextReviewDate(const std::string& anchor, int64_t interval_days, int64_t review_days,
                           const std::string& today) {
  std::string hub_date = AddDays(today, -1);
  std::string review;
  do {
    hub_date = NextHubDate(anchor, interval_days, hub_date);
    review = ReviewDate(hub_date, review_days);
  } while (review < today);
  return review;
}

bool InSchoolHoliday(const std::string& date, const std::vector<v1::SchoolHoliday>& holidays) {
  return std::any_of(holidays.begin(), holidays.end(), [&](const v1::SchoolHoliday& holiday) {
    return holiday.first_date() <= date && date <= holiday.last_date();
  });
}

}  // namespace hub::scheduling
