// A call that is sent again, on both databases, here and at another replica: the same answer and no
// second effect; and updates that rest on one version, of which one is done.
#include <atomic>
#include <set>
#include <thread>

#include "common/journal/tables.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "tests/integration/engine_fixture.h"
#include "tests/integration/machine_clock.h"
#include "tests/integration/player.h"

namespace hub {
namespace {

using integration::Player;
using integration::Stories;
using testing::MiniService;
using testing::Refused;

constexpr int kAtOnce = 16;
constexpr char kId[] = "6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c41";

// --- Every method that changes something.

class EveryMethod : public ::testing::TestWithParam<std::tuple<size_t, db::Engine>> {};
INSTANTIATE_TEST_SUITE_P(Stories, EveryMethod,
                         ::testing::Combine(::testing::Range(size_t{0}, size_t{4}),
                                            ::testing::Values(db::Engine::kSqlite,
                                                              db::Engine::kPostgres)),
                         [](const auto& info) {
                           return Stories()[std::get<0>(info.param)].service +
                                  (std::get<1>(info.param) == db::Engine::kSqlite ? "Sqlite"
                                                                                  : "Postgres");
                         });

TEST_P(EveryMethod, AnswersAResendAsBeforeHereAndElsewhereAndAfterARestart) {
  ASSERT_EQ(Stories().size(), 4u);
  const auto engine = std::get<1>(GetParam());
  Player player(Stories()[std::get<0>(GetParam())], engine);
  player.PlayAll();
  const int64_t rows = player.mini().Rows("journal");
  std::set<std::string> anonymous;
  int resent = 0;
  auto resend = [&](MiniService& at) {
    for (const auto& [method, done] : player.done()) {
      if (method->descriptor->input_type()->FindFieldByName("request_id") == nullptr) continue;
      auto again = integration::New(method->descriptor->output_type());
      Status status = at.Send(done.token, *done.request, again.get());
      if (method->option->anonymous()) {
        EXPECT_FALSE(status.ok()) << integration::ShortName(*method) << " keeps no answer";
        anonymous.insert(integration::ShortName(*method));
        continue;
      }
      EXPECT_TRUE(status.ok()) << integration::ShortName(*method) << ": " << status;
      EXPECT_EQ(again->SerializeAsString(), done.response->SerializeAsString())
          << integration::ShortName(*method);
      ++resent;
    }
    EXPECT_EQ(player.mini().Rows("journal"), rows) << "no second effect";
  };
  resend(player.mini());
  if (engine == db::Engine::kPostgres) {
    MiniService second(&player.mini());
    resend(second);
  }
  player.mini().Restart();
  resend(player.mini());
  EXPECT_GT(resent, 20);
  for (const auto& name : anonymous) EXPECT_EQ(name, "LiveFeedbacks.GiveLiveFeedback");
}

// --- At once.

class Resends : public EngineTest {
 protected:
  void TearDown() override { integration::ResetMachineClock(); }
  // Sends it from so many threads at once, to each of the doors in turn.
  template <class Resp, class Req>
  std::vector<StatusOr<Resp>> AtOnce(const std::vector<MiniService*>& doors, const Req& request) {
    std::vector<StatusOr<Resp>> answers(kAtOnce, Internal("not sent"));
    std::atomic<int> ready{0};
    std::vector<std::thread> senders;
    for (size_t i = 0; i < kAtOnce; ++i) {
      senders.emplace_back([&, i] {
        for (++ready; ready < kAtOnce;) std::this_thread::yield();
        answers[i] = doors[i % doors.size()]->template Call<Resp>(admin_, request);
      });
    }
    for (auto& sender : senders) sender.join();
    return answers;
  }
  void OneEffectAndOneAnswer(const std::vector<MiniService*>& doors) {
    for (int round = 1; round <= 20; ++round) {
      const auto answers = AtOnce<Member>(
          doors, Request("6f0e9a4e-4a93-4d0c-9d5f-" + std::to_string(100000000000 + round)));
      for (const auto& answer : answers) {
        ASSERT_TRUE(answer.ok()) << answer.status();
        EXPECT_EQ(answer->SerializeAsString(), answers[0]->SerializeAsString());
      }
      EXPECT_EQ(mini_.Rows("members"), round);
      EXPECT_EQ(mini_.Rows("journal"), round);
    }
  }
  void OneOfManyUpdates(const std::vector<MiniService*>& doors) {
    auto member = Create();
    ASSERT_TRUE(member.ok()) << member.status();
    for (int round = 1; round <= 20; ++round) {
      ::coproduction::membership::v1::UpdateMemberRequest update;
      update.mutable_member()->set_name(member->name());
      update.mutable_member()->set_etag(member->etag());
      update.mutable_member()->set_phone("07700 9000" + std::to_string(10 + round));
      update.mutable_update_mask()->add_paths("phone");
      int done = 0, refused = 0;
      for (const auto& answer : AtOnce<Member>(doors, update)) {
        if (answer.ok()) ++done, member = answer;
        refused += Refused(answer.status(), errors::ETAG_MISMATCH, "etag") &&
                   answer.status().code() == absl::StatusCode::kAborted;
      }
      EXPECT_EQ(done, 1);
      EXPECT_EQ(refused, kAtOnce - 1);
      EXPECT_EQ(member->etag(), "\"" + std::to_string(round + 1) + "\"");
    }
    EXPECT_EQ(mini_.Rows("journal"), 21);
  }
};
ON_BOTH_DATABASES(Resends);

TEST_P(Resends, OfOneCallAtOnceHaveOneEffectAndOneAnswer) { OneEffectAndOneAnswer({&mini_}); }

TEST_P(Resends, OfUpdatesWithOneEtagAtOnceOneIsDone) { OneOfManyUpdates({&mini_}); }

TEST_P(Resends, OfAnotherPrincipalAreAnotherCall) {
  auto first = Create(kId);
  ASSERT_TRUE(first.ok()) << first.status();
  admin_ = mini_.Token(coproduction::options::v1::MEMBERSHIP_ADMIN, "somebody-else");
  auto other = Request(kId);
  other.mutable_member()->set_given_name("Sam");
  auto second = mini_.Call<Member>(admin_, other);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(second->name(), first->name());
  EXPECT_EQ(mini_.Rows("members"), 2);
}

TEST_P(Resends, AreAnsweredForSevenDaysAndHaveNoEffectEver) {
  constexpr Micros kHour = journal::kDay / 24;
  auto first = Create(kId);
  ASSERT_TRUE(first.ok()) << first.status();
  auto again = [&] {
    admin_ = mini_.Token(coproduction::options::v1::MEMBERSHIP_ADMIN);
    EXPECT_TRUE(engine().Forget().ok());
    return Create(kId);
  };
  integration::StepMachineClock(7 * journal::kDay - kHour);
  auto kept = again();
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->SerializeAsString(), first->SerializeAsString());
  for (int days : {2, 400}) {
    integration::StepMachineClock(days * journal::kDay);
    EXPECT_TRUE(Refused(again().status(), errors::ALREADY_DONE, first->name()));
  }
  EXPECT_EQ(mini_.Rows("members"), 1);
}

class ResendsToReplicas : public Resends {};
INSTANTIATE_TEST_SUITE_P(Engines, ResendsToReplicas, ::testing::Values(db::Engine::kPostgres),
                         testing::EngineName);

TEST_P(ResendsToReplicas, OfOneCallAtOnceHaveOneEffectAndOneAnswer) {
  MiniService second(&mini_);
  OneEffectAndOneAnswer({&mini_, &second});
}

TEST_P(ResendsToReplicas, OfUpdatesWithOneEtagAtOnceOneIsDone) {
  MiniService second(&mini_);
  OneOfManyUpdates({&mini_, &second});
}

}  // namespace
}  // namespace hub
