#include "services/engagement/evaluations_rules.h"

#include <gtest/gtest.h>

#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "services/engagement/mini_engagement.h"

namespace hub::engagement {
namespace {

using testing::Refused;

using Feedback = v1::InfluenceFeedback;

v1::InfluenceAccount Account(const std::string& id, const std::string& date,
                             const std::string& due) {
  v1::InfluenceAccount account;
  account.set_name(id);
  account.set_session_date(date);
  account.set_first_due_on(due);
  account.set_due_on("2099-01-01");  // as it is today, which an old period does not ask
  return account;
}

Feedback Given(const std::string& account, Feedback::Answer answer, const std::string& on,
               const std::string& due = "2022-02-01") {
  Feedback feedback;
  feedback.set_influence_account(account);
  feedback.set_answer(answer);
  feedback.set_given_on(on);
  feedback.set_due_on(due);
  return feedback;
}

TEST(Ledger, CountsEachAccountByItsLatestAnswer) {
  const std::vector<v1::InfluenceAccount> accounts = {
      Account("a", "2021-12-03", "2022-02-01"), Account("b", "2021-12-03", "2022-02-01"),
      Account("c", "2021-12-03", "2022-02-01"), Account("d", "2021-12-03", "2022-02-01"),
      Account("e", "2021-12-03", "2022-02-01"), Account("f", "2022-06-03", "2022-08-02")};
  auto ledger = Ledger(accounts,
                       {Given("a", Feedback::CHANGED, "2021-12-13"),  // 10 days
                        Given("b", Feedback::PARTLY, "2021-12-23"),   // 20 days
                        Given("c", Feedback::NOT_YET, "2022-01-03", "2022-05-01"),
                        Given("c", Feedback::NOT_CHANGED, "2022-03-03"),  // 90 days
                        Given("d", Feedback::NOT_YET, "2022-01-03", "2022-07-01")},
                       "2022-06-14");
  EXPECT_EQ(ledger.owed(), 6);
  EXPECT_EQ(ledger.changed(), 1);
  EXPECT_EQ(ledger.partly(), 1);
  EXPECT_EQ(ledger.not_changed(), 1);
  EXPECT_EQ(ledger.unanswered(), 3);
  EXPECT_EQ(ledger.not_yet(), 1);
  EXPECT_EQ(ledger.overdue(), 1);  // e; d is postponed beyond, f is not due
  EXPECT_EQ(ledger.median_days(), 20);
}

TEST(Ledger, AnOldPeriodGivesTheSameFiguresAgain) {
  const std::vector<v1::InfluenceAccount> accounts = {Account("a", "2021-12-03", "2022-02-01")};
  const std::vector<Feedback> feedbacks = {
      Given("a", Feedback::NOT_YET, "2022-03-01", "2022-04-01"),
      Given("a", Feedback::CHANGED, "2022-05-01")};
  EXPECT_EQ(Ledger(accounts, feedbacks, "2022-02-01").overdue(), 0);
  EXPECT_EQ(Ledger(accounts, feedbacks, "2022-02-02").overdue(), 1);  // before it was postponed
  EXPECT_EQ(Ledger(accounts, feedbacks, "2022-03-15").overdue(), 0);
  EXPECT_EQ(Ledger(accounts, feedbacks, "2022-04-15").overdue(), 1);
  EXPECT_EQ(Ledger(accounts, feedbacks, "2022-06-14").overdue(), 0);
  EXPECT_EQ(Ledger(accounts, feedbacks, "2022-06-14").changed(), 1);
}

TEST(MedianDays, IsAWholeNumber) {
  EXPECT_EQ(MedianDays({}), 0);
  EXPECT_EQ(MedianDays({7}), 7);
  EXPECT_EQ(MedianDays({40, 10, 20}), 20);
  EXPECT_EQ(MedianDays({10, 13}), 12);  // 11.5
  EXPECT_EQ(MedianDays({10, 12, 40, 2}), 11);
}

TEST(RecordDelays, AreSharesOfThePeriodsRecords) {
  std::vector<v1::Record> records(3);
  for (auto& record : records) {
    record.set_draft_due_on("2021-12-10");
    record.set_share_due_on("2021-12-17");
    record.set_proposed_on("2021-12-10");
  }
  records[0].set_proposed_on("2021-12-13");
  records[1].set_shared_on("2021-12-17");
  EXPECT_EQ(DraftsLate(records, "2022-06-14").count(), 1);
  EXPECT_EQ(SharesLate(records, "2022-06-14").count(), 2);
  EXPECT_EQ(SharesLate(records, "2021-12-17").count(), 0);
  EXPECT_EQ(SharesLate(records, "2022-06-14").of(), 3);
}

TEST(Evaluation, AsksForAPeriodThatRunsForward) {
  v1::GetEvaluationRequest in;
  in.set_from("2021-12-03");
  in.set_to("2022-06-14");
  EXPECT_TRUE(CheckPeriod(in).ok());
  EXPECT_EQ(MembershipFrom(in), "2021-12-03");
  in.set_membership_from("2021-07-31");
  EXPECT_TRUE(CheckPeriod(in).ok());
  EXPECT_EQ(MembershipFrom(in), "2021-07-31");
  in.set_membership_from("2022-06-15");
  EXPECT_EQ(ErrorInfoOf(CheckPeriod(in)).metadata().at("field"), "membership_from");
  in.set_to("2021-12-02");
  EXPECT_EQ(ErrorInfoOf(CheckPeriod(in)).metadata().at("field"), "to");
}

TEST(Evaluation, TakesEveryFigureOfScheduling) {
  coproduction::scheduling::v1::SchedulingFigures figures;
  figures.set_items_presented(31);
  figures.set_prep_sessions(4);
  auto* stream = figures.add_items_by_workstream();
  stream->set_workstream("CHANGE_PROGRAMME");
  stream->set_count(7);
  int n = 0;
  for (auto* share : {figures.mutable_late(), figures.mutable_decided(), figures.mutable_quorate(),
                      figures.mutable_overruns()}) {
    share->set_count(++n);
    share->set_of(10);
  }
  auto* cell = figures.add_claimed_against_felt();
  cell->set_claimed(coproduction::scheduling::v1::Decision::OPTIONS);
  cell->set_felt(coproduction::scheduling::v1::Decision::DECIDED);
  cell->set_count(5);
  v1::Evaluation evaluation;
  AddFigures(figures, &evaluation);
  EXPECT_EQ(evaluation.items_presented(), 31);
  EXPECT_EQ(evaluation.prep_sessions(), 4);
  EXPECT_EQ(evaluation.items_by_workstream().at("CHANGE_PROGRAMME"), 7);
  EXPECT_EQ(evaluation.late().count(), 1);
  EXPECT_EQ(evaluation.decided().count(), 2);
  EXPECT_EQ(evaluation.quorate().count(), 3);
  EXPECT_EQ(evaluation.overruns().count(), 4);
  EXPECT_EQ(evaluation.overruns().of(), 10);
  EXPECT_EQ(evaluation.claimed_against_felt(0).count(), 5);
}

class Evaluations : public MiniEngagement {
 protected:
  Evaluations() {
    namespace membership = coproduction::membership::v1;
    namespace remuneration = coproduction::remuneration::v1;
    mini_.Answer<membership::GetMembershipFiguresRequest, membership::MembershipFigures>(
        [this](const auto& in) -> StatusOr<membership::MembershipFigures> {
          membership_from_ = in.membership_from();
          membership::MembershipFigures figures;
          figures.set_members_start(130);
          figures.set_members_end(254);
          figures.set_pool_start(4);
          figures.set_pool_end(9);
          return figures;
        });
    mini_.Answer<scheduling::GetSchedulingFiguresRequest, scheduling::SchedulingFigures>(
        [](const auto&) -> StatusOr<scheduling::SchedulingFigures> {
          scheduling::SchedulingFigures figures;
          figures.set_items_presented(31);
          return figures;
        });
    mini_.Answer<remuneration::GetRemunerationFiguresRequest, remuneration::RemunerationFigures>(
        [](const auto&) -> StatusOr<remuneration::RemunerationFigures> {
          remuneration::RemunerationFigures figures;
          figures.set_fees_pence(5000);
          return figures;
        });
    period_.set_parent(testing::kForum);
    period_.set_from("2021-12-03");
    period_.set_to("2022-06-14");
    period_.set_membership_from("2021-07-31");
  }

  v1::GetEvaluationRequest period_;
  std::string membership_from_;
};
ON_BOTH_DATABASES(Evaluations);

TEST_P(Evaluations, PutTheFiguresOfAllFourServicesTogether) {
  auto evaluation = Done<v1::Evaluation>(facilitator_, period_);
  EXPECT_EQ(membership_from_, "2021-07-31");
  EXPECT_EQ(evaluation.membership().start(), 130);
  EXPECT_EQ(evaluation.membership().end(), 254);
  EXPECT_EQ(evaluation.pool_size().start(), 4);
  EXPECT_EQ(evaluation.pool_size().end(), 9);
  EXPECT_EQ(evaluation.items_presented(), 31);
  EXPECT_EQ(evaluation.remuneration().fees_pence(), 5000);
  EXPECT_EQ(evaluation.engagements(), 0);
  EXPECT_EQ(evaluation.reps_per_unit().max(), 0);
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Evaluation>(ana_, period_).status(), errors::ROLE_NOT_ALLOWED));
}

TEST_P(Evaluations, CountEngagementsInItemsAndPrepSessionsOfThePeriod) {
  ASSERT_TRUE(Present("7").ok());
  ASSERT_TRUE(Present("8").ok());
  ASSERT_TRUE(Present("before", "2021-11-19").ok());
  for (const char* rep : {"ana", "ben"}) Done<v1::Attendance>(chair_, Attends(rep, "7"));
  Done<v1::Attendance>(chair_, Attends("ana", "before"));
  auto chaired = Attends("cleo", "8");
  chaired.set_capacity(v1::Attendance::CHAIR);
  Done<v1::Attendance>(chair_, chaired);
  auto prep = Attends("ana", "");
  prep.set_session(HoldPrep("2022-06-14"));
  Done<v1::Attendance>(chair_, prep);
  auto board = Attends("ana", "");
  board.set_session(HoldPrep("2022-01-13"));
  sessions_[board.session()].set_series(scheduling::Session::BOARD);  // paid, but no engagement
  Done<v1::Attendance>(chair_, board);
  auto evaluation = Done<v1::Evaluation>(chair_, period_);
  EXPECT_EQ(evaluation.engagements(), 3);
  EXPECT_EQ(evaluation.reps_per_unit().min(), 1);
  EXPECT_EQ(evaluation.reps_per_unit().max(), 2);
}

TEST_P(Evaluations, ReadTheLedgerAndTheDelaysFromTheRows) {
  for (const char* id : {"7", "8", "9"}) ASSERT_TRUE(Present(id).ok());
  auto view = Agreed("7");
  Done<v1::Record>(chair_, Named<v1::ShareRecordRequest>("records/7"));
  mini_.SetDate("2021-12-23");
  Done<v1::InfluenceAccount>(requestor_, Changed("7", view));
  Done<v1::InfluenceAccount>(requestor_, NotYet("8", "2022-07-01"));
  mini_.SetDate("2022-06-20");
  auto evaluation = Done<v1::Evaluation>(chair_, period_);
  EXPECT_EQ(evaluation.influence().owed(), 3);
  EXPECT_EQ(evaluation.influence().changed(), 1);
  EXPECT_EQ(evaluation.influence().not_yet(), 1);
  EXPECT_EQ(evaluation.influence().overdue(), 1);
  EXPECT_EQ(evaluation.influence().median_days(), 20);
  EXPECT_EQ(evaluation.drafts_late().count(), 2);
  EXPECT_EQ(evaluation.shares_late().count(), 2);
  EXPECT_EQ(evaluation.shares_late().of(), 3);
}

}  // namespace
}  // namespace hub::engagement
