// What the player makes of the sheets before it speaks to a hub.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "services/hubctl/demo_turn.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kSheets = fs::path(HUB_SOURCE) / "tests/data/warwickshire-2021-22";

// The sheets with one of them changed.
class SheetsOfTheDemo : public ::testing::Test {
 protected:
  SheetsOfTheDemo() : folder_(fs::path(::testing::TempDir()) / "hubctl_demo_test") {
    fs::remove_all(folder_);
    fs::copy(kSheets, folder_);
  }
  ~SheetsOfTheDemo() override { fs::remove_all(folder_); }

  void Replace(const std::string& file, const std::string& old, const std::string& text) {
    std::ifstream in(folder_ / file);
    std::string content((std::istreambuf_iterator<char>(in)), {});
    const size_t at = content.find(old);
    ASSERT_NE(at, std::string::npos);
    std::ofstream(folder_ / file) << content.replace(at, old.size(), text);
  }
  // What is complained of; empty where the sheets can be played.
  std::string Complaints() {
    ::testing::internal::CaptureStderr();
    const auto book = Book::Open(folder_.string());
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(book.ok(), told.empty());
    return told;
  }

  const fs::path folder_;
};

TEST_F(SheetsOfTheDemo, AsTheyStandArePlayed) { EXPECT_EQ(Complaints(), ""); }

TEST_F(SheetsOfTheDemo, WithAMistakeAreNamedByFileLineAndColumn) {
  Replace("items.csv", "I05,RQ05,S02", "I05,RQ05,S99");
  EXPECT_THAT(Complaints(), HasSubstr("items.csv:6: column 'Session': 'S99' is no key"));
  Replace("rates.csv", "Key,Kind", "Key,Sort");
  EXPECT_THAT(Complaints(), HasSubstr("rates.csv:1: column 'Kind': is missing"));
  fs::remove(folder_ / "code-of-conduct.txt");
  EXPECT_THAT(MessageOf(Book::Open(folder_.string()).status()), HasSubstr("code-of-conduct.txt"));
  fs::copy(kSheets / "code-of-conduct.txt", folder_);
  Replace("invitations.csv", "S01,R02,", "S01,R01,");
  EXPECT_THAT(Complaints(), HasSubstr("invitations.csv:3: 'S01|R01' stands there twice"));
}

TEST(Cells, AreReadAsTheyAreWritten) {
  EXPECT_EQ(DayOf("03/12/2021"), "2021-12-03");
  EXPECT_EQ(DayOf("3 December"), "");
  EXPECT_EQ(DigitsOf("17500.00"), 1750000);
  EXPECT_EQ(DigitsOf("6.2"), 62);
  EXPECT_EQ(DigitsOf("six"), 0);
  EXPECT_EQ(ListOf("O02; O01"), (std::vector<std::string>{"O02", "O01"}));
}

TEST(WhoSpeaks, FollowsFromTheSheets) {
  const auto book = Book::Open(kSheets.string());
  ASSERT_TRUE(book.ok());
  EXPECT_EQ(HolderOf(**book, "CHAIR"), "chair:M001");
  EXPECT_EQ(OfficerOf(**book, kCouncil, "PARTICIPATION_LEAD"), "participation_lead:O02");
  EXPECT_EQ(OfficerOf(**book, kHealthBody, "FACILITATOR"), "health_facilitator:O18");
  EXPECT_EQ(WordOf("REQUESTOR", kHealthBody), "health_requestor");
}

Status Nothing(Turn&) { return Status(); }

TEST(APlan, GoesByDayThenByStepThenAsItWasMade) {
  const auto book = Book::Open(kSheets.string());
  ASSERT_TRUE(book.ok());
  const Row& session = (*book)->row("sessions", "S01");
  Plan plan(**book, "2021-11-20");
  plan.On(session, "Date", Step::kHeld, Nothing);
  plan.On(session, "Agenda agreed by partner", Step::kAgendas, Nothing);
  plan.On(session, "Agenda agreed by forum", Step::kAgendas, Nothing);
  plan.On(session, "Cancelled on", Step::kSessions, Nothing);  // never
  plan.On(session, "Planned on", Step::kSessions, Nothing);    // before the first day
  const auto acts = plan.InOrder();
  ASSERT_TRUE(acts.ok());
  std::vector<std::string> order;
  for (const Plan::Act& act : *acts) order.push_back(act.day + " " + act.column);
  EXPECT_EQ(order, (std::vector<std::string>{
                       "2021-11-20 Planned on", "2021-11-29 Agenda agreed by partner",
                       "2021-11-29 Agenda agreed by forum", "2021-12-03 Date"}));
}

TEST(APlan, OfTheSheetsIsInOrder) {
  const auto book = Book::Open(kSheets.string());
  ASSERT_TRUE(book.ok());
  Plan plan(**book, "2021-07-31");
  for (auto* part :
       {PlanMembership, PlanSessions, PlanRequests, PlanRecords, PlanLiveFeedback, PlanMoney}) {
    part(&plan);
  }
  const auto acts = plan.InOrder();
  ASSERT_TRUE(acts.ok());
  EXPECT_EQ(acts->front().day, "2021-07-31");
  EXPECT_GT(acts->back().day, "2022-06-01");
}

}  // namespace
}  // namespace hub::ctl
