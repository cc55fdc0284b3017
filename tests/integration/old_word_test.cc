// What membership has said of a rep decides a booking for five seconds, by the machine's clock.
#include <gtest/gtest.h>

#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/scheduling/v1/allocations.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "services/scheduling/module.h"
#include "tests/integration/machine_clock.h"

namespace hub {
namespace {

namespace membership = ::coproduction::membership::v1;
namespace remuneration = ::coproduction::remuneration::v1;
namespace v1 = ::coproduction::scheduling::v1;
using coproduction::options::v1::CHAIR;
using testing::kForum;
using testing::Refused;

class OldWord : public ::testing::TestWithParam<db::Engine> {
 protected:
  OldWord() : mini_(scheduling::MakeSchedulingModule(), GetParam()) {
    mini_.SetDate("2021-11-15");
    mini_.Answer<remuneration::ReserveCommitmentRequest, remuneration::Commitment>(
        [](const auto&) -> StatusOr<remuneration::Commitment> {
          remuneration::Commitment commitment;
          commitment.set_name(std::string(kForum) + "/commitments/c1");
          return commitment;
        });
  }
  void TearDown() override { integration::ResetMachineClock(); }

  testing::MiniService mini_;
};
ON_BOTH_DATABASES(OldWord);

TEST_P(OldWord, DecidesNoBooking) {
  const std::string chair = mini_.Token(CHAIR);
  v1::CreateSessionRequest create;
  create.set_parent(kForum);
  create.mutable_session()->set_series(v1::Session::BOARD);
  create.mutable_session()->set_activity_kind(v1::Activity::BOARD);
  create.mutable_session()->set_date("2021-12-06");
  create.mutable_session()->set_start_time("11:00");
  const auto session = mini_.Call<v1::Session>(chair, create);
  ASSERT_TRUE(session.ok()) << session.status();
  for (const int seconds : {1, 6}) {  // it takes two more until the step is noticed
    mini_.Answer<membership::CheckAllocationRequest, membership::CheckAllocationResponse>(
        [seconds](const auto&) -> StatusOr<membership::CheckAllocationResponse> {
          membership::CheckAllocationResponse word;
          word.set_allowed(true);
          integration::StepMachineClock(seconds * Micros{1'000'000});
          return word;
        });
    v1::AllocateRepRequest booking;
    booking.set_parent(kForum);
    booking.set_rep(std::string(kForum) + "/reps/r" + std::to_string(seconds));
    booking.set_session(session->name());
    const auto booked = mini_.Call<v1::Allocation>(chair, booking);
    if (seconds == 1) {
      EXPECT_TRUE(booked.ok()) << booked.status();
    } else {
      EXPECT_TRUE(Refused(booked.status(), errors::TEMPORARILY_UNAVAILABLE)) << booked.status();
    }
  }
  EXPECT_EQ(mini_.Rows("allocations WHERE state = 'ALLOCATED'"), 1);
}

}  // namespace
}  // namespace hub
