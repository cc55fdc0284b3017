#include "common/rpc/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "common/base/clock.h"
#include "common/rpc/wire.h"

namespace hub {
namespace {

using ::testing::HasSubstr;

// As it reaches a caller.
Micros Told(const Status& status) { return DelayOf(FromWire(ToWire(status))); }

TEST(LimitsTest, ABurstThenTheRateEachForItself) {
  Limits::Options options;
  options.per_second = 10;
  options.burst = 3;
  Limits limits(options);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limits.Enter("a").ok());
  const Status refused = limits.Enter("a");
  EXPECT_EQ(ReasonOf(refused), errors::LIMIT_REACHED);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  const Micros delay = Told(refused);
  EXPECT_GT(delay, 0);
  EXPECT_LE(delay, 100000);
  EXPECT_TRUE(limits.Enter("b").ok());
  std::this_thread::sleep_for(std::chrono::microseconds(delay));  // what was said is enough
  EXPECT_TRUE(limits.Enter("a").ok());
}

TEST(LimitsTest, SoManyAtOnceUntilOneLeaves) {
  Limits::Options options;
  options.at_once = 2;
  Limits limits(options);
  EXPECT_TRUE(limits.Enter("a").ok());
  EXPECT_TRUE(limits.Enter("a").ok());
  const Status refused = limits.Enter("a");
  EXPECT_EQ(ReasonOf(refused), errors::LIMIT_REACHED);
  EXPECT_THAT(MessageOf(refused), HasSubstr("2 calls under way"));
  EXPECT_GT(Told(refused), 0);
  EXPECT_TRUE(limits.Enter("b").ok());
  limits.Leave("a");
  EXPECT_TRUE(limits.Enter("a").ok());
}

TEST(LimitsTest, WhoIsRefusedUsesNothingUp) {
  Limits::Options options;
  options.per_second = 0.001;
  options.burst = 2;
  options.at_once = 1;
  Limits limits(options);
  EXPECT_TRUE(limits.Enter("a").ok());
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limits.Enter("a").ok());
  limits.Leave("a");
  EXPECT_TRUE(limits.Enter("a").ok());
}

// Callers who rest are forgotten; who is inside, or has used their calls up, is not.
TEST(LimitsTest, AsManyCallersAsCome) {
  Limits::Options options;
  options.per_second = 0.001;
  options.burst = 1;
  options.at_once = 1;
  Limits limits(options);
  for (int i = 0; i < 20001; ++i) {
    const std::string caller = std::to_string(i);
    EXPECT_TRUE(limits.Enter(caller).ok());
    EXPECT_FALSE(limits.Enter(caller).ok());
    limits.Leave(caller);
  }
  EXPECT_FALSE(limits.Enter("0").ok());
}

TEST(LimitsTest, None) {
  Limits limits;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limits.Enter("a").ok());
}

TEST(LimitsTest, ARequestThatNeverFitsIsNotToComeAgain) {
  Limits::Options options;
  options.request_bytes = 100;
  Limits limits(options);
  EXPECT_TRUE(limits.CheckSize(100).ok());
  const Status refused = limits.CheckSize(101);
  EXPECT_EQ(ReasonOf(refused), errors::LIMIT_REACHED);
  EXPECT_EQ(Told(refused), 0);
}

TEST(LimitsTest, ADeadlineIsTheCallersOrTheLongest) {
  Limits::Options options;
  options.longest = 5'000'000;
  Limits limits(options);
  const Micros now = MachineNow();
  EXPECT_EQ(limits.Deadline(now + 1000), now + 1000);
  for (Micros late : {now + 6'000'000, std::numeric_limits<Micros>::max()}) {
    const Micros deadline = limits.Deadline(late);
    EXPECT_GE(deadline, now + 5'000'000);
    EXPECT_LE(deadline, MachineNow() + 5'000'000);
  }
}

TEST(WireTest, TheDelayComesThroughACallOfAnother) {
  const Status refused = RetryAfter(Refuse(errors::LIMIT_REACHED, "wait"), 1'250'000);
  const Status received = FromWire(ToWire(refused));
  EXPECT_EQ(ReasonOf(received), errors::LIMIT_REACHED);
  EXPECT_EQ(Told(received), 1'250'000);
  EXPECT_EQ(Told(Refuse(errors::TEMPORARILY_UNAVAILABLE, "away")), 1'000'000);
}

}  // namespace
}  // namespace hub
