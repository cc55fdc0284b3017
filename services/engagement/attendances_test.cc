#include "services/engagement/attendances_rules.h"

#include <gtest/gtest.h>

#include "coproduction/engagement/events/v1/attendances.pb.h"
#include "services/engagement/mini_engagement.h"

namespace hub::engagement {
namespace {

namespace events = ::coproduction::engagement::events::v1;
using testing::Refused;

constexpr char kRep[] = "forums/w/reps/ana";
constexpr char kItem[] = "forums/w/items/1";
constexpr char kSession[] = "forums/w/sessions/1";
constexpr char kPartner[] = "forums/w/partners/wcc";

std::string RuleOf(const Status& status) {
  if (status.ok()) return "";
  const auto info = ErrorInfoOf(status);
  auto rule = info.metadata().find("rule");
  return rule == info.metadata().end() ? info.reason() : rule->second;
}

scheduling::ItemFacts Presented() {
  scheduling::ItemFacts facts;
  facts.set_item(kItem);
  facts.set_session(kSession);
  facts.set_partner(kPartner);
  facts.set_session_date("2021-12-03");
  facts.set_series(scheduling::Session::HUB);
  facts.set_activity_kind(scheduling::Activity::HUB);
  facts.set_session_minutes(120);
  facts.set_state(scheduling::Item::PRESENTED);
  facts.add_reps(kRep);
  return facts;
}

scheduling::SessionFacts Held(scheduling::Session::Series series) {
  scheduling::SessionFacts facts;
  facts.set_session(kSession);
  facts.set_date("2021-12-03");
  facts.set_series(series);
  facts.set_minutes(60);
  facts.set_state(scheduling::Session::HELD);
  facts.add_reps(kRep);
  return facts;
}

v1::TakeAttendanceRequest Of(const std::string& rep) {
  v1::TakeAttendanceRequest in;
  in.set_rep(rep);
  in.set_item(kItem);
  return in;
}

const Taker kChair{true, false, ""};
const Taker kFacilitator{false, true, kPartner};

std::string Take(const v1::TakeAttendanceRequest& in, const Unit& unit, const Taker& taker,
                 const std::vector<v1::Attendance>& same_session = {}) {
  return RuleOf(MayTake(NewAttendance(in, unit), unit, taker, same_session));
}

TEST(TakeAttendance, NamesExactlyOneUnit) {
  v1::TakeAttendanceRequest in;
  in.set_parent("forums/w");
  EXPECT_EQ(ReasonOf(CheckUnitNamed(in)), errors::INVALID_FIELD);
  in.set_item(kItem);
  EXPECT_TRUE(CheckUnitNamed(in).ok());
  in.set_rep("forums/other/reps/ana");
  EXPECT_EQ(ErrorInfoOf(CheckUnitNamed(in)).metadata().at("field"), "rep");
  in.set_rep(kRep);
  in.set_session(kSession);
  EXPECT_EQ(ReasonOf(CheckUnitNamed(in)), errors::INVALID_FIELD);
}

TEST(TakeAttendance, CarriesWhatIsCountedAndPaidByFromTheUnit) {
  auto attendance = NewAttendance(Of(kRep), UnitOf(Presented()));
  EXPECT_EQ(attendance.capacity(), v1::Attendance::REP);
  EXPECT_EQ(attendance.session(), kSession);
  EXPECT_EQ(attendance.partner(), kPartner);
  EXPECT_EQ(attendance.session_date(), "2021-12-03");
  EXPECT_EQ(attendance.session_minutes(), 120);
  EXPECT_EQ(attendance.activity_kind(), scheduling::Activity::HUB);
}

TEST(TakeAttendance, OnlyOfWhatTookPlace) {
  auto item = Presented();
  EXPECT_EQ(Take(Of(kRep), UnitOf(item), kFacilitator), "");
  item.set_state(scheduling::Item::PLANNED);
  EXPECT_EQ(Take(Of(kRep), UnitOf(item), kChair), "not_held");
  auto prep = Held(scheduling::Session::PREP);
  EXPECT_EQ(Take(Of(kRep), UnitOf(prep), kChair), "");
  prep.set_state(scheduling::Session::CANCELLED);
  EXPECT_EQ(Take(Of(kRep), UnitOf(prep), kChair), "not_held");
}

TEST(TakeAttendance, AHubSessionIsTakenItemByItem) {
  EXPECT_EQ(Take(Of(kRep), UnitOf(Held(scheduling::Session::HUB)), kChair), "attended_by_items");
  EXPECT_EQ(Take(Of(kRep), UnitOf(Held(scheduling::Session::BOARD)), kChair), "");
}

TEST(TakeAttendance, WhoIsNotAllocatedComesByTheChairsWord) {
  auto in = Of("forums/w/reps/ben");
  const Unit unit = UnitOf(Presented());
  EXPECT_EQ(Take(in, unit, kFacilitator), "not_allocated");
  EXPECT_EQ(Take(in, unit, kChair), "not_allocated");
  in.set_came_anyway(true);
  EXPECT_EQ(Take(in, unit, kFacilitator), "chairs_word");
  EXPECT_EQ(Take(in, unit, kChair), "");
}

TEST(TakeAttendance, APartnerTakesItAtItsOwnItemsOnly) {
  const Taker health{false, true, "forums/w/partners/health"};
  EXPECT_EQ(Take(Of(kRep), UnitOf(Presented()), health), "partner_item");
  EXPECT_EQ(Take(Of(kRep), UnitOf(Held(scheduling::Session::PREP)), kFacilitator), "partner_item");
}

TEST(TakeAttendance, ARepCountsOncePerUnit) {
  const Unit unit = UnitOf(Presented());
  auto attendance = NewAttendance(Of(kRep), unit);
  EXPECT_EQ(Take(Of(kRep), unit, kChair, {attendance}), "RESOURCE_EXISTS");
}

TEST(TakeAttendance, TheChairIsNotCountedAsARep) {
  const Unit unit = UnitOf(Presented());
  auto in = Of("forums/w/reps/chair");
  in.set_capacity(v1::Attendance::CHAIR);
  EXPECT_EQ(Take(in, unit, kFacilitator), "");  // needs no allocation
  auto chaired = NewAttendance(in, unit);
  chaired.set_item("forums/w/items/2");
  in.set_capacity(v1::Attendance::REP);
  in.set_came_anyway(true);
  EXPECT_EQ(Take(in, unit, kChair, {chaired}), "chair_is_no_rep");
  auto attended = NewAttendance(Of(kRep), unit);
  attended.set_item("forums/w/items/2");
  in = Of(kRep);
  in.set_capacity(v1::Attendance::CHAIR);
  EXPECT_EQ(Take(in, unit, kChair, {attended}), "chair_is_no_rep");
  EXPECT_EQ(Take(Of(kRep), unit, kChair, {attended}), "");  // another item of the session
}

class Attendances : public MiniEngagement {};
ON_BOTH_DATABASES(Attendances);

TEST_P(Attendances, AreTakenOncePerRepAndUnitAndTold) {
  ASSERT_TRUE(Present("7").ok());
  auto request = Attends("ana", "7");
  request.set_request_id("once");
  auto taken = Done<v1::Attendance>(facilitator_, request);
  EXPECT_EQ(taken.rep(), Name("reps/ana"));
  EXPECT_EQ(taken.session(), Name("sessions/2021-12-03"));
  EXPECT_EQ(Done<v1::Attendance>(facilitator_, request).name(), taken.name());  // a resend
  EXPECT_TRUE(Refused(mini_.Call<v1::Attendance>(chair_, Attends("ana", "7")).status(),
                      errors::RESOURCE_EXISTS, taken.name()));
  EXPECT_EQ(mini_.Rows("attendances"), 1);
  auto told = mini_.Published<events::AttendanceRecorded>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].attendance(), taken.name());
  EXPECT_EQ(told[0].rep(), Name("reps/ana"));
  EXPECT_EQ(told[0].session_date(), "2021-12-03");
  EXPECT_EQ(told[0].series(), scheduling::Session::HUB);
  EXPECT_EQ(told[0].activity_kind(), scheduling::Activity::HUB);
  EXPECT_EQ(told[0].session_minutes(), 120);
  EXPECT_EQ(told[0].partner(), Name("partners/wcc"));
  EXPECT_EQ(mini_.Published<events::AttendanceRecorded>(testing::kForum).size(), 1u);
  EXPECT_TRUE(mini_.Published<events::AttendanceRecorded>(Name("partners/wcc")).empty());
}

TEST_P(Attendances, OfAPrepSessionAreTheForumsToTake) {
  auto request = Attends("ana", "");
  request.set_session(HoldPrep("2021-12-02"));
  EXPECT_TRUE(Refused(mini_.Call<v1::Attendance>(facilitator_, request).status(),
                      errors::RULE_REFUSED, "partner_item"));
  EXPECT_EQ(Done<v1::Attendance>(chair_, request).item(), "");
  EXPECT_EQ(mini_.Published<events::AttendanceRecorded>().size(), 1u);
}

TEST_P(Attendances, WhoChairsIsRecordedButNotToldAsARep) {
  ASSERT_TRUE(Present("7").ok());
  ASSERT_TRUE(Present("8").ok());
  auto request = Attends("cleo", "7");
  request.set_capacity(v1::Attendance::CHAIR);
  Done<v1::Attendance>(facilitator_, request);
  EXPECT_TRUE(mini_.Published<events::AttendanceRecorded>().empty());
  request = Attends("cleo", "8");
  request.set_came_anyway(true);
  EXPECT_TRUE(Refused(mini_.Call<v1::Attendance>(chair_, request).status(), errors::RULE_REFUSED,
                      "chair_is_no_rep"));
}

TEST_P(Attendances, NeedSchedulingsWord) {
  EXPECT_TRUE(Refused(mini_.Call<v1::Attendance>(chair_, Attends("ana", "none")).status(),
                      errors::RESOURCE_NOT_FOUND, Name("items/none")));
  ASSERT_TRUE(Present("7").ok());
  items_[Name("items/7")].set_state(scheduling::Item::DROPPED);
  EXPECT_TRUE(Refused(mini_.Call<v1::Attendance>(chair_, Attends("ana", "7")).status(),
                      errors::RULE_REFUSED, "not_held"));
  EXPECT_EQ(mini_.Rows("attendances"), 0);
}

TEST_P(Attendances, ARepSeesItsOwnAndAPartnerThoseAtItsItems) {
  ASSERT_TRUE(Present("7").ok());
  ASSERT_TRUE(Present("8", "2021-12-17", "health").ok());
  Done<v1::Attendance>(chair_, Attends("ana", "7"));
  auto bens = Done<v1::Attendance>(chair_, Attends("ben", "7"));
  auto at_health = Done<v1::Attendance>(chair_, Attends("ben", "8"));
  v1::ListAttendancesRequest list;
  list.set_parent(testing::kForum);
  EXPECT_EQ(Done<v1::ListAttendancesResponse>(chair_, list).attendances_size(), 3);
  auto partners = Done<v1::ListAttendancesResponse>(facilitator_, list);
  ASSERT_EQ(partners.attendances_size(), 2);
  EXPECT_NE(partners.attendances(0).rep(), "");
  auto anas = Done<v1::ListAttendancesResponse>(ana_, list);
  ASSERT_EQ(anas.attendances_size(), 1);
  EXPECT_EQ(anas.attendances(0).rep(), Name("reps/ana"));
  v1::GetAttendanceRequest get;
  get.set_name(bens.name());
  EXPECT_TRUE(Refused(mini_.Call<v1::Attendance>(ana_, get).status(), errors::RESOURCE_NOT_FOUND));
  get.set_name(at_health.name());
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Attendance>(facilitator_, get).status(), errors::RESOURCE_NOT_FOUND));
  list.set_filter("session = \"" + Name("sessions/2021-12-17") + "\"");
  EXPECT_EQ(Done<v1::ListAttendancesResponse>(chair_, list).attendances_size(), 1);
}

}  // namespace
}  // namespace hub::engagement
