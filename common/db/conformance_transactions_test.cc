#include <atomic>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

CATEGORY(DbTransactions);

TEST_P(DbTransactions, WhatIsAnsweredIsSeenByTheNextRead) {
  Script(kItems);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
    ASSERT_EQ(Int("SELECT count(*) FROM items"), i + 1);
  }
}

TEST_P(DbTransactions, AFailingJobLeavesNothing) {
  Script(kItems);
  Status status = store().WriteAndWait([&](Conn& conn) {
    EXPECT_TRUE(conn.Exec(kInsert, {1, "one", 0}).ok());
    EXPECT_TRUE(conn.Exec(kInsert, {2, "two", 0}).ok());
    return Reason(errors::RULE_REFUSED);
  });
  EXPECT_EQ(RefusalOf(status), errors::RULE_REFUSED);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbTransactions, AJobSeesWhatItWroteAndOthersDoNotYet) {
  Script(kItems);
  Status status = store().WriteAndWait([&](Conn& conn) {
    RETURN_IF_ERROR(conn.Exec(kInsert, {1, "one", 7}).status());
    int64_t n = 0;
    RETURN_IF_ERROR(conn.Query("SELECT n FROM items WHERE id = $1", {1}, [&](const Row& row) {
      n = row.Int(0);
      return absl::OkStatus();
    }));
    EXPECT_EQ(n, 7);
    std::latch read(1);
    store().Read(
        [&](Conn& other) {
          return other.Query("SELECT id FROM items", {}, [&](const Row&) {
            ADD_FAILURE() << "an uncommitted row was read";
            return absl::OkStatus();
          });
        },
        0, [&](Status) { read.count_down(); });
    read.wait();
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbTransactions, AReaderKeepsItsSnapshot) {
  Script(kItems);
  std::latch started(1), written(1), finished(1);
  std::vector<int64_t> seen;
  store().Read(
      [&](Conn& conn) {
        auto count = [&] {
          return conn.Query("SELECT count(*) FROM items", {}, [&](const Row& row) {
            seen.push_back(row.Int(0));
            return absl::OkStatus();
          });
        };
        RETURN_IF_ERROR(count());
        started.count_down();
        written.wait();
        return count();
      },
      0,
      [&](Status status) {
        EXPECT_TRUE(status.ok()) << status;
        finished.count_down();
      });
  started.wait();
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  written.count_down();
  finished.wait();
  EXPECT_THAT(seen, ElementsAre(0, 0));
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbTransactions, AReadJobCannotWrite) {
  Script(kItems);
  Status status = store().ReadAndWait([&](Conn& conn) {
    return conn.Exec(kInsert, {1, "one", 0}).status();
  });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbTransactions, TheJobsOwnWordsComeBack) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  Status status = store().WriteAndWait([&](Conn& conn) {
    Status refused = conn.Exec(kInsert, {1, "uno", 0}).status();
    EXPECT_EQ(RefusalOf(refused), errors::RESOURCE_EXISTS);
    return RuleRefused("once", "an item has one number");
  });
  EXPECT_EQ(ErrorInfoOf(status).metadata().at("rule"), "once");
}

TEST_P(DbTransactions, ASwallowedErrorFailsTheJob) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  Status status = store().WriteAndWait([&](Conn& conn) {
    EXPECT_TRUE(conn.Exec(kInsert, {2, "two", 0}).ok());
    EXPECT_FALSE(conn.Exec(kInsert, {1, "uno", 0}).ok());
    // The first error stands for every statement after it.
    EXPECT_EQ(RefusalOf(conn.Exec(kInsert, {3, "three", 0}).status()), errors::RESOURCE_EXISTS);
    EXPECT_EQ(RefusalOf(conn.Query("SELECT 1", {}, [](const Row&) { return absl::OkStatus(); })),
              errors::RESOURCE_EXISTS);
    return absl::OkStatus();
  });
  EXPECT_EQ(RefusalOf(status), errors::RESOURCE_EXISTS) << status;
  EXPECT_THAT(Rows("SELECT id FROM items", {}, "i"), ElementsAre("1"));
  // And for that job only.
  EXPECT_TRUE(Exec(kInsert, {2, "two", 0}).ok());
}

TEST_P(DbTransactions, AnErrorAboutRowsStopsTheQueryAndNotTheJob) {
  Script(kItems);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
  int rows = 0;
  Status status = store().WriteAndWait([&](Conn& conn) {
    rows = 0;
    Status stopped = conn.Query("SELECT id FROM items ORDER BY id", {}, [&](const Row&) {
      return ++rows == 2 ? Reason(errors::RULE_REFUSED) : absl::OkStatus();
    });
    EXPECT_EQ(RefusalOf(stopped), errors::RULE_REFUSED);
    return conn.Exec(kInsert, {9, "nine", 0}).status();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(rows, 2);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 6);
}

TEST_P(DbTransactions, AQueryInsideItself) {
  Script(kItems);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
  std::string walked;
  Status status = store().ReadAndWait([&](Conn& conn) {
    walked.clear();
    const std::string sql = "SELECT id FROM items WHERE id >= $1 ORDER BY id";
    return conn.Query(sql, {0}, [&](const Row& outer) {
      walked += std::to_string(outer.Int(0)) + ":";
      return conn.Query(sql, {outer.Int(0)}, [&](const Row& inner) {
        walked += std::to_string(inner.Int(0));
        return absl::OkStatus();
      });
    });
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(walked, "0:0121:122:2");
}

TEST_P(DbTransactions, NoWriteWhileRowsAreRead) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  Status status = store().WriteAndWait([&](Conn& conn) {
    return conn.Query("SELECT id FROM items", {}, [&](const Row& row) {
      return conn.Exec("UPDATE items SET n = 1 WHERE id = $1", {row.Int(0)}).status();
    });
  });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT);
  EXPECT_THAT(MessageOf(status), HasSubstr("while the rows of a query are read"));
}

TEST_P(DbTransactions, PostedStatementsAreDoneInOrder) {
  Script(kItems);
  Status status = store().WriteAndWait([&](Conn& conn) {
    conn.Post(kInsert, {1, "one", 1});
    conn.Post("UPDATE items SET n = n + $1", {1});
    int64_t n = 0;
    RETURN_IF_ERROR(conn.Query("SELECT n FROM items", {}, [&](const Row& row) {
      n = row.Int(0);
      return absl::OkStatus();
    }));
    EXPECT_EQ(n, 2);
    conn.Post("UPDATE items SET n = n * $1", {10});
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Int("SELECT n FROM items"), 20);
}

TEST_P(DbTransactions, AnErrorOfAPostedStatementFailsTheJob) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  for (int round = 0; round < 2; ++round) {  // the second time with prepared statements
    Status status = store().WriteAndWait([&](Conn& conn) {
      conn.Post("UPDATE items SET n = 5", {});
      conn.Post(kInsert, {2, "one", 0});
      conn.Post("UPDATE items SET n = 6", {});
      return absl::OkStatus();
    });
    EXPECT_EQ(RefusalOf(status), errors::RESOURCE_EXISTS) << status;
    EXPECT_EQ(Int("SELECT n FROM items"), 0);
  }
  EXPECT_TRUE(Exec("UPDATE items SET n = 6").ok());
}

TEST_P(DbTransactions, AJobWithoutStatementsIsFine) {
  EXPECT_TRUE(store().WriteAndWait([](Conn&) { return absl::OkStatus(); }).ok());
  EXPECT_TRUE(store().ReadAndWait([](Conn&) { return absl::OkStatus(); }).ok());
  EXPECT_EQ(RefusalOf(store().WriteAndWait([](Conn&) { return Reason(errors::DEMO_ONLY); })),
            errors::DEMO_ONLY);
}

TEST_P(DbTransactions, AJobCannotEndItsTransaction) {
  Script(kItems);
  Status status = store().WriteAndWait([](Conn& conn) {
    RETURN_IF_ERROR(conn.Exec(kInsert, {1, "one", 0}).status());
    return conn.Exec("ROLLBACK", {}).status();
  });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_TRUE(Exec(kInsert, {2, "two", 0}).ok());
  EXPECT_THAT(Rows("SELECT id FROM items", {}, "i"), ElementsAre("2"));
}

TEST_P(DbTransactions, AJobThatPostsAndRefusesLeavesNothing) {
  Script(kItems);
  for (int64_t id : {1, 1, 2}) {
    Status status = store().WriteAndWait([&](Conn& conn) {
      conn.Post(kInsert, {id, "one", 0});
      conn.Post(kInsert, {int64_t{1}, "uno", 0});  // fails, or not, before the job ends
      return Reason(errors::RULE_REFUSED);
    });
    EXPECT_EQ(RefusalOf(status), errors::RULE_REFUSED) << status;
    EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
  }
}

TEST_P(DbTransactions, ExecCountsTheRowsItChanged) {
  Script(kItems);
  Status status = store().WriteAndWait([&](Conn& conn) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(conn.Exec(kInsert, {i, std::to_string(i), 0}).value(), 1);
    }
    EXPECT_EQ(conn.Exec("UPDATE items SET n = 1 WHERE id < $1", {3}).value(), 3);
    EXPECT_EQ(conn.Exec("SELECT id FROM items", {}).value(), 0);
    EXPECT_EQ(conn.Exec("DELETE FROM items WHERE id = $1", {77}).value(), 0);
    EXPECT_EQ(conn.Exec("DELETE FROM items", {}).value(), 5);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbTransactions, ReturningGivesTheRowsWritten) {
  Script(kItems);
  std::vector<int64_t> seen;
  Status status = store().WriteAndWait([&](Conn& conn) {
    seen.clear();
    return conn.Query("INSERT INTO items(id, name) VALUES ($1, $2), ($3, $4) RETURNING n + id",
                      {1, "one", 2, "two"}, [&](const Row& row) {
                        seen.push_back(row.Int(0));
                        return absl::OkStatus();
                      });
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen, ElementsAre(1, 2));
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 2);
}

TEST_P(DbTransactions, WhatWasWrittenIsThereAfterReopening) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  Reopen();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbTransactions, AnUpdateAndADeleteAreUndoneWhenTheJobFails) {
  Script(kItems);
  FillItems(3);
  Status status = store().WriteAndWait([&](Conn& conn) {
    EXPECT_EQ(conn.Exec("UPDATE items SET n = 9", {}).value(), 3);
    EXPECT_EQ(conn.Exec("DELETE FROM items WHERE id = 2", {}).value(), 1);
    return Reason(errors::RULE_REFUSED);
  });
  EXPECT_EQ(RefusalOf(status), errors::RULE_REFUSED);
  EXPECT_THAT(Rows("SELECT id, n FROM items ORDER BY id", {}, "ii"),
              ElementsAre("1,0", "2,0", "3,0"));
}

TEST_P(DbTransactions, ATableMadeByAFailingJobIsGone) {
  Status status = store().WriteAndWait([&](Conn& conn) {
    RETURN_IF_ERROR(conn.Script(kItems));
    RETURN_IF_ERROR(conn.Exec(kInsert, {1, "one", 0}).status());
    return Reason(errors::RULE_REFUSED);
  });
  EXPECT_EQ(RefusalOf(status), errors::RULE_REFUSED) << status;
  EXPECT_EQ(RefusalOf(Ask("SELECT id FROM items")), errors::INTERNAL_FAULT);
  Script(kItems);
}

TEST_P(DbTransactions, ATableMadeInAJobIsThereForItsNextStatement) {
  Status status = store().WriteAndWait([&](Conn& conn) {
    RETURN_IF_ERROR(conn.Script(kItems));
    conn.Post(kInsert, {1, "one", 0});
    RETURN_IF_ERROR(conn.Script("ALTER TABLE items ADD COLUMN note {text}"));
    return conn.Exec("UPDATE items SET note = $1", {"new"}).status();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(Rows("SELECT name, note FROM items", {}, "tt"), ElementsAre("one,new"));
}

TEST_P(DbTransactions, AReaderNeverSeesHalfACommand) {
  Script(kItems);
  FillItems(2);
  std::atomic<bool> through{false};
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) {
      Status status = store().WriteAndWait([](Conn& conn) {
        RETURN_IF_ERROR(conn.Exec("UPDATE items SET n = n + 1 WHERE id = 1", {}).status());
        return conn.Exec("UPDATE items SET n = n + 1 WHERE id = 2", {}).status();
      });
      EXPECT_TRUE(status.ok()) << status;
    }
    through = true;
  });
  int64_t first = 0, second = 0;
  do {
    Status status = store().ReadAndWait([&](Conn& conn) -> Status {
      ASSIGN_OR_RETURN(first, IntOf(conn, "SELECT n FROM items WHERE id = 1"));
      ASSIGN_OR_RETURN(second, IntOf(conn, "SELECT n FROM items WHERE id = 2"));
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(first, second);
  } while (!through);
  writer.join();
  EXPECT_EQ(Int("SELECT n FROM items WHERE id = 2"), 200);
}

TEST_P(DbTransactions, ASnapshotBeginsWithTheFirstQuery) {
  Script(kItems);
  std::latch running(1), written(1), finished(1);
  int64_t seen = -1;
  store().Read(
      [&](Conn& conn) -> Status {
        running.count_down();
        written.wait();
        ASSIGN_OR_RETURN(seen, IntOf(conn, "SELECT count(*) FROM items"));
        return Status();
      },
      0, [&](Status) { finished.count_down(); });
  running.wait();
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  written.count_down();
  finished.wait();
  EXPECT_EQ(seen, 1);
}

TEST_P(DbTransactions, AReadJobCannotChangeTheSchema) {
  Status status = store().ReadAndWait([](Conn& conn) { return conn.Script(kItems); });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_EQ(RefusalOf(Ask("SELECT id FROM items")), errors::INTERNAL_FAULT);
}

TEST_P(DbTransactions, AReadJobCannotWriteByAQuery) {
  Script(kItems);
  EXPECT_EQ(RefusalOf(Ask("INSERT INTO items(id, name) VALUES (1, 'one') RETURNING id")),
            errors::INTERNAL_FAULT);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbTransactions, AReadJobCannotPost) {
  Script(kItems);
  Status status = store().ReadAndWait([](Conn& conn) {
    conn.Post(kInsert, {1, "one", 0});
    return absl::OkStatus();
  });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbTransactions, AReadJobsWordsComeBack) {
  Status status = store().ReadAndWait([](Conn&) { return RuleRefused("once", "no"); });
  EXPECT_EQ(ErrorInfoOf(status).metadata().at("rule"), "once");
}

TEST_P(DbTransactions, ReadersGoOnAfterJobsThatFailed) {
  Script(kItems);
  for (int i = 0; i < 3 * options_.readers; ++i) {
    EXPECT_EQ(RefusalOf(Ask("SELECT nothing FROM nowhere")), errors::INTERNAL_FAULT);
  }
  for (int i = 0; i < 3 * options_.readers; ++i) EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbTransactions, WhatIsNoSqlFailsTheJobAndIsNamed) {
  Script(kItems);
  Status status = Exec("SELEC 1");
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("SELEC 1"));
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
}

TEST_P(DbTransactions, NothingIsNoStatement) {
  for (const char* sql : {"", "  ", "-- only a word", ";"}) {
    EXPECT_EQ(RefusalOf(Exec(sql)), errors::INTERNAL_FAULT) << "'" << sql << "' " << Exec(sql);
    EXPECT_EQ(RefusalOf(Ask(sql)), errors::INTERNAL_FAULT) << "'" << sql << "'";
  }
}

TEST_P(DbTransactions, AScriptOfNothingIsFine) {
  Script("");
  Script("-- only a word\n");
}

TEST_P(DbTransactions, AScriptIsDoneWholeOrNotAtAll) {
  Script(std::string(kItems) + "; INSERT INTO items(id, name) VALUES (1, 'one')");
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
  Status status = store().WriteAndWait([](Conn& conn) {
    return conn.Script(
        "INSERT INTO items(id, name) VALUES (2, 'two');"
        "INSERT INTO items(id, name) VALUES (3, 'one');"
        "INSERT INTO items(id, name) VALUES (4, 'four')");
  });
  EXPECT_EQ(RefusalOf(status), errors::RESOURCE_EXISTS) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbTransactions, TheCountIsOfThatStatementAndOfNoEarlierOne) {
  Script(kItems);
  FillItems(3);
  Status status = store().WriteAndWait([](Conn& conn) {
    EXPECT_EQ(conn.Exec("UPDATE items SET n = 1", {}).value(), 3);
    EXPECT_EQ(conn.Exec("CREATE TABLE others(id BIGINT)", {}).value(), 0);
    EXPECT_EQ(conn.Exec("UPDATE items SET n = 2 WHERE id > 3", {}).value(), 0);
    EXPECT_EQ(conn.Exec("DROP TABLE others", {}).value(), 0);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbTransactions, WhatAConstraintChangedElsewhereIsNotCounted) {
  Script(kItems);
  Script(
      "CREATE TABLE parts(id {int64} NOT NULL PRIMARY KEY, item {int64} NOT NULL,"
      " FOREIGN KEY (item) REFERENCES items(id) ON DELETE CASCADE) {strict};"
      "INSERT INTO items(id, name) VALUES (1, 'one');"
      "INSERT INTO parts(id, item) VALUES (1, 1), (2, 1), (3, 1)");
  EXPECT_EQ(Changed("DELETE FROM items"), 1);
  EXPECT_EQ(Int("SELECT count(*) FROM parts"), 0);
}

TEST_P(DbTransactions, ARowThatIsSetToWhatItWasIsCounted) {
  Script(kItems);
  FillItems(2);
  EXPECT_EQ(Changed("UPDATE items SET n = n"), 2);
}

TEST_P(DbTransactions, AnInsertThatFindsTheRowCountsWhatItDid) {
  Script(kItems);
  FillItems(1);
  EXPECT_EQ(Changed("INSERT INTO items(id, name) VALUES (1, 'x'), (2, 'y') ON CONFLICT DO NOTHING"),
            1);
  EXPECT_EQ(Changed("INSERT INTO items(id, name) VALUES (1, 'z')"
                    " ON CONFLICT (id) DO UPDATE SET n = items.n + 1"),
            1);
  EXPECT_THAT(Rows("SELECT name, n FROM items ORDER BY id", {}, "ti"), ElementsAre("a,1", "y,0"));
}

TEST_P(DbTransactions, AnExecWithReturningCountsTheRowsWritten) {
  Script(kItems);
  EXPECT_EQ(Changed("INSERT INTO items(id, name) VALUES (1, 'x'), (2, 'y') RETURNING id"), 2);
}

TEST_P(DbTransactions, AStoppedReturningHasWrittenAll) {
  Script(kItems);
  Status status = store().WriteAndWait([](Conn& conn) {
    Status stopped =
        conn.Query("INSERT INTO items(id, name) VALUES (1, 'x'), (2, 'y'), (3, 'z') RETURNING id",
                   {}, [](const Row&) { return Reason(errors::RULE_REFUSED); });
    EXPECT_EQ(RefusalOf(stopped), errors::RULE_REFUSED);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 3);
}

TEST_P(DbTransactions, AQueryWithoutRowsCallsNobody) {
  Script(kItems);
  Status status = store().ReadAndWait([](Conn& conn) {
    return conn.Query("SELECT id FROM items", {}, [](const Row&) {
      ADD_FAILURE() << "a row of an empty table";
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbTransactions, AStoppedQueryIsAskedAgainFromItsStart) {
  Script(kItems);
  FillItems(3);
  std::vector<int64_t> seen;
  Status status = store().ReadAndWait([&](Conn& conn) {
    seen.clear();
    for (int most : {1, 2, 3}) {
      int rows = 0;
      Status stopped = conn.Query("SELECT id FROM items ORDER BY id", {}, [&](const Row& row) {
        seen.push_back(row.Int(0));
        return ++rows == most ? Reason(errors::RULE_REFUSED) : absl::OkStatus();
      });
      EXPECT_EQ(RefusalOf(stopped), errors::RULE_REFUSED);
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen, ElementsAre(1, 1, 2, 1, 2, 3));
}

TEST_P(DbTransactions, ThousandsOfRowsComeWholeAndInOrder) {
  Script("CREATE TABLE numbers(id {int64} NOT NULL PRIMARY KEY) {strict}");
  constexpr int kRows = 20000;
  for (int begin = 0; begin < kRows; begin += 2000) {
    std::string sql = "INSERT INTO numbers(id) VALUES ";
    for (int i = begin; i < begin + 2000; ++i) {
      sql += (i > begin ? ", (" : "(") + std::to_string(i * 7919 % kRows) + ")";
    }
    Script(sql);
  }
  int64_t next = 0;
  Status status = store().ReadAndWait([&](Conn& conn) {
    next = 0;
    return conn.Query("SELECT id FROM numbers ORDER BY id", {}, [&](const Row& row) {
      return row.Int(0) == next++ ? absl::OkStatus() : Internal("out of order");
    });
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(next, kRows);
}

TEST_P(DbTransactions, ThousandsOfPostsInOneJob) {
  Script(kItems);
  FillItems(1);
  Status status = store().WriteAndWait([](Conn& conn) {
    for (int i = 0; i < 5000; ++i) conn.Post("UPDATE items SET n = n + $1", {1});
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Int("SELECT n FROM items"), 5000);
}

TEST_P(DbTransactions, APostWithoutItsValuesFailsTheJob) {
  Script(kItems);
  FillItems(1);
  Status status = store().WriteAndWait([](Conn& conn) {
    conn.Post("UPDATE items SET n = 7", {});
    conn.Post("UPDATE items SET n = $1", {});
    return absl::OkStatus();
  });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_EQ(Int("SELECT n FROM items"), 0);
}

TEST_P(DbTransactions, AnErrorOfAPostShowsAtTheNextStatement) {
  Script(kItems);
  FillItems(1);
  Status status = store().WriteAndWait([](Conn& conn) {
    conn.Post(kInsert, {1, "x", 0});
    Status next = IntOf(conn, "SELECT n FROM items").status();
    EXPECT_EQ(RefusalOf(next), errors::RESOURCE_EXISTS) << next;
    return absl::OkStatus();
  });
  EXPECT_EQ(RefusalOf(status), errors::RESOURCE_EXISTS) << status;
}

TEST_P(DbTransactions, APostKeepsItsOwnCopyOfItsValues) {
  Script(kItems);
  Status status = store().WriteAndWait([](Conn& conn) {
    for (int i = 1; i <= 3; ++i) {
      std::vector<Value> values = {i, std::string(1000, static_cast<char>('a' + i)), 0};
      conn.Post(kInsert, values);
      values[1] = std::string(1000, '?');  // the pages that they lay in are another's now
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(Rows("SELECT name FROM items ORDER BY id", {}, "t"),
              ElementsAre(std::string(1000, 'b'), std::string(1000, 'c'), std::string(1000, 'd')));
}

TEST_P(DbTransactions, WhenDoneIsCalledOthersSeeTheRow) {
  Script(kItems);
  std::latch finished(1);
  int64_t seen = -1;
  store().Write(
      [](Conn& conn) {
        return conn.Exec(kInsert, {1, "one", 0}).status();
      },
      0,
      [&](Status status) {
        EXPECT_TRUE(status.ok()) << status;
        store().Read(
            [&](Conn& conn) -> Status {
              ASSIGN_OR_RETURN(seen, IntOf(conn, "SELECT count(*) FROM items"));
              return Status();
            },
            0, [&](Status) { finished.count_down(); });
      });
  finished.wait();
  EXPECT_EQ(seen, 1);
}

TEST_P(DbTransactions, OneJobQueuesTheNextFromItsDone) {
  Script(kItems);
  FillItems(1);
  std::latch finished(1);
  int left = 50;
  std::function<void(Status)> again = [&](Status status) {
    EXPECT_TRUE(status.ok()) << status;
    if (left-- == 0) return finished.count_down();
    store().Write([](Conn& conn) { return conn.Exec("UPDATE items SET n = n + 1", {}).status(); },
                  0, again);
  };
  again(Status());
  finished.wait();
  EXPECT_EQ(Int("SELECT n FROM items"), 50);
}

TEST_P(DbTransactions, AQuotedNameIsANameAndNoText) {
  Script(kItems);
  FillItems(1);
  EXPECT_EQ(RefusalOf(Ask("SELECT \"nothing\" FROM items")), errors::INTERNAL_FAULT);
  EXPECT_EQ(RefusalOf(Exec("UPDATE items SET name = \"x\"")), errors::INTERNAL_FAULT);
  EXPECT_THAT(Rows("SELECT \"name\" FROM items", {}, "t"), ElementsAre("a"));
}

}  // namespace
}  // namespace hub::db
