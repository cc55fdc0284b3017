// The machine's clock goes back an hour, or over midnight, on both databases: sequences, answers,
// tokens, leases and the audit go on.
#include "common/events/lease.h"
#include "common/journal/tables.h"
#include "tests/integration/engine_fixture.h"
#include "tests/integration/machine_clock.h"

namespace hub {
namespace {

using events::Lease;
using integration::SetMachineTime;
using integration::StepMachineClock;
using testing::Refused;

constexpr Micros kSecond = 1'000'000, kHour = 3600 * kSecond;

class ClockBack : public EngineTest {
 protected:
  void TearDown() override { integration::ResetMachineClock(); }
  int64_t LastSequence() { return Number("SELECT MAX(seq) FROM journal"); }
  StatusOr<Member> CreateAnew(const std::string& request_id = "") {
    admin_ = mini_.Token(coproduction::options::v1::MEMBERSHIP_ADMIN);  // by a clock that is right
    return Create(request_id);
  }
};
ON_BOTH_DATABASES(ClockBack);

TEST_P(ClockBack, TheJournalGoesOnAboveWhatIsStored) {
  ASSERT_TRUE(Create().ok());
  const int64_t first = LastSequence();
  StepMachineClock(-kHour);
  ASSERT_TRUE(CreateAnew().ok());
  const int64_t second = LastSequence();
  EXPECT_GT(second, first);
  mini_.Restart();
  ASSERT_TRUE(CreateAnew().ok());
  EXPECT_GT(LastSequence(), second);
  EXPECT_GT(LastSequence() >> journal::kReplicaBits, MachineNow()) << "so the clock is behind";
  EXPECT_EQ(mini_.Rows("journal"), 3);
}

TEST_P(ClockBack, AResendOverMidnightHasTheSameAnswer) {
  const std::string early = "6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c31";
  const std::string late = "6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c32";
  SetMachineTime("00:30");
  auto first = CreateAnew(early);
  ASSERT_TRUE(first.ok()) << first.status();
  StepMachineClock(-kHour);
  auto second = CreateAnew(late);
  ASSERT_TRUE(second.ok()) << second.status();
  for (int i = 0; i < 2; ++i) {
    auto again = CreateAnew(early), also = CreateAnew(late);
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_TRUE(also.ok()) << also.status();
    EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
    EXPECT_EQ(also->SerializeAsString(), second->SerializeAsString());
    mini_.Restart();
  }
  EXPECT_EQ(mini_.Rows("members"), 2);
}

TEST_P(ClockBack, ServicesCallEachOtherAsBefore) {
  coproduction::hub::v1::GetStatusRequest request;
  auto call = [&] {
    return mini_.Call<coproduction::hub::v1::HubStatus>(mini_.ServiceToken("scheduling"), request)
        .status();
  };
  EXPECT_TRUE(call().ok());
  StepMachineClock(-kHour);
  EXPECT_TRUE(call().ok()) << call();
}

TEST_P(ClockBack, ATokenOfTheFutureIsNotKnownFromBefore) {
  auto member = Create();
  ASSERT_TRUE(Get(admin_, member->name()).ok());
  StepMachineClock(-kHour);
  EXPECT_TRUE(Refused(Get(admin_, member->name()).status(), errors::UNAUTHENTICATED));
}

TEST_P(ClockBack, AllIsSealedAndTheBlocksStayInOrder) {
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(engine().SealJournal().ok());
  StepMachineClock(-kHour);
  ASSERT_TRUE(CreateAnew().ok());
  mini_.Restart();
  ASSERT_TRUE(CreateAnew().ok());
  ASSERT_TRUE(engine().SealJournal().ok());
  EXPECT_EQ(mini_.Rows("block_rows"), 3);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM block_rows a JOIN block_rows b ON b.seq > a.seq AND "
                   "(b.block < a.block OR (b.block = a.block AND b.position < a.position))"),
            0);
}

TEST_P(ClockBack, AHolderTakesItsLeaseAnewAndAnothersEndsInTime) {
  db::Store* store = engine().config().store;
  constexpr Micros kLength = kSecond;
  Lease one(store, "relay/x", "one", kLength), two(store, "relay/x", "two", kLength);
  EXPECT_EQ(*one.Take(kLength / 2), Lease::kTaken);
  StepMachineClock(-kHour);
  EXPECT_EQ(one.left(), 0) << "it relies on nothing that was taken before";
  EXPECT_EQ(*two.Take(kLength / 2), Lease::kForeign);
  EXPECT_EQ(*one.Take(kLength / 2), Lease::kKept);
  EXPECT_GT(one.left(), 0);
  EXPECT_EQ(*two.Take(kLength / 2), Lease::kForeign);
  // Nobody lengthens it, and an hour is not waited for.
  StepMachineClock(-kHour);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (*two.Take(kLength / 2) == Lease::kForeign && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_GT(two.left(), 0);
}

}  // namespace
}  // namespace hub
