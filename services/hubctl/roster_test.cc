// Sheets of outside systems, and the page of reach.
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/hubctl/reach.h"
#include "services/hubctl/roster.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Written(const std::string& name, const std::string& text) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/", getpid(), "-", name);
  std::ofstream(path) << text;
  return path;
}

TEST(Roster, ReadsWhatASystemExports) {
  const auto rows =
      RosterRowsOf(Written("slack.csv",
                           "username,email,status,fullname\nU1,jo@example.org,Member,Jo Example\n"
                           "U2,,Member,\n"));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].outside_key(), "U1");
  EXPECT_EQ((*rows)[0].email(), "jo@example.org");
  EXPECT_EQ((*rows)[0].display_name(), "Jo Example");
  EXPECT_EQ((*rows)[1].outside_key(), "U2");
  const auto none = RosterRowsOf(Written("names.csv", "Name,Shoe size\nJo,39\n"));
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("neither a column"));
}

TEST(Roster, SaysWhatIsToBeDone) {
  v1::RosterCheck check;
  check.add_to_add()->set_member("forums/w/members/m1");
  check.add_unknown()->mutable_row()->set_outside_key("U7");
  check.mutable_unknown(0)->set_reason("no member has this e-mail address");
  EXPECT_THAT(
      LinesOf(check),
      ElementsAre(ElementsAre("Do", "Member", "Account", "Name", "E-mail", "Why"),
                  ElementsAre("add", "m1", "", "", "", ""),
                  ElementsAre("look at", "", "U7", "", "", "no member has this e-mail address")));
}

v1::ReachSeries Followers() {
  v1::ReachSeries series;
  series.set_display_name("Followers <on> Facebook");
  series.set_source("Facebook");
  series.set_unit("followers");
  int number = 0;
  auto add = [&](const std::string& date, int64_t value, int corrects) {
    auto* figure = series.add_figures();
    figure->set_number(++number);
    figure->set_date(date);
    figure->set_value(value);
    figure->set_corrects(corrects);
  };
  add("2022-06-13", 1823, 0);
  add("2021-12-13", 1000, 0);
  add("2022-06-13", 1283, 1);
  return series;
}

TEST(Reach, WhatWasCorrectedIsInNoFigure) {
  const auto figures = Standing(Followers());
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[0].value(), 1000);
  EXPECT_EQ(figures[1].value(), 1283);
}

TEST(Reach, APageHasTheChartItsDescriptionAndTheSameNumbersAsATable) {
  const std::string page =
      ReachPage({Followers()}, {{"2022-06-13", 254}}, "forums/warwickshire", "2022-06-14");
  EXPECT_THAT(page, HasSubstr("13 June 2022: 1283 followers (Facebook)."));
  EXPECT_THAT(page, HasSubstr("Followers &lt;on&gt; Facebook"));
  EXPECT_THAT(page, HasSubstr("<svg role=\"img\""));
  EXPECT_THAT(page, HasSubstr("13 December 2021: 1000. 13 June 2022: 1283. </desc>"));
  EXPECT_THAT(page, HasSubstr("<td>+283 (+28.3%)</td><td>505.1% of 254</td>"));
  EXPECT_THAT(page, HasSubstr("Figures corrected since: 1."));
  EXPECT_THAT(page, Not(HasSubstr("1823")));
}

}  // namespace
}  // namespace hub::ctl
