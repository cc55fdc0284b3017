#include <string>
#include <vector>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

// With one writer: what waits behind a job is then one batch, in its order, on either engine.
class DbSavepoints : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    options_.writers = 1;
    Reopen();
  }
};
ON_BOTH(DbSavepoints);

TEST_P(DbSavepoints, AFailingJobTouchesNoOther) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {0, "taken", 0}).ok());
  std::vector<Store::Job> jobs;
  for (int i = 1; i <= 60; ++i) {
    jobs.push_back([i](Conn& conn) {
      RETURN_IF_ERROR(conn.Exec(kInsert, {i, "n" + std::to_string(i), 0}).status());
      if (i % 5 == 0) return Reason(errors::RULE_REFUSED);
      if (i % 5 == 1) return conn.Exec(kInsert, {1000 + i, "taken", 0}).status();
      if (i % 5 == 2) return conn.Exec("UPDATE items SET n = 2000000 WHERE id = $1", {i}).status();
      if (i % 5 == 3) return conn.Exec("SELECT no_such_column FROM items", {}).status();
      return conn.Exec("UPDATE items SET n = $1 WHERE id = $2", {i, i}).status();
    });
  }
  std::vector<Status> results = Together(jobs);
  for (int i = 1; i <= 60; ++i) {
    static constexpr errors::ErrorReason kExpected[] = {
        errors::RULE_REFUSED, errors::RESOURCE_EXISTS, errors::CONFLICT, errors::INTERNAL_FAULT};
    if (i % 5 == 4) {
      EXPECT_TRUE(results[i - 1].ok()) << i << ": " << results[i - 1];
    } else {
      EXPECT_EQ(RefusalOf(results[i - 1]), kExpected[i % 5]) << i << ": " << results[i - 1];
    }
  }
  EXPECT_EQ(Int("SELECT count(*) FROM items WHERE id > 0"), 12);
  EXPECT_EQ(Int("SELECT count(*) FROM items WHERE id > 0 AND id % 5 = 4 AND n = id"), 12);
}

TEST_P(DbSavepoints, EveryDoneIsCalledOnceAndCounted) {
  Script(kItems);
  const int64_t before = store().jobs_committed();
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.push_back([i](Conn& conn) {
      if (i % 4 == 3) return Reason(errors::RULE_REFUSED);
      return conn.Exec(kInsert, {i, std::to_string(i), 0}).status();
    });
  }
  Together(jobs);
  EXPECT_EQ(store().jobs_committed() - before, 76);  // and the one that held them back
  EXPECT_LE(store().commits(), store().jobs_committed());
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 75);
}

// An update of one row that must work.
Store::Job Increment(int64_t id) {
  return [id](Conn& conn) {
    return conn.Exec("UPDATE items SET n = n + 1 WHERE id = $1", {id}).status();
  };
}

TEST_P(DbSavepoints, WhatAFailedJobTookIsFreeForTheNext) {
  Script(kItems);
  auto results = Together({[](Conn& conn) {
                             RETURN_IF_ERROR(conn.Exec(kInsert, {1, "one", 0}).status());
                             return Reason(errors::RULE_REFUSED);
                           },
                           [](Conn& conn) {
                             return conn.Exec(kInsert, {1, "one", 5}).status();
                           }});
  EXPECT_EQ(RefusalOf(results[0]), errors::RULE_REFUSED) << results[0];
  EXPECT_TRUE(results[1].ok()) << results[1];
  EXPECT_THAT(Rows("SELECT id, name, n FROM items", {}, "iti"), ElementsAre("1,one,5"));
}

TEST_P(DbSavepoints, AConstraintThatFailsInOneJobPoisonsNoOther) {
  Script(kItems);
  FillItems(2);
  auto results =
      Together({Increment(1),
                [](Conn& conn) { return conn.Exec("UPDATE items SET n = 2000000", {}).status(); },
                Increment(2), Increment(1)});
  EXPECT_EQ(RefusalOf(results[1]), errors::CONFLICT) << results[1];
  for (int i : {0, 2, 3}) EXPECT_TRUE(results[i].ok()) << results[i];
  EXPECT_THAT(Rows("SELECT n FROM items ORDER BY id", {}, "i"), ElementsAre("2", "1"));
}

TEST_P(DbSavepoints, TheFirstMayFail) {
  Script(kItems);
  FillItems(1);
  auto results = Together({[](Conn& conn) {
                             RETURN_IF_ERROR(Increment(1)(conn));
                             return Reason(errors::RULE_REFUSED);
                           },
                           Increment(1), Increment(1)});
  EXPECT_EQ(RefusalOf(results[0]), errors::RULE_REFUSED);
  EXPECT_EQ(Int("SELECT n FROM items"), 2);
}

TEST_P(DbSavepoints, TheLastMayFail) {
  Script(kItems);
  FillItems(1);
  auto results = Together({Increment(1), Increment(1), [](Conn& conn) {
                             RETURN_IF_ERROR(Increment(1)(conn));
                             return Reason(errors::RULE_REFUSED);
                           }});
  EXPECT_EQ(RefusalOf(results[2]), errors::RULE_REFUSED);
  EXPECT_EQ(Int("SELECT n FROM items"), 2);
}

TEST_P(DbSavepoints, AllMayFail) {
  Script(kItems);
  FillItems(1);
  const int64_t before = store().jobs_committed();
  Store::Job refused = [](Conn& conn) {
    RETURN_IF_ERROR(Increment(1)(conn));
    return Reason(errors::RULE_REFUSED);
  };
  for (const Status& result : Together({refused, refused, refused})) {
    EXPECT_EQ(RefusalOf(result), errors::RULE_REFUSED) << result;
  }
  EXPECT_EQ(Int("SELECT n FROM items"), 0);
  EXPECT_EQ(store().jobs_committed() - before, 1);  // the one that held them back
}

TEST_P(DbSavepoints, AnErrorOfAPostFailsItsOwnJobOnly) {
  Script(kItems);
  FillItems(2);
  auto results = Together({Increment(1),
                           [](Conn& conn) {
                             conn.Post("UPDATE items SET n = 5", {});
                             conn.Post(kInsert, {1, "x", 0});
                             return absl::OkStatus();
                           },
                           Increment(2)});
  EXPECT_EQ(RefusalOf(results[1]), errors::RESOURCE_EXISTS) << results[1];
  EXPECT_THAT(Rows("SELECT n FROM items ORDER BY id", {}, "i"), ElementsAre("1", "1"));
}

TEST_P(DbSavepoints, ASwallowedErrorFailsItsOwnJobOnly) {
  Script(kItems);
  FillItems(2);
  auto results = Together({Increment(1),
                           [](Conn& conn) {
                             RETURN_IF_ERROR(Increment(2)(conn));
                             conn.Exec(kInsert, {1, "x", 0}).status().IgnoreError();
                             return absl::OkStatus();
                           },
                           Increment(1)});
  EXPECT_EQ(RefusalOf(results[1]), errors::RESOURCE_EXISTS) << results[1];
  EXPECT_THAT(Rows("SELECT n FROM items ORDER BY id", {}, "i"), ElementsAre("2", "0"));
}

TEST_P(DbSavepoints, ATableOfAFailedJobIsNotThereForTheNext) {
  Store::Job made = [](Conn& conn) { return conn.Script(kItems); };
  Store::Job refused = [&](Conn& conn) {
    RETURN_IF_ERROR(made(conn));
    return Reason(errors::RULE_REFUSED);
  };
  // PostgreSQL may refuse one of two who make a table at the same time.
  auto results =
      is_sqlite() ? Together({refused, made})
                  : std::vector<Status>{store().WriteAndWait(refused), store().WriteAndWait(made)};
  EXPECT_EQ(RefusalOf(results[0]), errors::RULE_REFUSED) << results[0];
  EXPECT_TRUE(results[1].ok()) << results[1];
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbSavepoints, WhatAFailedJobWroteIsSeenByNoOther) {
  Script(kItems);
  FillItems(1);
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 40; ++i) {
    jobs.push_back([](Conn& conn) {
      RETURN_IF_ERROR(conn.Exec("UPDATE items SET n = 999", {}).status());
      return Reason(errors::RULE_REFUSED);
    });
    jobs.push_back([](Conn& conn) -> Status {
      ASSIGN_OR_RETURN(int64_t n,
                       IntOf(conn, std::string("SELECT n FROM items") + ForUpdate(conn)));
      return n == 0 ? Status() : Internal("saw " + std::to_string(n));
    });
  }
  auto results = Together(jobs);
  for (size_t i = 1; i < results.size(); i += 2) EXPECT_TRUE(results[i].ok()) << results[i];
}

TEST_P(DbSavepoints, MoreJobsThanOneBatchTakes) {
  Script(kItems);
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 700; ++i) {
    jobs.push_back([i](Conn& conn) {
      RETURN_IF_ERROR(conn.Exec(kInsert, {i, std::to_string(i), 0}).status());
      return i % 3 == 0 ? Reason(errors::RULE_REFUSED) : absl::OkStatus();
    });
  }
  auto results = Together(jobs);
  for (int i = 0; i < 700; ++i) EXPECT_EQ(results[i].ok(), i % 3 != 0) << results[i];
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 466);
  EXPECT_EQ(Int("SELECT count(*) FROM items WHERE id % 3 = 0"), 0);
}

TEST_P(DbSavepoints, AJobOfManyStatementsIsUndoneWhole) {
  Script(kItems);
  FillItems(1);
  auto results = Together({Increment(1),
                           [](Conn& conn) {
                             for (int i = 10; i < 500; ++i) {
                               conn.Post(kInsert, {i, std::to_string(i), 0});
                             }
                             RETURN_IF_ERROR(conn.Exec("UPDATE items SET n = 7", {}).status());
                             return Reason(errors::RULE_REFUSED);
                           },
                           Increment(1)});
  EXPECT_EQ(RefusalOf(results[1]), errors::RULE_REFUSED) << results[1];
  EXPECT_THAT(Rows("SELECT id, n FROM items", {}, "ii"), ElementsAre("1,2"));
}

TEST_P(DbSavepoints, AJobThatEndsItsTransactionIsAFault) {
  Script(kItems);
  FillItems(1);
  Status status = store().WriteAndWait([](Conn& conn) {
    RETURN_IF_ERROR(Increment(1)(conn));
    return conn.Script("COMMIT");
  });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_TRUE(Exec("UPDATE items SET n = 5").ok());
  EXPECT_EQ(Int("SELECT n FROM items"), 5);
}

}  // namespace
}  // namespace hub::db
