#include <gtest/gtest.h>

#include "services/remuneration/entitlements_rules.h"
#include "services/remuneration/mini_remuneration.h"

namespace hub::remuneration {
namespace {

::coproduction::engagement::events::v1::AttendanceRecorded Attendance() {
  ::coproduction::engagement::events::v1::AttendanceRecorded event;
  event.set_attendance("forums/w/attendances/a");
  event.set_rep("forums/w/reps/ann");
  event.set_session("forums/w/sessions/s");
  event.set_session_date("2022-05-06");
  event.set_activity_kind(Activity::HUB);
  event.set_session_minutes(120);
  event.set_partner("forums/w/partners/wcc");
  return event;
}

TEST(Earned, TheSessionItsHoursAndItsKindOfActivity) {
  auto earned = Earned(Attendance());
  ASSERT_TRUE(earned.ok()) << earned.status();
  EXPECT_EQ(earned->rep(), "forums/w/reps/ann");
  EXPECT_EQ(earned->session(), "forums/w/sessions/s");
  EXPECT_EQ(earned->session_date(), "2022-05-06");
  EXPECT_EQ(earned->activity_kind(), Activity::HUB);
  EXPECT_EQ(earned->minutes(), 120);
  EXPECT_EQ(earned->partner(), "forums/w/partners/wcc");
}

TEST(Earned, NothingIsTakenForNothing) {
  auto event = Attendance();
  event.clear_activity_kind();
  EXPECT_EQ(ErrorInfoOf(Earned(event).status()).metadata().at("field"), "activity_kind");
  event = Attendance();
  event.set_session_minutes(0);
  EXPECT_EQ(ErrorInfoOf(Earned(event).status()).metadata().at("field"), "session_minutes");
}

TEST(Honour, TheBookingsPromiseSaysWhoAskedForWhat) {
  v1::Entitlement entitlement = *Earned(Attendance());
  v1::Commitment promise;
  promise.set_name("forums/w/commitments/c");
  promise.set_activity_kind(Activity::PROJECT);
  Honour(promise, &entitlement);
  EXPECT_EQ(entitlement.commitment(), "forums/w/commitments/c");
  EXPECT_EQ(entitlement.activity_kind(), Activity::PROJECT);
  EXPECT_FALSE(entitlement.has_partner());
}

class Entitlements : public MiniRemuneration {
 protected:
  void SetUp() override {
    SetRate(v1::Rate::FEE_TWO_HOURS, "2022-05-01", 50000);
    mini_.SetDate("2022-05-20");
  }
  v1::ListEntitlementsResponse List(const std::string& token) {
    v1::ListEntitlementsRequest in;
    in.set_parent(kForum);
    return Done<v1::ListEntitlementsResponse>(token, in);
  }
};
ON_BOTH_DATABASES(Entitlements);

TEST_P(Entitlements, EarnedOncePerRepAndSessionWhateverTheItems) {
  EXPECT_TRUE(Attended(kAnn, "s1").ok());
  EXPECT_TRUE(Attended(kAnn, "s1").ok());  // another item of the session
  EXPECT_TRUE(Attended(kAnn, "s0", "2022-04-29", Activity::PREP).ok());
  EXPECT_TRUE(Attended(kBob, "s1").ok());
  auto own = List(ann_);
  ASSERT_EQ(own.entitlements_size(), 2);
  EXPECT_EQ(own.entitlements(0).session(), SessionOf("s0"));
  EXPECT_EQ(own.entitlements(0).fee_pence(), 0);  // before the forum paid a fee
  EXPECT_EQ(own.entitlements(1).fee_pence(), 5000);
  EXPECT_EQ(own.entitlements(1).rep(), RepOf(kAnn));
  EXPECT_FALSE(own.entitlements(1).claimed());
  EXPECT_EQ(List(chair_).entitlements_size(), 3);
  v1::GetEntitlementRequest in;
  in.set_name(own.entitlements(0).name());
  EXPECT_TRUE(
      testing::Refused(mini_.Call<v1::Entitlement>(bob_, in).status(), errors::RESOURCE_NOT_FOUND));
}

TEST_P(Entitlements, TheBookingsPromiseWaitsForTheClaimThenLapses) {
  v1::Fund fund = OpenFund(1750000);
  auto commitment = *Reserve(kAnn, "s1");
  EXPECT_TRUE(Attended(kAnn, "s1").ok());
  EXPECT_EQ(List(ann_).entitlements(0).commitment(), commitment.name());
  EXPECT_EQ(CommitmentNow(commitment.name()).state(), v1::Commitment::EARNED);
  EXPECT_EQ(Balance("commitments-" + IdOf(fund.name())), 5000);
  mini_.SetDate("2022-11-16");  // 180 days from the day it was told
  EXPECT_EQ(CommitmentNow(commitment.name()).state(), v1::Commitment::EXPIRED);
  EXPECT_EQ(Balance("fund-" + IdOf(fund.name())), 1750000);
}

}  // namespace
}  // namespace hub::remuneration
