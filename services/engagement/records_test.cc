#include "services/engagement/records_rules.h"

#include <gtest/gtest.h>

#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "coproduction/engagement/events/v1/records.pb.h"
#include "services/engagement/mini_engagement.h"

#include <algorithm>

namespace hub::engagement {
namespace {

namespace events = ::coproduction::engagement::events::v1;
using testing::Refused;

v1::EngagementSettings Defaults() {
  v1::EngagementSettings settings;
  settings.set_draft_working_days(5);
  settings.set_share_working_days(10);
  settings.set_silence_working_days(10);
  settings.set_silence_notice_working_days(5);
  settings.set_most_points(3);
  return settings;
}

v1::Record RecordOf(const std::string& date) {
  coproduction::scheduling::events::v1::ItemPresented item;
  item.set_item("forums/w/items/1");
  item.set_request("forums/w/requests/1");
  item.set_session("forums/w/sessions/1");
  item.set_partner("forums/w/partners/wcc");
  item.set_session_date(date);
  item.set_title("Exclusion film");
  auto record = NewRecord(item, Defaults());
  record.set_name("forums/w/records/1");
  return record;
}

v1::Point PointOf(int64_t position, const std::string& text,
                  v1::Point::Kind kind = v1::Point::VIEW) {
  v1::Point point;
  point.set_name("forums/w/points/" + std::to_string(position));
  point.set_record("forums/w/records/1");
  point.set_position(position);
  point.set_kind(kind);
  point.set_text(text);
  return point;
}

TEST(Record, IsDraftedWithItsDueDaysInWorkingDays) {
  auto record = RecordOf("2021-12-17");  // Christmas, Boxing Day and New Year are no working days
  EXPECT_EQ(record.state(), v1::Record::DRAFT);
  EXPECT_EQ(record.title(), "Exclusion film");
  EXPECT_EQ(record.draft_due_on(), "2021-12-24");
  EXPECT_EQ(record.share_due_on(), "2022-01-05");
}

TEST(Record, IsLateAfterItsDueDayDoneOrNot) {
  EXPECT_FALSE(IsLate("2021-12-10", "", "2021-12-10"));
  EXPECT_TRUE(IsLate("2021-12-10", "", "2021-12-11"));
  EXPECT_FALSE(IsLate("2021-12-10", "2021-12-10", "2022-06-14"));
  EXPECT_TRUE(IsLate("2021-12-10", "2021-12-11", "2022-06-14"));
  EXPECT_FALSE(IsLate("2021-12-10", "2021-12-11", "2021-12-10"));  // as known that day
}

TEST(Record, WithoutAPointCannotBeProposed) {
  auto record = RecordOf("2021-12-03");
  EXPECT_EQ(ReasonOf(MayPropose(record)), errors::RULE_REFUSED);
  record.set_points(1);
  EXPECT_TRUE(MayPropose(record).ok());
}

TEST(Record, OnceSealedTakesOnlyCorrectionsOfItsOwnPoints) {
  auto record = RecordOf("2021-12-03");
  auto point = PointOf(2, "said again");
  EXPECT_TRUE(MayAdd(point, record, {}, Defaults()).ok());
  for (auto state : {v1::Record::AGREED, v1::Record::SHARED}) {
    record.set_state(state);
    EXPECT_EQ(ErrorInfoOf(MayAdd(point, record, {}, Defaults())).metadata().at("rule"),
              "record_sealed");
    point.set_corrects("forums/w/points/1");
    EXPECT_TRUE(MayAdd(point, record, PointOf(1, "said"), Defaults()).ok());
    point.clear_corrects();
  }
  auto foreign = PointOf(1, "said");
  foreign.set_record("forums/w/records/2");
  EXPECT_EQ(ReasonOf(MayAdd(point, record, foreign, Defaults())), errors::INVALID_FIELD);
}

TEST(Record, TakesItsPointsInOrderUpToTheMost) {
  auto record = RecordOf("2021-12-03");
  record.set_points(2);
  v1::AddPointRequest in;
  in.set_kind(v1::Point::ACTION);
  in.set_text("send the draft");
  auto point = NewPoint(in, record, "2021-12-06");
  EXPECT_EQ(point.position(), 3);
  EXPECT_EQ(point.partner(), "forums/w/partners/wcc");
  EXPECT_FALSE(point.has_corrects());
  EXPECT_TRUE(MayAdd(point, record, {}, Defaults()).ok());
  record.set_points(3);
  EXPECT_EQ(ErrorInfoOf(MayAdd(point, record, {}, Defaults())).metadata().at("rule"),
            "record_full");
}

TEST(Record, SilenceSealsOnTheTenthWorkingDayAndNeverAtOnce) {
  auto record = RecordOf("2021-12-03");
  EXPECT_EQ(SealsOn(record, Defaults(), "2021-12-07"), "2021-12-17");
  EXPECT_EQ(SealsOn(record, Defaults(), "2021-12-16"), "2021-12-23");  // proposed late
}

TEST(Record, IsSilentFromThatDayUntilAWordIsTakenBack) {
  auto record = RecordOf("2021-12-03");
  record.set_state(v1::Record::PROPOSED);
  EXPECT_FALSE(IsSilent(record, "2022-06-14"));  // no word is given
  record.mutable_agreement()->mutable_partner_time();
  record.set_seals_on("2021-12-17");
  EXPECT_FALSE(IsSilent(record, "2021-12-16"));
  EXPECT_TRUE(IsSilent(record, "2021-12-17"));
  TakeBackWords(&record);
  EXPECT_FALSE(record.has_agreement());
  EXPECT_FALSE(IsSilent(record, "2022-06-14"));
}

TEST(Record, HasTheIdOfItsItem) { EXPECT_EQ(RecordName("forums/w/items/7"), "forums/w/records/7"); }

TEST(Record, TheSealCoversEveryPartAndNotTheOrderOfReading) {
  const std::vector<v1::Point> points = {PointOf(1, "a"), PointOf(2, "b")};
  const std::string content = CanonicalContent("forums/w/items/1", points);
  EXPECT_EQ(content, "16:forums/w/items/11:14:VIEW0:1:a1:24:VIEW0:1:b");
  auto reversed = points;
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(CanonicalContent("forums/w/items/1", reversed), content);
  auto changed = [&](auto edit) {
    auto other = points;
    edit(other[0]);
    return CanonicalContent("forums/w/items/1", other) != content;
  };
  EXPECT_TRUE(changed([](v1::Point& p) { p.set_text("A"); }));
  EXPECT_TRUE(changed([](v1::Point& p) { p.set_kind(v1::Point::ACTION); }));
  EXPECT_TRUE(changed([](v1::Point& p) { p.set_position(3); }));
  EXPECT_TRUE(changed([](v1::Point& p) { p.set_corrects("forums/w/points/2"); }));
  EXPECT_NE(CanonicalContent("forums/w/items/2", points), content);
}

TEST(Record, ViewsToAnswerAreThoseThatNothingCorrects) {
  auto correction = PointOf(3, "what was meant");
  correction.set_corrects("forums/w/points/1");
  auto views = ViewsToAnswer({PointOf(1, "misheard"), PointOf(2, "why?", v1::Point::QUESTION),
                              correction, PointOf(4, "too late in the day")});
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[0].position(), 3);
  EXPECT_EQ(views[1].position(), 4);
}

class Records : public MiniEngagement {};
ON_BOTH_DATABASES(Records);

TEST_P(Records, ADraftStandsOnceAnItemWasPresented) {
  ASSERT_TRUE(Present("7").ok());
  auto record = RecordNow("7");
  EXPECT_EQ(record.state(), v1::Record::DRAFT);
  EXPECT_EQ(record.item(), Name("items/7"));
  EXPECT_EQ(record.draft_due_on(), "2021-12-10");
  EXPECT_FALSE(record.draft_late());
  mini_.SetDate("2021-12-11");
  EXPECT_TRUE(RecordNow("7").draft_late());
  EXPECT_FALSE(RecordNow("7").share_late());
  EXPECT_EQ(mini_.Rows("records"), 1);
  EXPECT_EQ(mini_.Rows("influence_accounts"), 1);
}

TEST_P(Records, AreAgreedByBothSidesSealedAndShared) {
  ASSERT_TRUE(Present("7").ok());
  auto propose = Named<v1::ProposeRecordRequest>("records/7");
  EXPECT_TRUE(Refused(mini_.Call<v1::Record>(facilitator_, propose).status(), errors::RULE_REFUSED,
                      "record_empty"));
  auto point = Proposed("7");
  EXPECT_EQ(point.position(), 1);
  EXPECT_EQ(RecordNow("7").seals_on(), "2021-12-17");
  auto agree = Named<v1::AgreeRecordRequest>("records/7");
  EXPECT_EQ(Done<v1::Record>(facilitator_, agree).state(), v1::Record::PROPOSED);  // its second
  auto record = Done<v1::Record>(chair_, agree);
  EXPECT_EQ(record.state(), v1::Record::AGREED);
  EXPECT_EQ(record.agreed_on(), "2021-12-03");
  EXPECT_FALSE(record.not_disputed());
  EXPECT_TRUE(record.seal_holds());
  EXPECT_EQ(record.content_hash(),
            Hex(privacy::Sha256(CanonicalContent(Name("items/7"), {point}))));
  auto told = mini_.Published<events::RecordAgreed>(Name("partners/wcc"));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].record(), record.name());
  EXPECT_EQ(told[0].content_hash(), record.content_hash());
  record = Done<v1::Record>(facilitator_, Named<v1::ShareRecordRequest>("records/7"));
  EXPECT_EQ(record.state(), v1::Record::SHARED);
  EXPECT_FALSE(record.share_late());
  EXPECT_EQ(mini_.Published<events::RecordShared>(testing::kForum).size(), 1u);
}

TEST_P(Records, NobodyGivesBothWords) {
  ASSERT_TRUE(Present("7").ok());
  Done<v1::Point>(facilitator_, Said("7", "too late in the day"));
  const auto same = mini_.Token(coproduction::options::v1::CHAIR, "p-facilitator");
  Done<v1::Record>(same, Named<v1::ProposeRecordRequest>("records/7"));
  EXPECT_TRUE(Refused(
      mini_.Call<v1::Record>(facilitator_, Named<v1::AgreeRecordRequest>("records/7")).status(),
      errors::RULE_REFUSED, "two_sides"));
}

TEST_P(Records, SilenceSealsAsNotDisputedOnItsDay) {
  ASSERT_TRUE(Present("7").ok());
  Proposed("7");
  mini_.SetDate("2021-12-16");
  EXPECT_EQ(RecordNow("7").state(), v1::Record::PROPOSED);
  mini_.SetDate("2021-12-20");  // the timer runs late
  auto record = RecordNow("7");
  EXPECT_EQ(record.state(), v1::Record::AGREED);
  EXPECT_TRUE(record.not_disputed());
  EXPECT_EQ(record.agreed_on(), "2021-12-17");
  EXPECT_TRUE(record.seal_holds());
  mini_.SetDate("2022-01-20");
  EXPECT_EQ(mini_.Published<events::RecordAgreed>().size(), 1u);
  EXPECT_TRUE(RecordNow("7").share_late());
}

TEST_P(Records, ANewPointOrADisputeTakesTheWordsBack) {
  ASSERT_TRUE(Present("7").ok());
  Proposed("7");
  Done<v1::Point>(chair_, Said("7", "and too long"));
  auto record = RecordNow("7");
  EXPECT_EQ(record.state(), v1::Record::PROPOSED);
  EXPECT_FALSE(record.agreement().has_partner_time());
  mini_.SetDate("2021-12-17");  // nobody's word stands, so nobody is silent
  EXPECT_EQ(RecordNow("7").state(), v1::Record::PROPOSED);
  Done<v1::Record>(facilitator_, Named<v1::AgreeRecordRequest>("records/7"));
  EXPECT_EQ(RecordNow("7").seals_on(), "2021-12-24");
  mini_.SetDate("2021-12-20");  // the same word again gives no more time
  Done<v1::Record>(facilitator_, Named<v1::AgreeRecordRequest>("records/7"));
  EXPECT_EQ(RecordNow("7").seals_on(), "2021-12-24");
  auto dispute = Named<v1::DisputeRecordRequest>("records/7");
  dispute.set_reason("the second view is missing half");
  record = Done<v1::Record>(chair_, dispute);
  EXPECT_EQ(record.state(), v1::Record::DRAFT);
  EXPECT_EQ(record.dispute(), "the second view is missing half");
  mini_.SetDate("2022-01-20");
  EXPECT_EQ(RecordNow("7").state(), v1::Record::DRAFT);
  record = Done<v1::Record>(chair_, Named<v1::ProposeRecordRequest>("records/7"));
  EXPECT_EQ(record.proposed_on(), "2021-12-03");  // the first time
}

TEST_P(Records, OnceSealedTakeCorrectionsAndShowTampering) {
  ASSERT_TRUE(Present("7").ok());
  auto point = Agreed("7");
  EXPECT_TRUE(Refused(mini_.Call<v1::Point>(chair_, Said("7", "new")).status(),
                      errors::RULE_REFUSED, "record_sealed"));
  auto correction = Said("7", "too early in the day");
  correction.set_corrects(point.name());
  EXPECT_EQ(Done<v1::Point>(chair_, correction).position(), 2);
  auto record = RecordNow("7");
  EXPECT_EQ(record.points(), 2);
  EXPECT_EQ(record.sealed_points(), 1);
  EXPECT_TRUE(record.seal_holds());
  auto* store = mini_.runtime().engine().config().store;
  ASSERT_TRUE(
      store
          ->WriteAndWait([](db::Conn& conn) {
            return conn.Exec("UPDATE points SET text = 'fine' WHERE position = 1", {}).status();
          })
          .ok());
  EXPECT_FALSE(RecordNow("7").seal_holds());
}

TEST_P(Records, TakeNoCorrectionOfAPointThatIsNotTheirs) {
  ASSERT_TRUE(Present("7").ok());
  ASSERT_TRUE(Present("8", "2021-12-03", "health").ok());
  ASSERT_TRUE(Present("9").ok());
  auto correction = Said("7", "too early in the day");
  correction.set_corrects(Done<v1::Point>(chair_, Said("8", "too far")).name());
  EXPECT_TRUE(Refused(mini_.Call<v1::Point>(facilitator_, correction).status(),
                      errors::RESOURCE_NOT_FOUND, correction.corrects()));
  correction.set_corrects(Done<v1::Point>(chair_, Said("9", "too far")).name());
  EXPECT_TRUE(Refused(mini_.Call<v1::Point>(facilitator_, correction).status(),
                      errors::INVALID_FIELD, "corrects"));
}

TEST_P(Records, GoTheirWayOnlyAndShowNoOtherPartnersItems) {
  ASSERT_TRUE(Present("7").ok());
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Record>(chair_, Named<v1::ShareRecordRequest>("records/7")).status(),
              errors::STATE_NOT_ALLOWED, "DRAFT"));
  ASSERT_TRUE(Present("8", "2021-12-03", "health").ok());
  for (const auto& status :
       {mini_.Call<v1::Record>(facilitator_, Named<v1::GetRecordRequest>("records/8")).status(),
        mini_.Call<v1::Point>(facilitator_, Said("8", "ours now")).status()}) {
    EXPECT_TRUE(Refused(status, errors::RESOURCE_NOT_FOUND)) << status;
  }
  v1::ListRecordsRequest list;
  list.set_parent(testing::kForum);
  list.set_filter("state = \"DRAFT\"");
  EXPECT_EQ(Done<v1::ListRecordsResponse>(facilitator_, list).records_size(), 1);
  EXPECT_EQ(Done<v1::ListRecordsResponse>(chair_, list).records_size(), 2);
}

}  // namespace
}  // namespace hub::engagement
