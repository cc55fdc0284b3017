#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coproduction/engagement/events/v1/live_feedback.pb.h"
#include "coproduction/engagement/v1/settings.pb.h"
#include "services/engagement/live_feedback_rules.h"
#include "services/engagement/mini_engagement.h"

namespace hub::engagement {
namespace {

using testing::Refused;
namespace events = ::coproduction::engagement::events::v1;
namespace options = ::coproduction::options::v1;

TEST(Taking, WaitsForTheNoticeWhereToTurnInDanger) {
  v1::EngagementSettings settings;
  EXPECT_EQ(ErrorInfoOf(MayBeTaken(settings)).metadata().at("rule"), "danger_notice");
  settings.set_danger_notice("In danger? Call 999.");
  EXPECT_FALSE(MayBeTaken(settings).ok());
  settings.set_danger_notice_checked_on("2021-12-01");
  EXPECT_TRUE(MayBeTaken(settings).ok());
}

TEST(Taking, IsToBeReadWithinFiveWorkingDays) {
  v1::EngagementSettings settings;
  settings.set_triage_working_days(5);
  v1::GiveLiveFeedbackRequest in;
  in.set_text("The bus never came.");
  auto feedback = Received(in, settings, "2021-12-24");
  EXPECT_EQ(feedback.state(), v1::LiveFeedback::RECEIVED);
  EXPECT_EQ(feedback.received_on(), "2021-12-24");
  EXPECT_EQ(feedback.triage_by(), "2022-01-05");  // not on 27 and 28 December, and 3 January
}

TEST(Triage, SaysTheDemandAndWhatTheCouncilMayRead) {
  v1::LiveFeedback feedback;
  feedback.set_theme("school-transport");
  v1::TriageLiveFeedbackRequest in;
  EXPECT_EQ(ErrorInfoOf(Triage(in, "2021-12-06", &feedback)).metadata().at("field"), "demand");
  in.set_demand(v1::LiveFeedback::FAILURE);
  in.set_cleared_text("A bus did not come.");
  ASSERT_TRUE(Triage(in, "2021-12-06", &feedback).ok());
  EXPECT_EQ(feedback.state(), v1::LiveFeedback::TRIAGED);
  EXPECT_EQ(feedback.triaged_on(), "2021-12-06");
  EXPECT_EQ(feedback.theme(), "school-transport");
  EXPECT_TRUE(feedback.cleared());
  in.clear_cleared_text();
  in.set_theme("buses");
  ASSERT_TRUE(Triage(in, "2021-12-07", &feedback).ok());
  EXPECT_EQ(feedback.theme(), "buses");
  EXPECT_FALSE(feedback.cleared());
}

TEST(Triage, ClearsNothingOfWhatIsFlagged) {
  v1::LiveFeedback feedback;
  v1::TriageLiveFeedbackRequest in;
  in.set_safeguarding(true);
  in.set_cleared_text("Somebody is afraid.");
  EXPECT_EQ(ErrorInfoOf(Triage(in, "2021-12-06", &feedback)).metadata().at("field"),
            "cleared_text");
  in.clear_cleared_text();
  EXPECT_TRUE(Triage(in, "2021-12-06", &feedback).ok());
}

class LiveFeedback : public MiniEngagement {
 protected:
  LiveFeedback()
      : member_(mini_.Token(options::MEMBER, "mia")),
        lead_(mini_.Token(options::SAFEGUARDING_LEAD, "p-lead")) {}
  void SayWhereToTurn() {
    v1::UpdateEngagementSettingsRequest update;
    update.mutable_settings()->set_name(Name("engagementSettings"));
    update.mutable_settings()->set_danger_notice("In danger? Call 999. Nobody watches this live.");
    update.mutable_settings()->set_danger_notice_checked_on("2021-12-01");
    update.mutable_update_mask()->add_paths("danger_notice");
    update.mutable_update_mask()->add_paths("danger_notice_checked_on");
    Done<v1::EngagementSettings>(chair_, update);
  }
  static v1::GiveLiveFeedbackRequest Tell(const std::string& text, const std::string& token) {
    v1::GiveLiveFeedbackRequest in;
    in.set_parent(testing::kForum);
    in.set_text(text);
    in.set_theme("school-transport");
    in.set_request_id(token);
    return in;
  }
  std::vector<v1::LiveFeedback> Seen(const std::string& token, const std::string& filter = "") {
    v1::ListLiveFeedbacksRequest in;
    in.set_parent(testing::kForum);
    in.set_filter(filter);
    auto out = Done<v1::ListLiveFeedbacksResponse>(token, in);
    return {out.live_feedbacks().begin(), out.live_feedbacks().end()};
  }
  v1::TriageLiveFeedbackRequest TriageOf(const v1::LiveFeedback& feedback) {
    v1::TriageLiveFeedbackRequest in;
    in.set_name(feedback.name());
    in.set_demand(v1::LiveFeedback::FAILURE);
    return in;
  }
  // The one text that a query finds.
  std::string Sql(const std::string& query) {
    std::string found;
    EXPECT_TRUE(mini_.runtime()
                    .engine()
                    .config()
                    .store
                    ->ReadAndWait([&](db::Conn& conn) {
                      return conn.Query(query, {}, [&](const db::Row& row) {
                        found = std::string(row.Text(0));
                        return Status();
                      });
                    })
                    .ok());
    return found;
  }

  const std::string member_, lead_;
};
ON_BOTH_DATABASES(LiveFeedback);

TEST_P(LiveFeedback, IsKeptForAYearAndItsThemeForEver) {
  SayWhereToTurn();
  Done<v1::GiveLiveFeedbackResponse>(member_, Tell("The bus never came.", "0f1e"));
  const std::string received_on = Seen(chair_)[0].received_on();
  const auto forgotten_on = [&](const std::string& date) {
    mini_.SetDate(date);
    EXPECT_TRUE(mini_.runtime().engine().EndRetentions(date).ok());
    return Sql("SELECT text FROM live_feedbacks");
  };
  EXPECT_EQ(forgotten_on("2022" + AddDays(received_on, -1).substr(4)), "The bus never came.");
  EXPECT_EQ(forgotten_on("2022" + received_on.substr(4)), "");
  EXPECT_EQ(Seen(chair_)[0].theme(), "school-transport");
}

TEST_P(LiveFeedback, LeavesNothingOfTheSender) {
  auto tell = Tell("The bus never came.", "0f1e");
  EXPECT_TRUE(Refused(mini_.Call<v1::GiveLiveFeedbackResponse>(member_, tell).status(),
                      errors::RULE_REFUSED, "danger_notice"));
  SayWhereToTurn();
  auto without = tell;
  without.clear_request_id();
  EXPECT_TRUE(Refused(mini_.Call<v1::GiveLiveFeedbackResponse>(member_, without).status(),
                      errors::FIELD_REQUIRED, "request_id"));
  const int64_t kept = mini_.Rows("payloads WHERE receiver = ''");
  EXPECT_EQ(Done<v1::GiveLiveFeedbackResponse>(member_, tell).triage_by(), "2021-12-10");
  // The token is taken once, whoever sends it.
  for (const auto& token : {member_, ana_}) {
    EXPECT_FALSE(mini_.Call<v1::GiveLiveFeedbackResponse>(token, tell).ok());
  }
  EXPECT_EQ(mini_.Rows("live_feedbacks"), 1);

  const std::string of = " FROM journal WHERE method LIKE '%GiveLiveFeedback'";
  EXPECT_EQ(Sql("SELECT '<' || principal || resource || '>'" + of), "<>");
  EXPECT_EQ(Sql("SELECT CAST(at % 86400000000 AS TEXT)" + of), "0");
  EXPECT_EQ(Sql("SELECT '<' || principal || '>' FROM keys WHERE request_id = '0f1e'"), "<>");
  EXPECT_EQ(mini_.Rows("keys WHERE request_id = '0f1e' AND length(hash) = 0 AND seq = 0"), 1);
  EXPECT_EQ(mini_.Rows("payloads p JOIN journal j ON j.seq = p.id / 256 "
                       "WHERE p.aggregate LIKE '%/liveFeedbacks/%'"),
            0);
  EXPECT_EQ(mini_.Rows("payloads WHERE receiver = ''"), kept);  // no stored answer
  EXPECT_EQ(
      mini_.Rows("payloads WHERE at % 86400000000 <> 0 AND aggregate LIKE '%/liveFeedbacks/%'"), 0);
  // No id that tells a time: the version digit of a random UUID.
  EXPECT_EQ(Sql("SELECT substr(id, 15, 1) FROM live_feedbacks"), "4");

  const std::string ids =
      "SELECT CAST(MAX(id) AS TEXT) FROM payloads "
      "WHERE aggregate LIKE '%/liveFeedbacks/%'";
  const std::string held = Sql(ids);
  EXPECT_TRUE(mini_.Published<events::LiveFeedbackReceived>("forums/warwickshire").empty());
  mini_.SetDate("2021-12-04");
  EXPECT_NE(Sql(ids), held);
  EXPECT_EQ(mini_.Rows("meta WHERE name LIKE 'scrub/%'"), 0);
  auto told = mini_.Published<events::LiveFeedbackReceived>("forums/warwickshire");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].received_on(), "2021-12-03");
  EXPECT_TRUE(
      mini_.Published<events::LiveFeedbackReceived>("forums/warwickshire/partners/wcc").empty());
}

TEST_P(LiveFeedback, APartnerReadsOnlyWhatTheForumCleared) {
  SayWhereToTurn();
  Done<v1::GiveLiveFeedbackResponse>(member_, Tell("Our Sam waited in the rain.", "a"));
  Done<v1::GiveLiveFeedbackResponse>(ana_, Tell("Our Kim was left at school.", "b"));
  ASSERT_EQ(Seen(chair_).size(), 2u);
  EXPECT_TRUE(Seen(facilitator_).empty());
  EXPECT_TRUE(Seen(facilitator_, "cleared = \"false\"").empty());
  auto triage = TriageOf(Seen(chair_)[0]);
  triage.set_cleared_text("A bus came late, and children waited in the rain.");
  EXPECT_TRUE(Refused(mini_.Call<v1::LiveFeedback>(facilitator_, triage).status(),
                      errors::ROLE_NOT_ALLOWED));
  EXPECT_THAT(Done<v1::LiveFeedback>(chair_, triage).text(), ::testing::HasSubstr("Our "));
  auto seen = Seen(facilitator_);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].cleared_text(), triage.cleared_text());
  EXPECT_EQ(seen[0].theme(), "school-transport");
  EXPECT_EQ(seen[0].text(), "");
  EXPECT_EQ(seen[0].triage_by(), "");
  v1::GetLiveFeedbackRequest get;
  get.set_name(Seen(chair_, "cleared = \"false\"")[0].name());
  EXPECT_TRUE(Refused(mini_.Call<v1::LiveFeedback>(facilitator_, get).status(),
                      errors::RESOURCE_NOT_FOUND));
  triage.clear_cleared_text();
  Done<v1::LiveFeedback>(chair_, triage);
  EXPECT_TRUE(Seen(facilitator_).empty());
}

TEST_P(LiveFeedback, WhatIsFlaggedIsForTheSafeguardingLeadAlone) {
  SayWhereToTurn();
  auto in_danger = Tell("I am afraid for a child.", "a");
  in_danger.set_safeguarding(true);
  Done<v1::GiveLiveFeedbackResponse>(member_, in_danger);
  Done<v1::GiveLiveFeedbackResponse>(member_, Tell("The driver shouts and shoves.", "b"));
  ASSERT_EQ(Seen(chair_).size(), 1u);  // flagged by the sender: never in the forum's view
  auto triage = TriageOf(Seen(chair_)[0]);
  triage.set_safeguarding(true);
  Done<v1::LiveFeedback>(chair_, triage);
  const std::string admin = mini_.Token(options::MEMBERSHIP_ADMIN);
  for (const auto& token : {chair_, admin, facilitator_}) EXPECT_TRUE(Seen(token).empty());
  v1::GetLiveFeedbackRequest get;
  get.set_name(triage.name());
  EXPECT_TRUE(
      Refused(mini_.Call<v1::LiveFeedback>(chair_, get).status(), errors::RESOURCE_NOT_FOUND));
  for (const char* etag : {"", "\"2\"", "\"9\""}) {
    triage.set_etag(etag);
    EXPECT_TRUE(
        Refused(mini_.Call<v1::LiveFeedback>(chair_, triage).status(), errors::RESOURCE_NOT_FOUND));
  }
  triage.clear_etag();
  ASSERT_EQ(Seen(lead_, "safeguarding = \"true\"").size(), 2u);
  EXPECT_EQ(Done<v1::LiveFeedback>(lead_, get).text(), "The driver shouts and shoves.");
  triage.set_safeguarding(false);  // it was no danger
  Done<v1::LiveFeedback>(lead_, triage);
  EXPECT_EQ(Seen(chair_).size(), 1u);
}

}  // namespace
}  // namespace hub::engagement
