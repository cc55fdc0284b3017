#include <atomic>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

class DbConnections : public Conformance {
 protected:
  std::string conninfo() const { return options_.url.substr(9); }
  static StatusOr<int64_t> Pid(Conn& conn) {
    int64_t pid = 0;
    RETURN_IF_ERROR(conn.Query("SELECT pg_backend_pid()", {}, [&](const Row& row) {
      pid = row.Int(0);
      return absl::OkStatus();
    }));
    return pid;
  }
  // Ends that server process, and returns when it is gone.
  void Terminate(int64_t pid) {
    Int("SELECT CAST(pg_terminate_backend(CAST($1 AS integer), 60000) AS integer)", {pid});
  }
};
ON(DbConnections, Engine::kPostgres);

TEST_P(DbConnections, ALostConnectionFailsTheJobItHitAndNoOther) {
  Script(kItems);
  int attempts = 0;
  Status status = store().WriteAndWait([&](Conn& conn) {
    ++attempts;
    RETURN_IF_ERROR(conn.Exec(kInsert, {1, "one", 0}).status());
    ASSIGN_OR_RETURN(int64_t pid, Pid(conn));
    std::thread([&] { Terminate(pid); }).join();
    return conn.Exec(kInsert, {2, "two", 0}).status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_EQ(attempts, 1);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 8);
}

TEST_P(DbConnections, AConnectionLostAtRestIsReplacedUnnoticed) {
  Script(kItems);
  std::set<int64_t> pids;
  auto note = [&](Conn& conn) {
    ASSIGN_OR_RETURN(int64_t pid, Pid(conn));
    pids.insert(pid);
    return Status();
  };
  StoreOptions options = options_;
  options.writers = options.readers = 1;
  auto small = std::move(Store::Open(options)).value();
  for (int round = 1; round <= 5; ++round) {
    Status wrote = small->WriteAndWait(note), read = small->ReadAndWait(note);
    EXPECT_TRUE(wrote.ok()) << wrote;
    EXPECT_TRUE(read.ok()) << read;
    EXPECT_THAT(pids, SizeIs(2 * round));
    for (int64_t pid : pids) Terminate(pid);
  }
}

TEST_P(DbConnections, AServerThatTakesNoWritesIsNotUsed) {
  // Whatever the connection string says.
  StoreOptions options = options_;
  options.url += " target_session_attrs=any options='-c default_transaction_read_only=on'";
  EXPECT_EQ(RefusalOf(Store::Open(options).status()), errors::TEMPORARILY_UNAVAILABLE);
}

TEST_P(DbConnections, ALostCommitIsNeverCalledDone) {
  Script(kItems);
  // A deferred trigger runs inside COMMIT.
  Script(
      "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
      "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW EXECUTE FUNCTION cut()");
  for (bool posted : {false, true}) {  // alone, and in one go with BEGIN and the statement
    int attempts = 0;
    Status status = store().WriteAndWait([&](Conn& conn) {
      ++attempts;
      if (!posted) return conn.Exec(kInsert, {1, "one", 0}).status();
      conn.Post(kInsert, {1, "one", 0});
      return absl::OkStatus();
    });
    EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
    EXPECT_THAT(MessageOf(status), HasSubstr("may or may not be done"));
    EXPECT_EQ(attempts, 1);  // it may have been done: only its sender may send it again
  }
  EXPECT_EQ(store().jobs_committed(), 2);
}

TEST_P(DbConnections, AnErrorThatShowsAtCommitFailsTheJob) {
  Script(kItems);
  Script("CREATE TABLE parts(item BIGINT REFERENCES items(id) DEFERRABLE INITIALLY DEFERRED)");
  Status status = Exec("INSERT INTO parts(item) VALUES ($1)", {1});
  EXPECT_EQ(RefusalOf(status), errors::CONFLICT) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM parts"), 0);
}

TEST_P(DbConnections, ADeadlockIsRunAgain) {
  Script(kItems);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
  for (bool posted : {false, true}) {
    std::atomic<int> attempts{0};
    std::latch both_hold_one(2);
    auto job = [&](int first) {
      return [&, first](Conn& conn) {
        RETURN_IF_ERROR(conn.Exec("UPDATE items SET n = n + 1 WHERE id = $1", {first}).status());
        if (++attempts <= 2) {
          both_hold_one.count_down();
          while (attempts < 2) std::this_thread::yield();
        }
        const std::string other = "UPDATE items SET n = n + 1 WHERE id = $1";
        if (!posted) return conn.Exec(other, {1 - first}).status();
        conn.Post(other, {1 - first});
        return absl::OkStatus();
      };
    };
    EXPECT_THAT(Together({job(0), job(1)}), Each(absl::OkStatus()));
    EXPECT_GT(attempts, 2);
  }
  EXPECT_THAT(Rows("SELECT n FROM items", {}, "i"), ElementsAre("4", "4"));
}

TEST_P(DbConnections, FewerConnectionsThanThreadsServeAllJobs) {
  static constexpr char kRole[] = "hub_db_narrow";
  Script(std::string("CREATE ROLE ") + kRole + " LOGIN CONNECTION LIMIT 3;" +
         "GRANT CREATE ON DATABASE postgres TO " + kRole);
  UsePostgres(conninfo() + " user=" + kRole);
  Int("SELECT 1");               // one of the three for a reader
  Status status = Persist([&] {  // at first the threads vie for connections
    return store().WriteAndWait([](Conn& conn) { return conn.Script(kItems); });
  });
  ASSERT_TRUE(status.ok()) << status;
  std::vector<Store::Job> jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.push_back([i](Conn& conn) {
      return conn.Exec(kInsert, {i, std::to_string(i), 0}).status();
    });
  }
  EXPECT_THAT(Together(jobs), Each(absl::OkStatus()));
  // Taken one by one by whichever thread is at rest.
  for (int i = 100; i < 150; ++i) {
    Status inserted = Exec(kInsert, {i, std::to_string(i), 0});
    ASSERT_TRUE(inserted.ok()) << inserted;
  }
}

TEST_P(DbConnections, AChangedTableIsNoErrorForPreparedStatements) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  auto all = [&] {
    return store().WriteAndWait([](Conn& conn) {
      return conn.Query("SELECT * FROM items", {}, [](const Row&) { return absl::OkStatus(); });
    });
  };
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(all().ok());
  Script("ALTER TABLE items ADD COLUMN note {text}");
  for (int i = 0; i < 20; ++i) {
    Status status = all();
    ASSERT_TRUE(status.ok()) << status;
  }
}

TEST_P(DbConnections, ThousandsOfTextsAreNotKeptPrepared) {
  StoreOptions options = options_;
  options.writers = 1;
  auto narrow = std::move(Store::Open(options)).value();
  for (int i = 0; i < 2500; ++i) {
    Status status = narrow->WriteAndWait(
        [&](Conn& conn) { return conn.Exec("SELECT $1 + " + std::to_string(i), {i}).status(); });
    ASSERT_TRUE(status.ok()) << status;
  }
  Status status = narrow->WriteAndWait([&](Conn& conn) {
    return conn.Query("SELECT count(*) FROM pg_prepared_statements", {}, [&](const Row& row) {
      EXPECT_LT(row.Int(0), 1100);
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbConnections, ReplicasMigrateOneAtATime) {
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([&] {
      auto replica = std::move(Store::Open(options_)).value();
      Status status = replica->Migrate(ThreeMigrations());
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (auto& replica : replicas) replica.join();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
  EXPECT_EQ(Int("SELECT count(*) FROM schema_migrations"), 3);
}

TEST_P(DbConnections, ANameIsOfOneStoreAtATime) {
  Script(kItems);
  StoreOptions options = options_;
  options.writers = options.readers = 1;
  options.name = "replica 0";
  auto first = std::move(Store::Open(options)).value();
  const Status refused = Store::Open(options).status();
  EXPECT_EQ(RefusalOf(refused), errors::CONFLICT);
  EXPECT_THAT(MessageOf(refused), AllOf(HasSubstr("'replica 0'"), HasSubstr("--replica")));
  StoreOptions another = options;
  another.name = "replica 1";
  EXPECT_TRUE(Store::Open(another).ok());

  // It loses its connections, and meanwhile another takes the name: it does nothing until it has
  // the name again.
  auto count = [&] {
    return first->WriteAndWait([](Conn& conn) {
      return conn.Exec(kInsert, {1, "one", 0}).status();
    });
  };
  int64_t writer = 0;
  ASSERT_TRUE(first
                  ->WriteAndWait([&](Conn& conn) -> Status {
                    ASSIGN_OR_RETURN(writer, Pid(conn));
                    return Status();
                  })
                  .ok());
  Terminate(Int("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"));
  Terminate(writer);
  auto second = std::move(Store::Open(options)).value();
  const Status waits = count();
  EXPECT_EQ(RefusalOf(waits), errors::TEMPORARILY_UNAVAILABLE);
  EXPECT_THAT(MessageOf(waits), HasSubstr("'replica 0'"));
  second = nullptr;
  const Micros patience = MachineNow() + 60 * 1000000ll;
  while (!count().ok() && MachineNow() < patience) {  // it tries to connect only now and then
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbConnections, AColumnThatSortsByTheDatabasesCollationIsRefused) {
  auto all = ThreeMigrations();
  all[2].sql += "; CREATE TABLE tags(id {int64} NOT NULL PRIMARY KEY, tag TEXT NOT NULL)";
  Status status = store().Migrate(all);
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("tags.tag"), HasSubstr("{text}")));
}

TEST_P(DbConnections, SchemasAreApart) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  UsePostgres(conninfo());
  Script(kItems);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbConnections, ACommitIsDurableWhateverTheDefaultIs) {
  for (const auto& [setting, expected] : std::vector<std::pair<std::string, std::string>>{
           {"off", "on"}, {"local", "on"}, {"on", "on"}, {"remote_apply", "remote_apply"}}) {
    StoreOptions options = options_;
    options.url += " options='-c synchronous_commit=" + setting + "'";
    auto store = std::move(Store::Open(options)).value();
    std::string found;
    Status status = store->WriteAndWait([&](Conn& conn) {
      return conn.Query("SHOW synchronous_commit", {}, [&](const Row& row) {
        found = std::string(row.Text(0));
        return absl::OkStatus();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(found, expected) << setting;
  }
}

TEST_P(DbConnections, AReadOnlyStoreMakesNoSchema) {
  StoreOptions options = options_;
  options.read_only = true;
  options.schema = "never_made";
  Store::Open(options).status().IgnoreError();
  EXPECT_EQ(Int("SELECT count(*) FROM pg_namespace WHERE nspname = 'never_made'"), 0);
}

TEST_P(DbConnections, ASchemaHasAPlainName) {
  StoreOptions options = options_;
  for (const char* schema : {"", "Upper", "a\"b", "9a", "a b", "ä"}) {
    options.schema = schema;
    EXPECT_EQ(RefusalOf(Store::Open(options).status()), errors::INVALID_FIELD) << schema;
  }
}

TEST_P(DbConnections, AUriIsAConnectionString) {
  std::string host = conninfo().substr(5, conninfo().find(' ') - 5);
  for (size_t at = 0; (at = host.find('/', at)) != std::string::npos;) host.replace(at, 1, "%2F");
  StoreOptions options = options_;
  options.url = "postgres://hub@/postgres?host=" + host;
  auto store = Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->WriteAndWait([](Conn& conn) { return conn.Script(kItems); }).ok());
}

TEST_P(DbConnections, ASessionEndedBeforeItsJobIsReplacedUnnoticed) {
  Script(kItems);
  StoreOptions options = options_;
  options.writers = 1;
  auto narrow = std::move(Store::Open(options)).value();
  int64_t pid = 0;
  ASSERT_TRUE(narrow
                  ->WriteAndWait([&](Conn& conn) -> Status {
                    ASSIGN_OR_RETURN(pid, Pid(conn));
                    return Status();
                  })
                  .ok());
  int attempts = 0;
  Status status = narrow->WriteAndWait([&](Conn& conn) {
    if (++attempts == 1) std::thread([&] { Terminate(pid); }).join();
    return conn.Exec(kInsert, {1, "one", 0}).status();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbConnections, ASessionEndedWhileItWaitsForALockIsAnOutage) {
  Script(kItems);
  FillItems(1);
  Held held(store(),
            [](Conn& conn) { return conn.Exec("UPDATE items SET n = n + 1", {}).status(); });
  std::latch finished(1);
  std::atomic<int64_t> waiting{0};
  Status result;
  store().Write(
      [&](Conn& conn) -> Status {
        ASSIGN_OR_RETURN(waiting, Pid(conn));
        return conn.Exec("UPDATE items SET n = n + 10", {}).status();
      },
      0,
      [&](Status status) {
        result = status;
        finished.count_down();
      });
  while (Int("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1", {waiting}) < 1) {
  }
  Terminate(waiting);
  held.Release();
  finished.wait();
  EXPECT_EQ(RefusalOf(result), errors::TEMPORARILY_UNAVAILABLE) << result;
  EXPECT_EQ(Int("SELECT n FROM items"), 1);
}

TEST_P(DbConnections, ASessionEndedInAReadIsAnOutageAndTheNextReadWorks) {
  Status status = store().ReadAndWait([&](Conn& conn) -> Status {
    ASSIGN_OR_RETURN(int64_t pid, Pid(conn));
    // Its own: whom it asks may be this very reader.
    return IntOf(conn, "SELECT CAST(pg_terminate_backend(CAST($1 AS integer)) AS integer)", {pid})
        .status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_EQ(Int("SELECT 1"), 1);
}

TEST_P(DbConnections, AStatementThatIsCancelledIsAnOutageAndTheSessionStays) {
  Script(kItems);
  StoreOptions options = options_;
  options.writers = 1;
  auto narrow = std::move(Store::Open(options)).value();
  int64_t pid = 0, after = 0;
  Status status = narrow->WriteAndWait([&](Conn& conn) -> Status {
    RETURN_IF_ERROR(conn.Exec(kInsert, {1, "one", 0}).status());
    ASSIGN_OR_RETURN(pid, Pid(conn));
    return conn.Exec("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)", {}).status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("nothing was done"));
  status = narrow->WriteAndWait([&](Conn& conn) -> Status {
    ASSIGN_OR_RETURN(after, Pid(conn));
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(pid, after);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbConnections, ALockThatIsNotGivenInTimeIsAnOutage) {
  Script(kItems);
  FillItems(1);
  Held held(store(),
            [](Conn& conn) { return conn.Exec("UPDATE items SET n = n + 1", {}).status(); });
  Status status = store().WriteAndWait([](Conn& conn) {
    RETURN_IF_ERROR(conn.Exec("SET LOCAL lock_timeout = '20ms'", {}).status());
    return conn.Exec("UPDATE items SET n = n + 10", {}).status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  held.Release();
  EXPECT_EQ(Int("SELECT n FROM items"), 1);
}

TEST_P(DbConnections, ALostRaceOfSnapshotsIsRunAgain) {
  Script(kItems);
  FillItems(1);
  int attempts = 0;
  Status status = store().WriteAndWait([&](Conn& conn) -> Status {
    RETURN_IF_ERROR(conn.Exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", {}).status());
    ASSIGN_OR_RETURN(int64_t n, IntOf(conn, "SELECT n FROM items"));
    if (++attempts == 1) {
      std::thread([&] { EXPECT_TRUE(Exec("UPDATE items SET n = 5").ok()); }).join();
    }
    return conn.Exec("UPDATE items SET n = $1", {n + 1}).status();  // 40001 the first time
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(Int("SELECT n FROM items"), 6);
}

TEST_P(DbConnections, ARaceThatShowsAtCommitIsRunAgain) {
  // Write skew under SERIALIZABLE: each reads what the other writes.
  Script(kItems);
  FillItems(2);
  std::atomic<int> attempts{0};
  std::latch both_have_read(2);
  auto job = [&](int64_t mine) {
    return [&, mine](Conn& conn) -> Status {
      RETURN_IF_ERROR(conn.Exec("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", {}).status());
      ASSIGN_OR_RETURN(int64_t sum, IntOf(conn, "SELECT sum(n) FROM items"));
      if (++attempts <= 2) both_have_read.arrive_and_wait();
      conn.Post("UPDATE items SET n = $1 WHERE id = $2", {sum + 1, mine});
      return Status();
    };
  };
  EXPECT_THAT(Together({job(1), job(2)}), Each(absl::OkStatus()));
  EXPECT_GT(attempts, 2);
  EXPECT_THAT(Rows("SELECT n FROM items ORDER BY n", {}, "i"), ElementsAre("1", "2"));
}

TEST_P(DbConnections, ARaceThatIsAlwaysLostIsAnOutageInTheEnd) {
  Script(kItems);
  FillItems(1);
  Script(
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN RAISE serialization_failure; END';"
      "CREATE TRIGGER lose BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION lose()");
  int attempts = 0;
  Status status = store().WriteAndWait([&](Conn& conn) {
    ++attempts;
    return conn.Exec("UPDATE items SET n = 1", {}).status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("nothing was done"));
  EXPECT_GT(attempts, 2);
  EXPECT_LT(attempts, 20);
  EXPECT_EQ(Int("SELECT n FROM items"), 0);
}

}  // namespace
}  // namespace hub::db
