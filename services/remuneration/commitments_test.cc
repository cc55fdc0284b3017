#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "coproduction/remuneration/events/v1/commitments.pb.h"
#include "coproduction/remuneration/events/v1/funds.pb.h"
#include "services/remuneration/commitments_rules.h"
#include "services/remuneration/mini_remuneration.h"

namespace hub::remuneration {
namespace {

std::string Expires(v1::Commitment::State state, const std::string& session_date,
                    const std::string& today) {
  v1::RemunerationSettings settings;
  settings.set_reservation_days(7);
  settings.set_attendance_wait_days(30);
  settings.set_claim_wait_days(180);
  v1::Commitment commitment;
  commitment.set_state(state);
  commitment.set_session_date(session_date);
  return ExpiresOn(commitment, settings, today);
}

TEST(ExpiresOn, WaitsForTheBookingThenTheAttendanceThenTheClaim) {
  EXPECT_EQ(Expires(v1::Commitment::RESERVED, "2022-03-04", "2022-01-10"), "2022-01-17");
  EXPECT_EQ(Expires(v1::Commitment::CONFIRMED, "2022-03-04", "2022-01-10"), "2022-04-03");
  EXPECT_EQ(Expires(v1::Commitment::EARNED, "2022-03-04", "2022-03-07"), "2022-09-03");
}

TEST(ExpiresOn, NotAtOnceWhereTheSessionIsLongPast) {
  EXPECT_EQ(Expires(v1::Commitment::CONFIRMED, "2021-12-03", "2022-03-04"), "2022-04-03");
}

TEST(Lapsed, OnItsDayWhileItHoldsMoney) {
  v1::Commitment commitment;
  commitment.set_expires_on("2022-05-09");
  for (auto state : {v1::Commitment::RESERVED, v1::Commitment::CONFIRMED, v1::Commitment::EARNED}) {
    commitment.set_state(state);
    EXPECT_FALSE(Lapsed(commitment, "2022-05-08"));
    EXPECT_TRUE(Lapsed(commitment, "2022-05-09"));
  }
  for (auto state : {v1::Commitment::CLAIMED, v1::Commitment::RELEASED, v1::Commitment::EXPIRED}) {
    commitment.set_state(state);
    EXPECT_FALSE(Lapsed(commitment, "2022-05-09"));
  }
}

TEST(Places, TheLastOneEndedFreesTheMoney) {
  v1::Commitment commitment;
  commitment.set_state(v1::Commitment::RESERVED);
  AddPlace(&commitment);
  commitment.set_state(v1::Commitment::CONFIRMED);
  AddPlace(&commitment);
  EXPECT_EQ(commitment.places(), 2);
  EXPECT_FALSE(TakePlace(&commitment));
  EXPECT_TRUE(TakePlace(&commitment));
}

TEST(Places, OfWhatWasAttendedOrNeverCountedFreeNothing) {
  v1::Commitment uncounted;
  uncounted.set_state(v1::Commitment::CONFIRMED);
  AddPlace(&uncounted);
  EXPECT_FALSE(uncounted.has_places());
  EXPECT_FALSE(TakePlace(&uncounted));
  v1::Commitment attended;
  attended.set_places(1);
  for (auto state : {v1::Commitment::EARNED, v1::Commitment::CLAIMED}) {
    attended.set_state(state);
    EXPECT_FALSE(TakePlace(&attended));
  }
}

using testing::Refused;
namespace events = ::coproduction::remuneration::events::v1;

class Commitments : public MiniRemuneration {
 protected:
  void SetUp() override { SetRate(v1::Rate::FEE_TWO_HOURS, "2022-05-01", 50000); }
  StatusOr<v1::Commitment> Release(const std::string& name) {
    v1::ReleaseCommitmentRequest in;
    in.set_name(name);
    return mini_.Call<v1::Commitment>(scheduling_, in);
  }
  std::string fund() { return "fund-" + IdOf(fund_); }
  std::string promised() { return "commitments-" + IdOf(fund_); }
  std::string fund_;
};
ON_BOTH_DATABASES(Commitments);

TEST_P(Commitments, HoldsTheFeeOncePerRepAndSession) {
  fund_ = OpenFund(1750000).name();
  auto first = Reserve(kAnn, "s1");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->amount_pence(), 5000);
  EXPECT_EQ(first->state(), v1::Commitment::RESERVED);
  EXPECT_EQ(first->expires_on(), "2022-05-09");
  EXPECT_EQ(first->rep(), RepOf(kAnn));
  EXPECT_EQ(Reserve(kAnn, "s1")->name(), first->name());
  EXPECT_EQ(mini_.Rows("commitments"), 1);
  EXPECT_EQ(Balance(fund()), 1745000);
  EXPECT_EQ(Balance(promised()), 5000);
  EXPECT_EQ(mini_.Published<events::CommitmentMade>().size(), 1u);
}

TEST_P(Commitments, HoldsNothingBeforeTheForumPaysAFee) {
  fund_ = OpenFund(1750000).name();
  v1::ReserveCommitmentRequest in;
  in.set_parent(kForum);
  in.set_rep(RepOf(kAnn));
  in.set_session(SessionOf("early"));
  in.set_session_date("2022-04-29");
  in.set_activity_kind(Activity::HUB);
  in.set_minutes(120);
  auto commitment = Done<v1::Commitment>(scheduling_, in);
  EXPECT_EQ(commitment.amount_pence(), 0);
  EXPECT_EQ(mini_.Rows("transfers"), 1);  // the opening alone
  EXPECT_TRUE(Release(commitment.name()).ok());
}

TEST_P(Commitments, TheLastPoundsAreNotPromisedTwice) {
  fund_ = OpenFund(9000).name();
  std::vector<std::thread> threads;
  std::atomic<int> made = 0, refused = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      auto out = Reserve(i % 2 == 0 ? kAnn : kBob, "s" + std::to_string(i));
      if (out.ok()) ++made;
      if (Refused(out.status(), errors::RULE_REFUSED, "no_fund_pays")) ++refused;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(Balance(fund()), 4000);
  auto status = Reserve(kBob, "another").status();
  EXPECT_NE(MessageOf(status).find("Grant (" + fund_ + "), 40.00 pounds left"), std::string::npos)
      << status;
}

TEST_P(Commitments, AProjectTakesThePartnersContribution) {
  fund_ = OpenFund(1750000).name();
  EXPECT_TRUE(Refused(Reserve(kAnn, "s1", Activity::PROJECT, kWcc).status(), errors::RULE_REFUSED,
                      "no_fund_pays"));
  v1::Fund shared = OpenFund(500000, kWcc);
  EXPECT_EQ(Reserve(kAnn, "s1", Activity::PROJECT, kWcc)->fund(), shared.name());
  EXPECT_EQ(Balance(fund()), 1750000);
}

TEST_P(Commitments, ReleasedItsMoneyIsFreeAgainOnce) {
  fund_ = OpenFund(1750000).name();
  auto commitment = *Reserve(kAnn, "s1");
  EXPECT_EQ(Release(commitment.name())->state(), v1::Commitment::RELEASED);
  EXPECT_EQ(Release(commitment.name())->state(), v1::Commitment::RELEASED);
  EXPECT_EQ(Balance(fund()), 1750000);
  EXPECT_EQ(Balance(promised()), 0);
  EXPECT_EQ(mini_.Rows("transfers"), 3);
  EXPECT_NE(Reserve(kAnn, "s1")->name(), commitment.name());
}

TEST_P(Commitments, LapsesUnlessTheBookingFollows) {
  fund_ = OpenFund(1750000).name();
  auto lapsed = *Reserve(kAnn, "s1");
  auto booked = *Reserve(kBob, "s1");
  EXPECT_TRUE(Allocated(kBob, "s1").ok());
  EXPECT_TRUE(Allocated(kCat, "s1").ok());  // booked before the forum paid: nothing to confirm
  mini_.SetDate("2022-05-08");
  EXPECT_EQ(CommitmentNow(lapsed.name()).state(), v1::Commitment::RESERVED);
  mini_.SetDate("2022-05-09");
  EXPECT_EQ(CommitmentNow(lapsed.name()).state(), v1::Commitment::EXPIRED);
  EXPECT_EQ(CommitmentNow(booked.name()).state(), v1::Commitment::CONFIRMED);
  EXPECT_EQ(CommitmentNow(booked.name()).expires_on(), "2022-06-05");
  EXPECT_EQ(Balance(promised()), 5000);
  EXPECT_EQ(Release(lapsed.name())->state(), v1::Commitment::EXPIRED);
  mini_.SetDate("2022-06-05");  // nobody recorded an attendance
  EXPECT_EQ(Balance(promised()), 0);
}

TEST_P(Commitments, ABookingToldAfterTheReservationLapsedGetsItsPromise) {
  fund_ = OpenFund(1750000).name();
  auto lapsed = *Reserve(kAnn, "s1");
  mini_.SetDate("2022-05-09");
  EXPECT_EQ(Balance(promised()), 0);
  EXPECT_TRUE(Allocated(kAnn, "s1").ok());
  EXPECT_EQ(Balance(promised()), 5000);
  auto again = *Reserve(kAnn, "s1");
  EXPECT_NE(again.name(), lapsed.name());
  EXPECT_EQ(again.state(), v1::Commitment::CONFIRMED);
  EXPECT_EQ(again.fund(), fund_);
}

TEST_P(Commitments, TheLastPlaceEndedItsMoneyIsFreeAtOnce) {
  fund_ = OpenFund(1750000).name();
  auto booked = *Reserve(kAnn, "s1");
  EXPECT_TRUE(Allocated(kAnn, "s1").ok());  // two items of the session
  EXPECT_TRUE(Allocated(kAnn, "s1").ok());
  EXPECT_TRUE(Ended(kAnn, "s1").ok());
  EXPECT_EQ(CommitmentNow(booked.name()).state(), v1::Commitment::CONFIRMED);
  EXPECT_EQ(Balance(promised()), 5000);
  EXPECT_TRUE(Ended(kAnn, "s1").ok());
  EXPECT_EQ(CommitmentNow(booked.name()).state(), v1::Commitment::RELEASED);
  EXPECT_EQ(Balance(promised()), 0);
  EXPECT_EQ(Balance(fund()), 1750000);
  EXPECT_TRUE(Ended(kBob, "s1").ok());  // booked before the forum paid
  // A new place that was booked on the promise before its end was told.
  EXPECT_TRUE(Allocated(kAnn, "s1").ok());
  EXPECT_EQ(Balance(promised()), 5000);
}

TEST_P(Commitments, ANewPlaceToldBeforeTheOldOnesEndKeepsThePromise) {
  fund_ = OpenFund(1750000).name();
  auto booked = *Reserve(kAnn, "s1");
  EXPECT_TRUE(Allocated(kAnn, "s1").ok());
  EXPECT_TRUE(Allocated(kAnn, "s1").ok());
  EXPECT_TRUE(Ended(kAnn, "s1").ok());
  EXPECT_TRUE(Attended(kAnn, "s1").ok());
  EXPECT_TRUE(Ended(kAnn, "s1").ok());  // too late: the rep came
  EXPECT_EQ(CommitmentNow(booked.name()).state(), v1::Commitment::EARNED);
  EXPECT_EQ(Balance(promised()), 5000);
}

TEST_P(Commitments, ACancelledSessionReleasesAll) {
  fund_ = OpenFund(1750000).name();
  Reserve(kAnn, "s1").value();
  Reserve(kBob, "s1").value();
  auto other = *Reserve(kAnn, "s2");
  ::coproduction::scheduling::events::v1::SessionCancelled event;
  event.set_session(SessionOf("s1"));
  EXPECT_TRUE(mini_.Deliver(event.session(), event).ok());
  EXPECT_EQ(Balance(promised()), 5000);
  EXPECT_EQ(CommitmentNow(other.name()).state(), v1::Commitment::RESERVED);
}

TEST_P(Commitments, AFundIsSaidOnceToBeNearlySpent) {
  fund_ = OpenFund(50000).name();
  for (int i = 0; i < 8; ++i) Reserve(kAnn, "s" + std::to_string(i)).value();
  EXPECT_TRUE(mini_.Published<events::FundNearlySpent>().empty());
  Reserve(kAnn, "s8").value();
  Reserve(kAnn, "s9").value();
  auto told = mini_.Published<events::FundNearlySpent>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].fund(), fund_);
  EXPECT_EQ(told[0].nearly_spent_on(), "2022-05-02");
}

TEST_P(Commitments, OnlyServicesReserve) {
  v1::ReserveCommitmentRequest in;
  in.set_parent(kForum);
  EXPECT_TRUE(Refused(mini_.Call<v1::Commitment>(chair_, in).status(), errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Commitment>(scheduling_, in).status(), errors::FIELD_REQUIRED));
}

}  // namespace
}  // namespace hub::remuneration
