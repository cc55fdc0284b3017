#include <algorithm>
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

CATEGORY(DbConcurrency);

TEST_P(DbConcurrency, NoIncrementIsLost) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "counter", 0}).ok());
  Store::Job increment = [](Conn& conn) {
    int64_t n = -1;
    RETURN_IF_ERROR(conn.Query(std::string("SELECT n FROM items WHERE id = $1") + ForUpdate(conn),
                               {1}, [&](const Row& row) {
                                 n = row.Int(0);
                                 return absl::OkStatus();
                               }));
    return conn.Exec("UPDATE items SET n = $1 WHERE id = $2", {n + 1, 1}).status();
  };
  EXPECT_THAT(Together(std::vector<Store::Job>(200, increment)), Each(absl::OkStatus()));
  EXPECT_EQ(Int("SELECT n FROM items"), 200);
}

TEST_P(DbConcurrency, OfManyClaimsOfAKeyOneWins) {
  Script(kItems);
  std::atomic<int> won{0};
  std::vector<Store::Job> claims;
  for (int i = 0; i < 64; ++i) {
    claims.push_back([&, i](Conn& conn) {
      ASSIGN_OR_RETURN(int64_t rows, conn.Exec("INSERT INTO items(id, name, n) VALUES ($1, $2, $3)"
                                               " ON CONFLICT DO NOTHING",
                                               {1, "key", i}));
      if (rows == 1) ++won;
      return rows == 1 ? absl::OkStatus() : Reason(errors::ALREADY_DONE);
    });
  }
  std::vector<Status> results = Together(claims);
  EXPECT_EQ(won, 1);
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](auto& s) { return s.ok(); }), 1);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbConcurrency, TransfersInAnyOrderOfLocksKeepTheSum) {
  Script(kItems);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 100}).ok());
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 120; ++i) {
    jobs.push_back([i](Conn& conn) {
      int64_t from = i % 4, to = (i + 1 + i / 4 % 3) % 4;
      RETURN_IF_ERROR(conn.Exec("UPDATE items SET n = n - 1 WHERE id = $1", {from}).status());
      return conn.Exec("UPDATE items SET n = n + 1 WHERE id = $1", {to}).status();
    });
  }
  for (const Status& status : Together(jobs)) {
    EXPECT_TRUE(status.ok() || RefusalOf(status) == errors::TEMPORARILY_UNAVAILABLE) << status;
  }
  EXPECT_EQ(Int("SELECT sum(n) FROM items"), 400);
}

TEST_P(DbConcurrency, ReadsRunBesideAWrite) {
  Script(kItems);
  Held held(store(), [](Conn& conn) { return conn.Exec(kInsert, {1, "one", 0}).status(); });
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
  held.Release();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

// UPDATE of the one row by a value that was read before, under its lock.
TEST_P(DbConcurrency, WhoWaitsForARowSeesWhatTheOtherCommitted) {
  Script(kItems);
  FillItems(1);
  std::latch locked(1), go_on(1), finished(2);
  std::vector<int64_t> seen(2, -1);
  auto job = [&](int i) {
    return [&, i](Conn& conn) -> Status {
      ASSIGN_OR_RETURN(seen[i], IntOf(conn, std::string("SELECT n FROM items") + ForUpdate(conn)));
      if (i == 0) {
        locked.count_down();
        go_on.wait();
      }
      return conn.Exec("UPDATE items SET n = $1", {seen[i] + 1}).status();
    };
  };
  auto done = [&](Status status) {
    EXPECT_TRUE(status.ok()) << status;
    finished.count_down();
  };
  store().Write(job(0), 0, done);
  locked.wait();
  store().Write(job(1), 0, done);
  go_on.count_down();
  finished.wait();
  EXPECT_THAT(seen, ElementsAre(0, 1));
  EXPECT_EQ(Int("SELECT n FROM items"), 2);
}

TEST_P(DbConcurrency, AFailingJobLetsGoOfItsLocks) {
  Script(kItems);
  FillItems(1);
  for (int i = 0; i < 20; ++i) {
    Status refused = store().WriteAndWait([](Conn& conn) -> Status {
      RETURN_IF_ERROR(IntOf(conn, std::string("SELECT n FROM items") + ForUpdate(conn)).status());
      return Reason(errors::RULE_REFUSED);
    });
    EXPECT_EQ(RefusalOf(refused), errors::RULE_REFUSED) << refused;
    Status status = Exec("UPDATE items SET n = n + 1");
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(Int("SELECT n FROM items"), 20);
}

TEST_P(DbConcurrency, ReadersDoNotWaitForALock) {
  Script(kItems);
  FillItems(1);
  Held held(store(), [](Conn& conn) -> Status {
    RETURN_IF_ERROR(IntOf(conn, std::string("SELECT n FROM items") + ForUpdate(conn)).status());
    return conn.Exec("DELETE FROM items", {}).status();
  });
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
  held.Release();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbConcurrency, ReadersRunBesideEachOther) {
  std::latch both(options_.readers), finished(options_.readers);
  for (int i = 0; i < options_.readers; ++i) {
    store().Read(
        [&](Conn& conn) -> Status {
          both.arrive_and_wait();  // never, if the second began only after the first
          return IntOf(conn, "SELECT 1").status();
        },
        0, [&](Status) { finished.count_down(); });
  }
  finished.wait();
}

TEST_P(DbConcurrency, ACounterHasNoGapThoughJobsFail) {
  Script(
      "CREATE TABLE counters(name {text} NOT NULL PRIMARY KEY, n {int64} NOT NULL) {strict};"
      "CREATE TABLE taken(n {int64} NOT NULL PRIMARY KEY) {strict}");
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 200; ++i) {
    jobs.push_back([i](Conn& conn) -> Status {
      ASSIGN_OR_RETURN(int64_t n,
                       IntOf(conn,
                             "INSERT INTO counters(name, n) VALUES ($1, 1)"
                             " ON CONFLICT (name) DO UPDATE SET n = counters.n + 1 RETURNING n",
                             {"c"}));
      RETURN_IF_ERROR(conn.Exec("INSERT INTO taken(n) VALUES ($1)", {n}).status());
      return i % 4 == 0 ? Reason(errors::RULE_REFUSED) : Status();
    });
  }
  auto results = Together(jobs);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(results[i].ok(), i % 4 != 0) << results[i];
  EXPECT_THAT(Rows("SELECT count(*), min(n), max(n) FROM taken", {}, "iii"),
              ElementsAre("150,1,150"));
}

TEST_P(DbConcurrency, OfManyInsertsOfAKeyOneWinsAndTheOthersAreTold) {
  Script(kItems);
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 64; ++i) {
    jobs.push_back([i](Conn& conn) { return conn.Exec(kInsert, {1, "key", i}).status(); });
  }
  int won = 0;
  for (const Status& result : Together(jobs)) {
    if (result.ok()) {
      ++won;
    } else {
      EXPECT_EQ(RefusalOf(result), errors::RESOURCE_EXISTS) << result;
    }
  }
  EXPECT_EQ(won, 1);
}

TEST_P(DbConcurrency, OfManyUpdatesUnderOneVersionOneWins) {
  Script(kItems);
  FillItems(1);
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 64; ++i) {
    jobs.push_back([](Conn& conn) -> Status {
      ASSIGN_OR_RETURN(int64_t rows, conn.Exec("UPDATE items SET n = n + 1 WHERE n = 0", {}));
      return rows == 1 ? Status() : Reason(errors::ETAG_MISMATCH);
    });
  }
  auto results = Together(jobs);
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](auto& s) { return s.ok(); }), 1);
  EXPECT_EQ(Int("SELECT n FROM items"), 1);
}

TEST_P(DbConcurrency, OfManyDeletesOfARowOneFindsIt) {
  Script(kItems);
  FillItems(1);
  std::atomic<int64_t> deleted{0};
  std::vector<Store::Job> jobs(64, [&](Conn& conn) -> Status {
    ASSIGN_OR_RETURN(int64_t rows, conn.Exec("DELETE FROM items", {}));
    deleted += rows;
    return Status();
  });
  EXPECT_THAT(Together(jobs), Each(absl::OkStatus()));
  EXPECT_EQ(deleted, 1);
}

TEST_P(DbConcurrency, ALimitThatIsReadUnderALockHolds) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {0, "session", 3}).ok());  // three places
  std::vector<Store::Job> jobs;
  for (int i = 1; i <= 40; ++i) {
    jobs.push_back([i](Conn& conn) -> Status {
      RETURN_IF_ERROR(
          IntOf(conn, std::string("SELECT n FROM items WHERE id = 0") + ForUpdate(conn)).status());
      ASSIGN_OR_RETURN(int64_t booked, IntOf(conn, "SELECT count(*) FROM items WHERE id > 0"));
      if (booked >= 3) return Reason(errors::RULE_REFUSED);
      return conn.Exec(kInsert, {i, std::to_string(i), 0}).status();
    });
  }
  Together(jobs);
  EXPECT_EQ(Int("SELECT count(*) FROM items WHERE id > 0"), 3);
}

TEST_P(DbConcurrency, AReadersTimeNeverRunsBack) {
  Script(kItems);
  FillItems(1);
  std::atomic<bool> through{false};
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(Exec("UPDATE items SET n = n + 1").ok());
    through = true;
  });
  int64_t last = 0;
  while (!through) {
    int64_t now = Int("SELECT n FROM items");
    EXPECT_GE(now, last);
    last = now;
  }
  writer.join();
  EXPECT_EQ(Int("SELECT n FROM items"), 300);
}

TEST_P(DbConcurrency, ManyCallersAtOnce) {
  Script(kItems);
  std::vector<std::thread> callers;
  for (int c = 0; c < 32; ++c) {
    callers.emplace_back([this, c] {
      for (int i = 0; i < 20; ++i) {
        Status status = Exec(kInsert, {c * 100 + i, std::to_string(c * 100 + i), c});
        EXPECT_TRUE(status.ok()) << status;
        EXPECT_EQ(Int("SELECT count(*) FROM items WHERE n = $1", {c}), i + 1);
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 640);
}

TEST_P(DbConcurrency, ASharedColumnIsNotWrittenBackByAnotherJob) {
  Script(
      "CREATE TABLE twins(id {int64} NOT NULL PRIMARY KEY, a {int64} NOT NULL, b {int64} NOT NULL)"
      " {strict}; INSERT INTO twins(id, a, b) VALUES (1, 0, 0)");
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 60; ++i) {
    const std::string column = i % 2 == 0 ? "a" : "b";
    jobs.push_back([column](Conn& conn) {
      return conn.Exec("UPDATE twins SET " + column + " = " + column + " + 1", {}).status();
    });
  }
  EXPECT_THAT(Together(jobs), Each(absl::OkStatus()));
  EXPECT_THAT(Rows("SELECT a, b FROM twins", {}, "ii"), ElementsAre("30,30"));
}

}  // namespace
}  // namespace hub::db
