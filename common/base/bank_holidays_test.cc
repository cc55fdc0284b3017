#include "common/base/bank_holidays.h"

#include <gtest/gtest.h>

#include "common/base/date.h"

namespace hub {
namespace {

TEST(BankHolidays, KnowsSubstitutesMovedAndOneOffDays) {
  for (const char* day : {"2021-12-27", "2021-12-28", "2022-01-03", "2022-04-15", "2022-06-02",
                          "2022-06-03", "2022-09-19", "2023-05-08", "2026-12-28", "2027-12-28"}) {
    EXPECT_TRUE(IsBankHoliday(day)) << day;
    EXPECT_FALSE(IsWorkingDay(day)) << day;
    EXPECT_FALSE(IsWeekend(day)) << day << " would never be asked for";
  }
  for (const char* day : {"2022-05-30", "2021-12-31", "2022-01-04", "2020-12-25", "2028-12-25"}) {
    EXPECT_FALSE(IsBankHoliday(day)) << day;  // moved away, ordinary, outside the snapshot
  }
}

TEST(BankHolidays, EveryYearOfTheSnapshotHasEightAndItsOneOffs) {
  for (int year = 2021; year <= 2027; ++year) {
    int found = 0;
    const std::string last = std::to_string(year) + "-12-31";
    for (std::string day = std::to_string(year) + "-01-01"; day <= last; day = AddDays(day, 1)) {
      found += IsBankHoliday(day);
    }
    EXPECT_EQ(found, year == 2022 ? 10 : year == 2023 ? 9 : 8) << year;
  }
}

TEST(WorkingDays, CountFromTheDayAfterAndSkipWhatIsNone) {
  EXPECT_EQ(AddWorkingDays("2021-12-03", 5), "2021-12-10");
  EXPECT_EQ(AddWorkingDays("2021-12-17", 10), "2022-01-05");  // Christmas, Boxing Day, New Year
  EXPECT_EQ(AddWorkingDays("2022-04-08", 5), "2022-04-19");   // over Good Friday, Easter Monday
  EXPECT_EQ(AddWorkingDays("2022-04-15", 0), "2022-04-15");
  EXPECT_EQ(AddWorkingDays("2022-04-15", -1), "2022-04-14");  // the review day before Good Friday
  EXPECT_EQ(AddWorkingDays("2022-04-16", 1), "2022-04-19");
}

}  // namespace
}  // namespace hub
