// The sequence in which a receiver hears of a record has no gap, whatever was refused, sent again,
// undone or run at the same time: it is by this that a consumer knows a lost event from one that
// was never for it.
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/conformance/engine_case.h"

namespace hub::db {
namespace {

class Density : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    store_.reset();
    Begin();
  }
  void Begin() {
    case_.reset();
    case_ = std::make_unique<EngineCase>(options_, folder_.path() + "/keys.db");
  }
  EngineCase& hub() { return *case_; }

  // receiver -> how many events of that record it was sent, which are 1, 2, 3 ... and no other.
  std::map<std::string, int> Heard(const std::string& name) {
    std::map<std::string, int> heard;
    Status status = hub().store().ReadAndWait([&](Conn& conn) {
      heard.clear();
      return conn.Query(
          "SELECT receiver, n FROM payloads WHERE receiver <> '' AND aggregate = $1"
          " ORDER BY receiver, n",
          {name}, [&](const Row& row) {
            const std::string receiver(row.Text(0));
            EXPECT_EQ(row.Int(1), ++heard[receiver]) << receiver << " of " << name;
            return absl::OkStatus();
          });
    });
    EXPECT_TRUE(status.ok()) << status;
    return heard;
  }
  // Whoever hears of it hears of every version, the partner of those that are told to it.
  void ExpectHeard(const std::string& name, int versions, int told) {
    std::map<std::string, int> expected = {{"services", versions}, {kForum, versions}};
    if (told > 0) expected[kWcc] = told;
    EXPECT_EQ(Heard(name), expected);
  }

  // All at once, each by a thread of its own, sent again where it was told to try later.
  void AllAtOnce(const std::vector<EngineCase::Handler>& handlers, std::vector<EngineCase*> hubs) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < handlers.size(); ++i) {
      threads.emplace_back([&, i] {
        Status status = Persist([&] { return hubs[i % hubs.size()]->Do(handlers[i]); });
        EXPECT_TRUE(status.ok()) << status;
      });
    }
    for (auto& thread : threads) thread.join();
  }

  std::unique_ptr<EngineCase> case_;
};
ON_BOTH(Density);

TEST_P(Density, WhoHearsOfEveryChangeHearsOfEveryVersion) {
  const std::string name = hub().NewRequest();
  ExpectHeard(name, 1, 0);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(hub().Do(EngineCase::Change(name, false)).ok());
  ExpectHeard(name, 11, 0);
}

TEST_P(Density, APartnerThatHearsOfLessHasASequenceOfItsOwn) {
  const std::string name = hub().NewRequest();
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(hub().Do(EngineCase::Change(name, i % 3 == 0)).ok());
  ExpectHeard(name, 13, 4);
}

TEST_P(Density, EachRecordHasItsOwn) {
  const std::string one = hub().NewRequest(), two = hub().NewRequest();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(hub().Do(EngineCase::Change(one, true)).ok());
    if (i % 2 == 0) {
      ASSERT_TRUE(hub().Do(EngineCase::Change(two, true)).ok());
    }
  }
  ExpectHeard(one, 7, 6);
  ExpectHeard(two, 4, 3);
}

TEST_P(Density, OtherPartnersAndOtherForumsHearNothing) {
  const std::string name = hub().NewRequest(kIcb);
  ASSERT_TRUE(hub().Do(EngineCase::Change(name, true)).ok());
  EXPECT_EQ(Heard(name), (std::map<std::string, int>{{"services", 2}, {kForum, 2}, {kIcb, 1}}));
}

TEST_P(Density, ARefusedCommandTakesNoNumber) {
  const std::string name = hub().NewRequest();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(hub().Do(EngineCase::Change(name, true)).ok());
    Status status = hub().Do([&](Write& write) -> Status {
      RETURN_IF_ERROR(EngineCase::Change(name, true)(write));
      return RuleRefused("late", "too late");
    });
    EXPECT_EQ(RefusalOf(status), errors::RULE_REFUSED) << status;
  }
  ExpectHeard(name, 6, 5);
}

TEST_P(Density, ACommandThatWasOnlyCheckedTakesNoNumber) {
  const std::string name = hub().NewRequest();
  for (int i = 0; i < 3; ++i) {
    auto call = hub().Call();
    call->validate_only = true;
    Status status = hub().engine().ExecuteAndWait(call, EngineCase::Change(name, true));
    EXPECT_TRUE(status.ok()) << status;
    ASSERT_TRUE(hub().Do(EngineCase::Change(name, true)).ok());
  }
  ExpectHeard(name, 4, 3);
}

TEST_P(Density, ACommandSentAgainTakesNoNumber) {
  const std::string name = hub().NewRequest();
  for (int again = 0; again < 4; ++again) {
    Status status = hub().Do(EngineCase::Change(name, true), "the same");
    EXPECT_TRUE(status.ok()) << status;
  }
  ExpectHeard(name, 2, 1);
}

TEST_P(Density, ACommandThatChangesNothingTakesNoNumber) {
  const std::string name = hub().NewRequest();
  Status status = hub().Do([&](Write& write) -> Status {
    ASSIGN_OR_RETURN(EngagementRequest request, write.Get<EngagementRequest>(name));
    return write.Put(std::move(request)).status();
  });
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_TRUE(hub().Do(EngineCase::Change(name, false)).ok());
  ExpectHeard(name, 2, 0);
}

TEST_P(Density, ACommandThatStoresTwiceTakesOneNumber) {
  const std::string name = hub().NewRequest();
  Status status = hub().Do([&](Write& write) -> Status {
    RETURN_IF_ERROR(EngineCase::Change(name, true)(write));
    return EngineCase::Change(name, false)(write);
  });
  EXPECT_TRUE(status.ok()) << status;
  ExpectHeard(name, 2, 1);
}

TEST_P(Density, CommandsOfOneRecordAtTheSameTime) {
  const std::string name = hub().NewRequest();
  std::vector<EngineCase::Handler> handlers;
  for (int i = 0; i < 40; ++i) handlers.push_back(EngineCase::Change(name, i % 2 == 0));
  AllAtOnce(handlers, {case_.get()});
  ExpectHeard(name, 41, 20);
}

TEST_P(Density, CommandsOfTwoRecordsEachInEitherOrderAtTheSameTime) {
  const std::string one = hub().NewRequest(), two = hub().NewRequest();
  std::vector<EngineCase::Handler> handlers;
  for (int i = 0; i < 30; ++i) {
    auto first = EngineCase::Change(i % 2 == 0 ? one : two, true);
    auto second = EngineCase::Change(i % 2 == 0 ? two : one, true);
    handlers.emplace_back([=](Write& write) -> Status {
      RETURN_IF_ERROR(first(write));
      return second(write);
    });
  }
  AllAtOnce(handlers, {case_.get()});
  ExpectHeard(one, 31, 30);
  ExpectHeard(two, 31, 30);
}

TEST_P(Density, RefusalsAmongCommandsAtTheSameTime) {
  const std::string name = hub().NewRequest();
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&, i] {
      auto change = EngineCase::Change(name, true);
      Status status = Persist([&] {
        return hub().Do([&](Write& write) -> Status {
          RETURN_IF_ERROR(change(write));
          return i % 4 == 0 ? RuleRefused("late", "too late") : Status();
        });
      });
      EXPECT_EQ(status.ok(), i % 4 != 0) << status;
    });
  }
  for (auto& thread : threads) thread.join();
  ExpectHeard(name, 31, 30);
}

TEST_P(Density, ARestartGoesOnWhereItWas) {
  const std::string name = hub().NewRequest();
  for (int start = 0; start < 3; ++start) {
    ASSERT_TRUE(hub().Do(EngineCase::Change(name, true)).ok());
    Begin();
    ASSERT_TRUE(hub().Do(EngineCase::Change(name, false)).ok());
  }
  ExpectHeard(name, 7, 3);
}

TEST_P(Density, WhatIsLetGoLeavesTheNextNumberAsItIs) {
  const std::string name = hub().NewRequest();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(hub().Do(EngineCase::Change(name, true)).ok());
  Status status = hub().store().WriteAndWait(
      [](Conn& conn) { return conn.Exec("DELETE FROM payloads", {}).status(); });
  ASSERT_TRUE(status.ok()) << status;
  Begin();
  ASSERT_TRUE(hub().Do(EngineCase::Change(name, true)).ok());
  std::vector<std::string> next;
  status = hub().store().ReadAndWait([&](Conn& conn) {
    next.clear();
    return conn.Query("SELECT receiver, n FROM payloads WHERE receiver <> '' ORDER BY receiver", {},
                      [&](const Row& row) {
                        next.push_back(std::string(row.Text(0)) + " " + std::to_string(row.Int(1)));
                        return absl::OkStatus();
                      });
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(next, ElementsAre("forums/warwickshire 6", "forums/warwickshire/partners/wcc 5",
                                "services 6"));
}

class DensityOfReplicas : public Density {};
ON(DensityOfReplicas, Engine::kPostgres);

TEST_P(DensityOfReplicas, CommandsOfOneRecordInTwoProcesses) {
  EngineCase other(options_, folder_.path() + "/other_keys.db", 1);
  const std::string name = hub().NewRequest();
  std::vector<EngineCase::Handler> handlers;
  for (int i = 0; i < 40; ++i) handlers.push_back(EngineCase::Change(name, i % 2 == 0));
  AllAtOnce(handlers, {case_.get(), &other});
  ExpectHeard(name, 41, 20);
}

TEST_P(DensityOfReplicas, ConnectionsThatAreCutTakeNoNumber) {
  const std::string name = hub().NewRequest();
  for (int i = 0; i < 6; ++i) {
    bool cut = i % 2 == 0;
    auto change = EngineCase::Change(name, true);
    Status status = Persist([&] {
      return hub().Do([&](Write& write) -> Status {
        RETURN_IF_ERROR(change(write));
        if (!std::exchange(cut, false)) return Status();
        return write.sql().Exec("SELECT pg_terminate_backend(pg_backend_pid())", {}).status();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  ExpectHeard(name, 7, 6);
}

}  // namespace
}  // namespace hub::db
