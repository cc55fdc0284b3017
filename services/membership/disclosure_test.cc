// Hold and round: the figures of the evaluation's slide as golden cases, and what must hold of all.
// That nobody is given away is attacked in tests/disclosure.
#include "services/membership/disclosure_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "services/membership/disclosure_attack.h"

namespace hub::membership {
namespace {

using ::testing::Optional;

constexpr Measure kMeasure = kForumMeasure;

Row First(int64_t base, const std::vector<int64_t>& counts) {
  auto row = NextRow(kMeasure, {}, "2021-07-31", {base, {base}}, counts);
  EXPECT_TRUE(row.has_value());
  return row.value_or(Row());
}

struct Told {
  int64_t low, high, printed;
};
void ExpectFigure(const Row& row, size_t category, const Told& told) {
  ASSERT_LT(category, row.figures.size());
  const Figure& figure = row.figures[category];
  EXPECT_EQ(figure.interval.low, told.low);
  EXPECT_EQ(figure.interval.high, told.high);
  EXPECT_EQ(figure.printed, told.printed);
}

// Disabled, lone parent, free school meals, in per cent: 21, 15 and 21 of 130, then 24, 20 and 25
// of 254. Source: joint evaluation, slide on characteristics.
TEST(Disclosure, TheSlidesShares) {
  const Row before = First(130, {27, 19, 27});
  ExpectFigure(before, 0, {23, 27, 25});
  ExpectFigure(before, 1, {18, 22, 20});
  EXPECT_EQ(PrintedPercent(kMeasure, 25, 130), "19%");
  EXPECT_EQ(PrintedPercent(kMeasure, 20, 130), "15%");

  for (int64_t unlike = 0; unlike < 3; ++unlike) {  // every count that the slide allows
    auto now = NextRow(kMeasure, {before}, "2022-06-14", {124, {124, 130}},
                       {60 + unlike, 50 + unlike, 63 + std::min<int64_t>(unlike, 1)});
    ASSERT_TRUE(now.has_value());
    EXPECT_EQ(now->figures[0].ceiling, 147);
    EXPECT_EQ(now->figures[0].floor, 27);
    ExpectFigure(*now, 0, {58, 62, 60});
    EXPECT_EQ(now->figures[1].ceiling, 142);
    EXPECT_EQ(now->figures[1].floor, 22);
    ExpectFigure(*now, 1, {48, 52, 50});
    ExpectFigure(*now, 2, {63, 67, 65});
  }
  EXPECT_EQ(PrintedPercent(kMeasure, 60, 255), "24%");
  EXPECT_EQ(PrintedPercent(kMeasure, 50, 255), "20%");
  EXPECT_EQ(PrintedPercent(kMeasure, 65, 255), "25%");
}

TEST(Disclosure, TheSlidesSmallGroups) {
  for (const auto& [count, printed] : std::map<int64_t, int64_t>{{22, 20}, {23, 25}, {24, 25}}) {
    EXPECT_EQ(First(254, {count}).figures[0].printed, printed);
  }
  EXPECT_EQ(PrintedPercent(kMeasure, 20, 255), "8%");
  EXPECT_EQ(PrintedPercent(kMeasure, 25, 255), "10%");
  // 4.3% of 140 are 6 men: neither they nor their share are printed.
  const Row gender = First(140, {6});
  ExpectFigure(gender, 0, {0, 7, 0});
  EXPECT_EQ(PrintedText(kMeasure, gender.figures[0].printed), "fewer than 8");
  EXPECT_EQ(PrintedPercent(kMeasure, 0, 140), "");
  EXPECT_THAT(RestOverPercent(kMeasure, 140, 1), Optional(90));
  EXPECT_EQ(PrintedText(kMeasure, 10), "10");
}

// From 60 [58, 62] on.
TEST(Disclosure, AFigureIsHeldWhereMovingItCouldMeanOneThingOnly) {
  Row before = First(254, {60});
  auto next = [&](int64_t joined, int64_t left, int64_t yes) {
    return NextRow(kMeasure, {before}, "2022-09-14", {joined + left, {joined, 254 - left}}, {yes});
  };
  auto told = next(12, 0, 60);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->figures[0].ceiling, 70);
  EXPECT_EQ(told->figures[0].floor, 62);
  ExpectFigure(*told, 0, {0, 62, 60});
  ExpectFigure(*next(12, 0, 66), 0, {63, 67, 65});
  ExpectFigure(*next(12, 0, 72), 0, {68, 266, 70});
  told = next(12, 2, 60);
  EXPECT_EQ(told->figures[0].ceiling, 70);
  EXPECT_EQ(told->figures[0].floor, 60);
  told = next(3, 8, 58);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->figures[0].ceiling, 61);
  EXPECT_EQ(told->figures[0].floor, 54);
  ExpectFigure(*told, 0, {58, 249, 60});
  ExpectFigure(*next(3, 8, 50), 0, {0, 57, 55});
  EXPECT_EQ(next(6, 1, 62), std::nullopt) << "7 people are fewer than 10";
  ASSERT_TRUE(told.has_value());
}

TEST(Disclosure, NothingIsPrintedOfFewerThanThirty) {
  EXPECT_EQ(NextRow(kMeasure, {}, "2022-07-01", {29, {29}}, {15}), std::nullopt);
  EXPECT_TRUE(NextRow(kMeasure, {}, "2022-07-01", {30, {30}}, {15}).has_value());
  EXPECT_EQ(PrintedPercent(kMeasure, 50, 95), "");
  EXPECT_EQ(RestOverPercent(kMeasure, 95, 1), std::nullopt);
}

TEST(Disclosure, TheCalendarHasFourDays) {
  for (const char* date : {"2022-01-01", "2022-04-01", "2022-07-01", "2022-10-01"}) {
    EXPECT_TRUE(OnCalendar(date));
  }
  for (const char* date : {"2022-02-01", "2022-04-02", "2022-11-01", "2022-1-01", ""}) {
    EXPECT_FALSE(OnCalendar(date));
  }
}

// Rows whose people came and went at random, and whose answers are drawn apart from that.
struct Story {
  std::vector<Turnout> turnouts;
  std::vector<int64_t> counts;
};
Story AStory() {
  Story story;
  std::vector<int64_t> since = {*rc::gen::inRange<int64_t>(30, 400)};
  for (int rows = *rc::gen::inRange(1, 12); rows > 0; --rows) {
    Turnout turnout{since[0], since};
    for (size_t s = 1; s < since.size(); ++s) {
      const int64_t leave = std::min(since[s], *rc::gen::inRange<int64_t>(0, 8));
      turnout.since[s] -= leave;
      turnout.moved += leave;
    }
    if (turnout.count() < kMeasure.min_base || turnout.moved < kMeasure.movement) break;
    story.turnouts.push_back(turnout);
    story.counts.push_back(*rc::gen::inRange<int64_t>(0, turnout.count() + 1));
    since = turnout.since;
    since.insert(since.begin() + 1, 0);
    std::rotate(since.begin() + 1, since.begin() + 2, since.end());
    since.back() = since[0];
    since[0] = *rc::gen::inRange<int64_t>(0, 40);
  }
  return story;
}

RC_GTEST_PROP(Disclosure, AFigureTellsItsIntervalAndNothingElse, ()) {
  const Story story = AStory();
  std::vector<Row> rows;
  for (size_t t = 0; t < story.turnouts.size(); ++t) {
    const Turnout& turnout = story.turnouts[t];
    auto row = NextRow(kMeasure, rows, "2022-07-01", turnout, {story.counts[t]});
    RC_ASSERT(row.has_value());
    const Figure& figure = row->figures[0];
    RC_ASSERT(figure.interval.low <= story.counts[t] && story.counts[t] <= figure.interval.high);
    RC_ASSERT(figure.printed == 0 || (figure.printed >= 10 && figure.printed % 5 == 0));
    // Whoever has one of the counts that it allows gets the same row: it was settled before.
    const int64_t other = *rc::gen::inRange<int64_t>(figure.interval.low, figure.interval.high + 1);
    auto same = NextRow(kMeasure, rows, "2022-07-01", turnout, {other});
    RC_ASSERT(same->figures[0].printed == figure.printed);
    RC_ASSERT(same->figures[0].interval.low == figure.interval.low);
    RC_ASSERT(same->figures[0].interval.high == figure.interval.high);
    // And whatever they answered, the bounds are the same.
    const int64_t any = *rc::gen::inRange<int64_t>(0, turnout.count() + 1);
    auto unlike = NextRow(kMeasure, rows, "2022-07-01", turnout, {any});
    RC_ASSERT(unlike->figures[0].floor == figure.floor);
    RC_ASSERT(unlike->figures[0].ceiling == figure.ceiling);
    rows.push_back(std::move(*row));
  }
}

RC_GTEST_PROP(Disclosure, CountsOfWholeCountriesFit, ()) {
  const int64_t count = *rc::gen::inRange<int64_t>(30, 2'000'000);
  const int64_t yes = *rc::gen::inRange<int64_t>(0, count + 1);
  const auto row = NextRow(kMeasure, {}, "2022-07-01", {count, {count}}, {yes});
  RC_ASSERT(row.has_value());
  const int64_t printed = row->figures[0].printed;
  const bool outermost = row->figures[0].interval.high == count;
  if (printed == 0) {
    RC_ASSERT(yes <= 7);
  } else {
    RC_ASSERT(outermost || std::abs(printed - yes) <= 2);
  }
}

// Whole countries, for a thousand years.
TEST(Disclosure, NothingOverflows) {
  constexpr int64_t kPeople = 2'000'000;
  constexpr size_t kRows = 4000;
  std::vector<Row> rows;
  Turnout turnout{kPeople, {kPeople}};
  for (size_t t = 0; t < kRows; ++t) {
    const int64_t yes = t % 2 == 0 ? 0 : kPeople;
    auto row = NextRow(kMeasure, rows, "2022-07-01", turnout, {yes, kPeople - yes});
    ASSERT_TRUE(row.has_value());
    for (size_t figure = 0; figure < 2; ++figure) {
      const int64_t count = figure == 0 ? yes : kPeople - yes;
      ASSERT_LE(row->figures[figure].interval.low, count);
      ASSERT_GE(row->figures[figure].interval.high, count);
      ASSERT_LE(row->figures[figure].printed, kPeople + 2);
    }
    row->since.clear();
    rows.push_back(std::move(*row));
    // All go, and as many come.
    turnout.since.assign(rows.size() + 1, 0);
    turnout.since[0] = kPeople;
    turnout.moved = 2 * kPeople;
  }
}

// A printed percentage is of printed numbers alone.
RC_GTEST_PROP(Disclosure, PercentagesAreOfPrintedNumbers, ()) {
  const int64_t count = *rc::gen::inRange<int64_t>(30, 100000);
  const int64_t yes = *rc::gen::inRange<int64_t>(0, count + 1);
  for (const Measure& measure : {kForumMeasure, kNationalMeasure}) {
    const auto row = NextRow(measure, {}, "2022-07-01", {count, {count}}, {yes});
    if (!row) continue;
    const int64_t printed = row->figures[0].printed, base = PrintedBase(measure, row->count);
    RC_ASSERT(base % measure.step == 0 && std::abs(base - count) <= measure.step / 2);
    const std::string percent = PrintedPercent(measure, printed, base);
    RC_ASSERT(percent.empty() == (printed == 0 || base < measure.percent_base));
    RC_ASSERT((percent.find('.') != std::string::npos) ==
              (!percent.empty() && base >= measure.tenths_base));
  }
}

// The attack itself: it finds what is there to be found, and no more.
TEST(DisclosureAttack, OneWhoJoinedAloneIsPinnedByExactCounts) {
  const std::vector<Group> groups = {{0, 2, 40, 12}, {1, 2, 1, 1}};
  const Pinned exact = Attack({{12, 12}, {13, 13}}, groups, 3, 7);
  EXPECT_EQ(exact.people, 1);
  // Rounding alone does not help: from 10 to 15 by one who joined.
  EXPECT_EQ(Attack({{8, 12}, {13, 17}}, groups, 3, 7).people, 1);
  EXPECT_EQ(Attack({{8, 12}, {0, 17}}, groups, 3, 7).people, 0);
}

TEST(DisclosureAttack, ASmallCountThatCanBeNothingElseIsFound) {
  EXPECT_EQ(Attack({{6, 6}}, {{0, 1, 140, 6}}, 3, 7).counts, 1);
  EXPECT_EQ(Attack({{0, 7}}, {{0, 1, 140, 6}}, 3, 7).counts, 0);
}

TEST(DisclosureAttack, FriendsWhoAreAllThatSaidYesPinTheRest) {
  const std::vector<Group> groups = {{0, 1, 40, 3}};
  EXPECT_EQ(Attack({{0, 3}}, groups, 2, 7).with_friends, 0);
  EXPECT_EQ(Attack({{0, 3}}, groups, 3, 7).with_friends, 37);
  EXPECT_EQ(Attack({{0, 7}}, groups, 3, 7).with_friends, 0);
}

}  // namespace
}  // namespace hub::membership
