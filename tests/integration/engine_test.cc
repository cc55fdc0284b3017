// What the engine promises of every service alike, shown on membership's methods, on both
// databases: the audit, the access log, and what is let go in time.
#include "common/journal/tables.h"
#include "tests/integration/engine_fixture.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::membership::v1;
using coproduction::options::v1::FACILITATOR;
using ::testing::ElementsAre;
using testing::kForum;
using testing::Refused;
using ::testing::StartsWith;

constexpr Micros kDay = journal::kDay;

ON_BOTH_DATABASES(EngineTest);

TEST_P(EngineTest, EveryRowOfTheJournalIsSealedOnceAndTheHeadIsTold) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(engine().SealJournal().ok());
  EXPECT_EQ(mini_.Rows("blocks"), 1);
  EXPECT_EQ(mini_.Rows("block_rows"), mini_.Rows("journal"));
  ASSERT_TRUE(engine().SealJournal().ok());
  EXPECT_EQ(mini_.Rows("blocks"), 1) << "nothing new, no block";
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(engine().SealJournal().ok());
  EXPECT_EQ(mini_.Rows("blocks"), 2);
  EXPECT_EQ(mini_.Rows("block_rows"), mini_.Rows("journal"));

  std::vector<std::string> told;
  for (const auto& event : mini_.Events("services")) {
    if (event.subject() == "journals/membership") told.push_back(event.data());
  }
  ASSERT_EQ(told.size(), 2u);
  EXPECT_NE(told[0], told[1]);
  auto status = mini_.runtime().Condition();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->sealed_blocks(), 2);
  EXPECT_EQ(status->unsealed_rows(), 0);
  EXPECT_EQ(status->audit_head().size(), 64u);
}

TEST_P(EngineTest, TheDatabaseRefusesToChangeWhatWasSealed) {
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(engine().SealJournal().ok());
  for (const char* sql : {"UPDATE journal SET principal = 'x'", "DELETE FROM journal",
                          "UPDATE blocks SET size = 0", "DELETE FROM block_rows"}) {
    Status status = engine().config().store->WriteAndWait(
        [&](db::Conn& conn) { return conn.Exec(sql, {}).status(); });
    EXPECT_EQ(ReasonOf(status), errors::CONFLICT) << sql << ": " << status;
  }
}

TEST_P(EngineTest, ReadsOfPersonalDataAndRefusalsAreKept) {
  auto member = Create();
  ASSERT_TRUE(member.ok()) << member.status();
  ASSERT_TRUE(Get(admin_, member->name()).ok());
  EXPECT_TRUE(
      Refused(Get(mini_.Token(FACILITATOR), member->name()).status(), errors::ROLE_NOT_ALLOWED));
  const std::string nobody = std::string(kForum) + "/members/nobody";
  EXPECT_TRUE(Refused(Get(admin_, nobody).status(), errors::RESOURCE_NOT_FOUND));
  EXPECT_THAT(Texts("SELECT outcome || ' ' || resource FROM access_log ORDER BY id"),
              ElementsAre("OK " + member->name(), "ROLE_NOT_ALLOWED " + member->name(),
                          "RESOURCE_NOT_FOUND " + nobody));
  EXPECT_THAT(Texts("SELECT principal FROM access_log WHERE outcome = 'ROLE_NOT_ALLOWED'"),
              ElementsAre(StartsWith("https://wcc.test|FACILITATOR")));
}

TEST_P(EngineTest, AnswersAndTheirKeysGoAfterSevenDaysAndTheKeyOfTheCommandStays) {
  ASSERT_TRUE(Create("6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c11").ok());
  const size_t events = Texts("SELECT receiver FROM payloads WHERE receiver <> ''").size();
  ASSERT_GT(events, 0u);
  // As if it had been done nine days ago.
  const int64_t days = (9 * kDay) << journal::kReplicaBits;
  Change("UPDATE keys SET seq = seq - $1", {days});
  Change("UPDATE payloads SET id = id - $1", {days * journal::kPartsPerCommand});
  ASSERT_TRUE(
      engine().config().keys->DayKey("membership", LondonDate(MachineNow() - 9 * kDay)).ok());
  ASSERT_TRUE(engine().Forget().ok());
  EXPECT_THAT(Texts("SELECT receiver FROM payloads WHERE receiver = ''"), ElementsAre());
  EXPECT_EQ(Texts("SELECT receiver FROM payloads").size(), events) << "its unsent events stay";
  EXPECT_FALSE(
      engine().config().keys->DayKey("membership", LondonDate(MachineNow() - 9 * kDay)).ok());
  EXPECT_TRUE(
      Refused(Create("6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c11").status(), errors::ALREADY_DONE));
}

TEST_P(EngineTest, SentEventsGoWhenTheirStreamsHaveLetThemGo) {
  ASSERT_TRUE(Create().ok());
  const size_t events = mini_.Events("services").size();
  const int64_t days = (31 * kDay) << journal::kReplicaBits;
  Change("UPDATE payloads SET id = id - $1, sent_at = $2 WHERE receiver <> ''",
         {days * journal::kPartsPerCommand, MachineNow() - 31 * kDay});
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(engine().Forget().ok());
  EXPECT_EQ(mini_.Events("services").size(), events) << "those of the second alone";
  EXPECT_EQ(Texts("SELECT value FROM meta WHERE name = 'forgotten'").size(), 1u);
}

TEST_P(EngineTest, AnotherBodyUnderAKeyThatWasUsedIsRefusedForThatEvenIfItIsWrong) {
  const std::string id = "6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c12";
  ASSERT_TRUE(Create(id).ok());
  auto other = Request(id);
  other.mutable_member()->set_given_name(std::string(5000, 'x'));
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, other).status(), errors::REQUEST_ID_REUSED));
}

}  // namespace
}  // namespace hub
