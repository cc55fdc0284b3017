#include "services/engagement/influence_rules.h"

#include <gtest/gtest.h>

#include "coproduction/engagement/events/v1/influence.pb.h"
#include "services/engagement/mini_engagement.h"

namespace hub::engagement {
namespace {

namespace events = ::coproduction::engagement::events::v1;
using testing::Refused;

using Feedback = v1::InfluenceFeedback;

v1::EngagementSettings Defaults() {
  v1::EngagementSettings settings;
  settings.set_influence_days(60);
  settings.set_most_postponements(2);
  return settings;
}

v1::InfluenceAccount Account() {
  coproduction::scheduling::events::v1::ItemPresented item;
  item.set_item("forums/w/items/1");
  item.set_session_date("2021-12-03");
  item.set_team("SEND strategy");
  item.set_requestor_person("otto");
  auto account = NewAccount(item, Defaults());
  account.set_name("forums/w/influenceAccounts/1");
  return account;
}

v1::Record Agreed() {
  v1::Record record;
  record.set_name("forums/w/records/1");
  record.set_state(v1::Record::AGREED);
  return record;
}

std::vector<v1::Point> TwoViewsAndAQuestion() {
  std::vector<v1::Point> points(3);
  for (int i = 0; i < 3; ++i) {
    points[i].set_name("forums/w/points/" + std::to_string(i + 1));
    points[i].set_kind(i < 2 ? v1::Point::VIEW : v1::Point::QUESTION);
  }
  return points;
}

v1::GiveFeedbackRequest Answer(Feedback::Answer answer) {
  v1::GiveFeedbackRequest in;
  in.set_answer(answer);
  if (answer == Feedback::NOT_YET) {
    in.set_new_date("2022-03-01");
    return in;
  }
  in.set_what("the form asks for less");
  in.set_why("the budget is set until March");
  for (const char* point : {"forums/w/points/1", "forums/w/points/2"}) {
    in.add_view_answers()->set_point(point);
  }
  return in;
}

Status Give(const v1::GiveFeedbackRequest& in, const v1::InfluenceAccount& account,
            const v1::Record& record = Agreed()) {
  return MayGive(in, account, record, TwoViewsAndAQuestion(), Defaults(), "2022-01-10");
}

std::string About(const Status& status) {  // the field or rule it names
  for (const char* key : {"field", "rule"}) {
    const auto info = ErrorInfoOf(status);
    auto found = info.metadata().find(key);
    if (found != info.metadata().end()) return found->second;
  }
  return "";
}

TEST(InfluenceAccount, IsOwedByTheNamedRequestorSixtyDaysAfterTheSession) {
  auto account = Account();
  EXPECT_EQ(account.state(), v1::InfluenceAccount::OPEN);
  EXPECT_EQ(account.requestor_person(), "otto");
  EXPECT_EQ(account.due_on(), "2022-02-01");
  EXPECT_EQ(account.overdue_from(), "2022-02-02");
  EXPECT_FALSE(IsOverdue(account, "2022-02-01"));
  EXPECT_TRUE(IsOverdue(account, "2022-02-02"));
  account.set_answer(Feedback::NOT_CHANGED);
  EXPECT_FALSE(IsOverdue(account, "2022-06-14"));
}

TEST(Feedback, EachAnswerSaysWhatItMust) {
  for (auto answer : {Feedback::CHANGED, Feedback::PARTLY, Feedback::NOT_CHANGED}) {
    EXPECT_TRUE(Give(Answer(answer), Account()).ok()) << answer;
  }
  auto in = Answer(Feedback::CHANGED);
  in.clear_what();
  EXPECT_EQ(About(Give(in, Account())), "what");
  for (auto answer : {Feedback::PARTLY, Feedback::NOT_CHANGED}) {
    in = Answer(answer);
    in.clear_why();
    EXPECT_EQ(About(Give(in, Account())), "why");
  }
  in = Answer(Feedback::CHANGED);
  in.set_new_date("2022-03-01");
  EXPECT_EQ(About(Give(in, Account())), "new_date");
}

TEST(Feedback, AnswersEachViewOnceAndNothingElse) {
  auto in = Answer(Feedback::CHANGED);
  in.mutable_view_answers()->RemoveLast();
  EXPECT_EQ(About(Give(in, Account())), "view_answers");
  in.add_view_answers()->set_point("forums/w/points/1");  // twice
  EXPECT_EQ(About(Give(in, Account())), "view_answers");
  in = Answer(Feedback::CHANGED);
  in.add_view_answers()->set_point("forums/w/points/3");  // a question
  EXPECT_EQ(About(Give(in, Account())), "view_answers");
}

TEST(Feedback, AFinalAnswerNeedsAnAgreedRecordAndStands) {
  auto record = Agreed();
  record.set_state(v1::Record::PROPOSED);
  EXPECT_EQ(About(Give(Answer(Feedback::CHANGED), Account(), record)), "record_not_agreed");
  EXPECT_TRUE(Give(Answer(Feedback::NOT_YET), Account(), record).ok());
  auto account = Account();
  ApplyFeedback(NewFeedback(Answer(Feedback::PARTLY), account, "2022-01-10"), &account);
  EXPECT_EQ(account.answered_on(), "2022-01-10");
  EXPECT_EQ(account.due_on(), "2022-02-01");
  EXPECT_EQ(About(Give(Answer(Feedback::CHANGED), account)), "answered_already");
  EXPECT_EQ(About(Give(Answer(Feedback::NOT_YET), account)), "answered_already");
}

TEST(Feedback, NotYetMovesTheDueDayTwiceAtMost) {
  auto account = Account();
  account.set_overdue_told(true);
  auto in = Answer(Feedback::NOT_YET);
  ApplyFeedback(NewFeedback(in, account, "2022-01-10"), &account);
  EXPECT_EQ(account.due_on(), "2022-03-01");
  EXPECT_EQ(account.overdue_from(), "2022-03-02");
  EXPECT_EQ(account.first_due_on(), "2022-02-01");
  EXPECT_FALSE(account.overdue_told());
  EXPECT_FALSE(account.has_answered_on());
  EXPECT_EQ(About(Give(in, account)), "new_date");  // not later than the day now due
  in.set_new_date("2022-05-01");
  EXPECT_TRUE(Give(in, account).ok());
  ApplyFeedback(NewFeedback(in, account, "2022-01-11"), &account);
  in.set_new_date("2022-07-01");
  EXPECT_EQ(About(Give(in, account)), "postponed_enough");
  in.clear_new_date();
  EXPECT_EQ(About(Give(in, Account())), "new_date");
}

TEST(InfluenceAccount, NeitherClosesNorIsRecognisedWithoutAFinalAnswer) {
  auto account = Account();
  for (auto answer : {Feedback::ANSWER_UNSPECIFIED, Feedback::NOT_YET}) {
    account.set_answer(answer);
    EXPECT_EQ(About(MayClose(account)), "no_final_answer");
    EXPECT_EQ(About(MayRecognise(account)), "no_final_answer");
  }
  account.set_answer(Feedback::NOT_CHANGED);
  EXPECT_TRUE(MayClose(account).ok());
  EXPECT_TRUE(MayRecognise(account).ok());
}

class Influence : public MiniEngagement {};
ON_BOTH_DATABASES(Influence);

TEST_P(Influence, IsOwedFromTheDayAndToldToThePartner) {
  ASSERT_TRUE(Present("7").ok());
  auto account = AccountNow("7");
  EXPECT_EQ(account.state(), v1::InfluenceAccount::OPEN);
  EXPECT_EQ(account.due_on(), "2022-02-01");
  EXPECT_FALSE(account.overdue());
  auto told = mini_.Published<events::InfluenceFeedbackDue>(Name("partners/wcc"));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].influence_account(), account.name());
  EXPECT_EQ(told[0].team(), "Inclusion");
  EXPECT_EQ(told[0].due_on(), "2022-02-01");
}

TEST_P(Influence, IsAnsweredByTheNamedRequestorAlone) {
  ASSERT_TRUE(Present("7").ok());
  auto answer = Changed("7", Proposed("7"));
  EXPECT_TRUE(Refused(mini_.Call<v1::InfluenceAccount>(requestor_, answer).status(),
                      errors::RULE_REFUSED, "record_not_agreed"));
  Done<v1::Record>(chair_, Named<v1::AgreeRecordRequest>("records/7"));
  const auto other = mini_.Token(coproduction::options::v1::REQUESTOR, "somebody");
  EXPECT_TRUE(Refused(mini_.Call<v1::InfluenceAccount>(other, answer).status(),
                      errors::RESOURCE_NOT_FOUND));
  EXPECT_TRUE(
      Refused(mini_.Call<v1::InfluenceAccount>(chair_, answer).status(), errors::ROLE_NOT_ALLOWED));
  mini_.SetDate("2022-01-10");
  auto account = Done<v1::InfluenceAccount>(requestor_, answer);
  EXPECT_EQ(account.answer(), Feedback::CHANGED);
  EXPECT_EQ(account.answered_on(), "2022-01-10");
  auto told = mini_.Published<events::InfluenceFeedbackGiven>(testing::kForum);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].answer(), Feedback::CHANGED);
  v1::ListInfluenceFeedbacksRequest list;
  list.set_parent(testing::kForum);
  list.set_filter("influence_account = \"" + account.name() + "\"");
  auto given = Done<v1::ListInfluenceFeedbacksResponse>(ana_, list);
  ASSERT_EQ(given.influence_feedbacks_size(), 1);
  ASSERT_EQ(given.influence_feedbacks(0).view_answers_size(), 1);
  EXPECT_EQ(given.influence_feedbacks(0).view_answers(0).text(), "it is at 10 now");
  EXPECT_TRUE(Refused(mini_.Call<v1::InfluenceAccount>(requestor_, answer).status(),
                      errors::RULE_REFUSED, "answered_already"));
}

TEST_P(Influence, IsToldOverdueOncePerDueDay) {
  ASSERT_TRUE(Present("7").ok());
  mini_.SetDate("2022-02-01");
  EXPECT_TRUE(mini_.Published<events::InfluenceFeedbackOverdue>().empty());
  mini_.SetDate("2022-02-02");
  mini_.SetDate("2022-02-03");
  EXPECT_TRUE(AccountNow("7").overdue());
  auto told = mini_.Published<events::InfluenceFeedbackOverdue>(Name("partners/wcc"));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].due_on(), "2022-02-01");
  EXPECT_EQ(Done<v1::InfluenceAccount>(requestor_, NotYet("7", "2022-03-01")).due_on(),
            "2022-03-01");
  EXPECT_FALSE(AccountNow("7").overdue());
  mini_.SetDate("2022-03-01");
  EXPECT_EQ(mini_.Published<events::InfluenceFeedbackOverdue>().size(), 1u);
  mini_.SetDate("2022-03-02");
  EXPECT_EQ(mini_.Published<events::InfluenceFeedbackOverdue>().size(), 2u);
  Done<v1::InfluenceAccount>(requestor_, NotYet("7", "2022-04-01"));
  EXPECT_TRUE(
      Refused(mini_.Call<v1::InfluenceAccount>(requestor_, NotYet("7", "2022-05-01")).status(),
              errors::RULE_REFUSED, "postponed_enough"));
}

TEST_P(Influence, NoAccountClosesWithoutAFinalAnswer) {
  ASSERT_TRUE(Present("7").ok());
  auto view = Agreed("7");
  auto close = Named<v1::CloseAccountRequest>("influenceAccounts/7");
  auto recognise = Named<v1::RecogniseFeedbackRequest>("influenceAccounts/7");
  recognise.set_recognition(v1::InfluenceAccount::PARTLY);
  Done<v1::InfluenceAccount>(requestor_, NotYet("7", "2022-03-01"));
  for (const auto& status : {mini_.Call<v1::InfluenceAccount>(chair_, close).status(),
                             mini_.Call<v1::InfluenceAccount>(chair_, recognise).status()}) {
    EXPECT_TRUE(Refused(status, errors::RULE_REFUSED, "no_final_answer")) << status;
  }
  Done<v1::InfluenceAccount>(requestor_, Changed("7", view));
  EXPECT_EQ(Done<v1::InfluenceAccount>(chair_, close).state(), v1::InfluenceAccount::CLOSED);
  EXPECT_EQ(Done<v1::InfluenceAccount>(chair_, recognise).recognition(),
            v1::InfluenceAccount::PARTLY);
  auto told = mini_.Published<events::InfluenceRecognised>(Name("partners/wcc"));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].answer(), Feedback::CHANGED);
  EXPECT_EQ(told[0].recognition(), v1::InfluenceAccount::PARTLY);
  mini_.SetDate("2022-06-14");
  EXPECT_TRUE(mini_.Published<events::InfluenceFeedbackOverdue>().empty());
}

}  // namespace
}  // namespace hub::engagement
