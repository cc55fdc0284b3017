// Working days in England and Wales. The bank holidays are a dated snapshot of the official feed
// (gov.uk/bank-holidays.json, division england-and-wales), 2021 to 2027, taken on 24 Nov 2026: data
// and no rule, since one-off days are announced days before (19 Sep 2022). A year outside the
// snapshot has weekends only. [law: Banking and Financial Dealings Act 1971]
#pragma once

#include <cstdint>
#include <string>

namespace hub {

// `date` is a civil date (IsDate).
bool IsBankHoliday(const std::string& date);
bool IsWorkingDay(const std::string& date);  // neither a weekend day nor a bank holiday

// The n-th working day after `date`, which itself never counts; before it where `days` is negative;
// `date` where it is 0.
std::string AddWorkingDays(const std::string& date, int64_t days);

}  // namespace hub
