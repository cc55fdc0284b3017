#include "services/scheduling/calendar_rules.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "common/base/bank_holidays.h"
#include "common/base/date.h"

namespace hub::scheduling {
namespace {

constexpr char kAnchor[] = "2021-12-03";

TEST(HubDates, AreTheFridaysOfTheSeedWithoutTheJubilee) {
  std::vector<std::string> dates;
  for (std::string day = "2021-12-02"; dates.empty() || dates.back() < "2022-06-17";) {
    day = NextHubDate(kAnchor, 14, day);
    dates.push_back(day);
  }
  EXPECT_EQ(dates, (std::vector<std::string>{"2021-12-03", "2021-12-17", "2021-12-31", "2022-01-14",
                                             "2022-01-28", "2022-02-11", "2022-02-25", "2022-03-11",
                                             "2022-03-25", "2022-04-08", "2022-04-22", "2022-05-06",
                                             "2022-05-20", "2022-06-17"}));
}

TEST(HubDates, KeepTheFortnightFromTheAnchorAcrossAYearOf53Weeks) {
  EXPECT_EQ(NextHubDate(kAnchor, 14, "2026-12-20"), "2027-01-08");  // not 25 Dec: a bank holiday
  EXPECT_EQ(DaysBetween(kAnchor, "2027-01-08") % 14, 0);
  rc::check("a multiple of 14 days from the anchor, after the day, no bank holiday", [] {
    std::string after = AddDays(kAnchor, *rc::gen::inRange(-30, 2200));
    std::string date = NextHubDate(kAnchor, 14, after);
    RC_ASSERT(date > after);
    RC_ASSERT(DaysBetween(kAnchor, date) % 14 == 0);
    RC_ASSERT(!IsBankHoliday(date));
  });
}

TEST(ReviewDates, AreSevenDaysBeforeOrTheWorkingDayBeforeABankHoliday) {
  EXPECT_EQ(ReviewDate("2021-12-17", 7), "2021-12-10");
  EXPECT_EQ(ReviewDate("2022-04-22", 7), "2022-04-14");  // 15 Apr 2022 is Good Friday
  EXPECT_EQ(ReviewDate("2021-12-31", 7), "2021-12-24");  // not a bank holiday
}

TEST(ReviewDates, TheNextOneCountsFromTheDayOfSubmission) {
  EXPECT_EQ(NextReviewDate(kAnchor, 14, 7, "2021-12-04"), "2021-12-10");
  EXPECT_EQ(NextReviewDate(kAnchor, 14, 7, "2021-12-10"), "2021-12-10");  // that day still counts
  EXPECT_EQ(NextReviewDate(kAnchor, 14, 7, "2021-12-11"), "2021-12-24");
  EXPECT_EQ(NextReviewDate(kAnchor, 14, 7, "2022-04-15"), "2022-04-29");
  EXPECT_EQ(NextReviewDate(kAnchor, 14, 7, "2022-05-14"), "2022-06-10");  // 3 Jun is not generated
  EXPECT_EQ(NextReviewDate(kAnchor, 14, 7, "2021-08-01"), "2021-11-26");  // before the first
}

TEST(SchoolHolidays, IncludeFirstAndLastDay) {
  v1::SchoolHoliday easter;
  easter.set_first_date("2022-04-11");
  easter.set_last_date("2022-04-22");
  EXPECT_TRUE(InSchoolHoliday("2022-04-11", {easter}));
  EXPECT_TRUE(InSchoolHoliday("2022-04-22", {easter}));
  EXPECT_FALSE(InSchoolHoliday("2022-04-08", {easter}));
  EXPECT_FALSE(InSchoolHoliday("2022-04-22", {}));
}

TEST(WallClock, StaysElevenOverTheChangeOfTheClocks) {
  EXPECT_EQ(absl::FormatTime(absl::FromUnixMicros(LondonInstant("2022-03-25", "11:00")),
                             absl::UTCTimeZone()),
            "2022-03-25T11:00:00+00:00");
  EXPECT_EQ(absl::FormatTime(absl::FromUnixMicros(LondonInstant("2022-04-08", "11:00")),
                             absl::UTCTimeZone()),
            "2022-04-08T10:00:00+00:00");
}

}  // namespace
}  // namespace hub::scheduling
