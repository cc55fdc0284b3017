#include "common/base/bank_holidays.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/date.h"

namespace hub {
namespace {

// In order of date.
constexpr std::array<std::string_view, 59> kBankHolidays = {
    "2021-01-01", "2021-04-02", "2021-04-05", "2021-05-03", "2021-05-31", "2021-08-30",
    "2021-12-27", "2021-12-28",  // substitutes for Saturday and Sunday
    "2022-01-03", "2022-04-15", "2022-04-18", "2022-05-02", "2022-06-02",
    "2022-06-03",                // spring holiday moved, Platinum Jubilee
    "2022-08-29", "2022-09-19",  // State Funeral
    "2022-12-26", "2022-12-27", "2023-01-02", "2023-04-07", "2023-04-10", "2023-05-01",
    "2023-05-08",  // Coronation
    "2023-05-29", "2023-08-28", "2023-12-25", "2023-12-26", "2024-01-01", "2024-03-29",
    "2024-04-01", "2024-05-06", "2024-05-27", "2024-08-26", "2024-12-25", "2024-12-26",
    "2025-01-01", "2025-04-18", "2025-04-21", "2025-05-05", "2025-05-26", "2025-08-25",
    "2025-12-25", "2025-12-26", "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04",
    "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28", "2027-01-01", "2027-03-26",
    "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27", "2027-12-28"};

}  // namespace

bool IsBankHoliday(const std::string& date) {
  return std::binary_search(kBankHolidays.begin(), kBankHolidays.end(), std::string_view(date));
}

bool IsWorkingDay(const std::string& date) { return !IsWeekend(date) && !IsBankHoliday(date); }

std::string AddWorkingDays(const std::string& date, int64_t days) {
  const int64_t step = days < 0 ? -1 : 1;
  std::string day = date;
  while (days != 0) {
    day = AddDays(day, step);
    if (IsWorkingDay(day)) days -= step;
  }
  return day;
}

}  // namespace hub
