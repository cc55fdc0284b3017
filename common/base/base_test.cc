#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/letters.h"
#include "common/base/status.h"
#include "common/base/words.h"

namespace hub {
namespace {

TEST(Status, ReasonGivesTheCodeAndTravels) {
  Status status = InvalidField("title", "title is empty");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorInfoOf(status).metadata().at("field"), "title");
  EXPECT_EQ(ReasonOf(RuleRefused("late", "too late")), errors::RULE_REFUSED);
  EXPECT_EQ(ReasonOf(absl::UnknownError("x")), errors::INTERNAL_FAULT);
}

TEST(Words, AreTheNamesOfTheSchemaAsPeopleReadThem) {
  EXPECT_EQ(Words("MemberCharacteristics"), "member characteristics");
  EXPECT_EQ(Words("given_name"), "given name");
  EXPECT_EQ(Words("LIVES_HERE"), "lives here");
  EXPECT_EQ(Heading("WRITTEN_STATEMENT_OF_ACTION"), "Written statement of action");
  EXPECT_EQ(Heading(""), "");
}

TEST(Letters, AreComparedWithoutCaseAccentsAndSigns) {
  EXPECT_EQ(Folded("E-Mail "), "email");
  EXPECT_EQ(Folded("Siân O'Brien"), "sianobrien");
  EXPECT_EQ(Folded("ŁÓDŹ 7"), "łodz7") << "a stroke is no accent";
  EXPECT_EQ(Folded(" ,;"), "");
  EXPECT_EQ(Distance("surname", "surnaem", 2), 1u);
  EXPECT_EQ(Distance("jo", "joan", 2), 2u);
  EXPECT_EQ(Distance("jo", "alexander", 2), 3u) << "farther than anybody asked";
}

TEST(Date, OnlyRealDaysAreDates) {
  EXPECT_TRUE(IsDate("2024-02-29"));
  for (const char* bad : {"2023-02-29", "2023-2-9", "3/2/22", "", "2021-12-03T00:00"}) {
    EXPECT_FALSE(IsDate(bad)) << bad;
  }
  EXPECT_EQ(AddDays("2021-12-31", 14), "2022-01-14");
  EXPECT_EQ(DaysBetween("2021-12-03", "2022-02-01"), 60);
}

TEST(Date, InWords) { EXPECT_EQ(DateInWords("2022-07-01"), "1 July 2022"); }

TEST(Date, WallClockStaysOverTheChangeOfTheClocks) {
  EXPECT_EQ(LondonInstant("2022-03-25", "11:00"), 1648206000000000);  // 11:00Z
  EXPECT_EQ(LondonInstant("2022-04-08", "11:00"), 1649412000000000);  // 10:00Z
}

TEST(Id, VersionSevenIsOrderedAndUnique) {
  std::string last;
  for (int i = 0; i < 20000; ++i) {
    std::string id = NewId();
    ASSERT_LT(last, id);
    ASSERT_TRUE(IsUuid(id)) << id;
    last = id;
  }
}

TEST(Id, Base64UrlHasOneSpelling) {
  const std::string raw("\x00\xff hello", 8);
  std::string bytes;
  ASSERT_TRUE(FromBase64Url(Base64Url(raw), &bytes));
  EXPECT_EQ(bytes, raw);
  EXPECT_FALSE(FromBase64Url("aGk=", &bytes));
  EXPECT_FALSE(FromBase64Url("aGl", &bytes) && bytes == "hi");
}

TEST(Clock, ADemonstrationSetsTheDate) {
  Clock clock;
  EXPECT_NEAR(clock.Now(), MachineNow(), 1000000);
  clock.SetDate("2021-07-31");
  EXPECT_EQ(clock.Today(), "2021-07-31");
}

}  // namespace
}  // namespace hub
