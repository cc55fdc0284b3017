#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/db/conformance.h"
#include "common/testing/mini_postgres.h"

namespace hub::db {
namespace {

// A server of the test's own, with the test's own misfortunes.
class DbServers : public Conformance {
 protected:
  void SetUp() override {
    auto server = hub::testing::MiniPostgres::Start();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(server).value();
    UsePostgres(server_->ConnString());
    Script(kItems);
  }
  std::unique_ptr<hub::testing::MiniPostgres> server_;
};
ON(DbServers, Engine::kPostgres);

TEST_P(DbServers, ACrashIsAnOutageAndLosesNothingAnswered) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
  ASSERT_TRUE(server_->Crash().ok());
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(RefusalOf(Exec(kInsert, {20, "20", 0})), errors::TEMPORARILY_UNAVAILABLE);
    EXPECT_EQ(RefusalOf(store().ReadAndWait([](Conn& conn) {
                return conn.Query("SELECT 1", {}, [](const Row&) { return absl::OkStatus(); });
              })),
              errors::TEMPORARILY_UNAVAILABLE);
  }
  ASSERT_TRUE(server_->Resume().ok());
  Status status = Persist([&] { return Exec(kInsert, {20, "20", 0}); });
  EXPECT_TRUE(status.ok()) << status;
  status = Persist([&] {
    return store().ReadAndWait([](Conn& conn) {
      return conn.Query("SELECT 1", {}, [](const Row&) { return absl::OkStatus(); });
    });
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 21);
}

TEST_P(DbServers, ALostCommitOfWhichNothingWasAnsweredIsNotRunAgain) {
  // The server process dies so suddenly in COMMIT that its answer to BEGIN is lost with it.
  Script(R"(
      CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN COPY (SELECT 1) TO PROGRAM ''kill -9 $PPID''; RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER die AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION die())");
  int attempts = 0;
  Status status = store().WriteAndWait([&](Conn& conn) {
    ++attempts;
    conn.Post(kInsert, {1, "one", 0});
    return absl::OkStatus();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("may or may not be done"));
  EXPECT_EQ(attempts, 1);
}

TEST_P(DbServers, AServerThatBecameReadOnlyIsLeft) {
  // As after a failover: the sessions stand, and every write is refused.
  auto read_only = [&](const std::string& value) {
    std::string command = "psql -q -d '" + server_->ConnString() +
                          "' -c \"ALTER SYSTEM SET default_transaction_read_only = " + value +
                          "\" -c 'SELECT pg_reload_conf()' > /dev/null";
    ASSERT_EQ(std::system(("PGOPTIONS='-c default_transaction_read_only=off' " + command).c_str()),
              0);
  };
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  read_only("on");
  Status status;
  do {  // the server takes notice in its own time
    status = Exec("UPDATE items SET n = n + 1");
  } while (status.ok());
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  read_only("off");
  status = Persist([&] { return Exec(kInsert, {2, "two", 0}); });
  EXPECT_TRUE(status.ok()) << status;
}

// A statement of an administrator, in a session that may write whatever the default is.
void Administer(const std::string& conninfo, const std::string& sql) {
  const std::string command = "PGOPTIONS='-c default_transaction_read_only=off' psql -q -d '" +
                              conninfo + "' -c \"" + sql + "\" > /dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0) << sql;
}

std::string FolderOf(const std::string& conninfo) {
  return conninfo.substr(5, conninfo.find(' ') - 5);
}

TEST_P(DbServers, AProperShutdownIsAnOutage) {
  // SQLSTATE 57P01 for who is connected, amid a job too; 57P03 or nobody for who comes.
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  std::ifstream file(FolderOf(server_->ConnString()) + "/data/postmaster.pid");
  pid_t postmaster = 0;
  file >> postmaster;
  ASSERT_GT(postmaster, 1);
  int attempts = 0;
  Status status = store().WriteAndWait([&](Conn& conn) {
    ++attempts;
    RETURN_IF_ERROR(conn.Exec(kInsert, {2, "two", 0}).status());
    kill(postmaster, SIGINT);  // 'fast'
    Status lost;
    while (lost.ok()) lost = IntOf(conn, "SELECT 1").status();
    return lost;
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_EQ(attempts, 1);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(RefusalOf(Exec(kInsert, {2, "two", 0})), errors::TEMPORARILY_UNAVAILABLE);
    EXPECT_EQ(RefusalOf(Ask("SELECT 1")), errors::TEMPORARILY_UNAVAILABLE);
  }
  ASSERT_TRUE(server_->Crash().ok());  // it is down; this says so to its keeper
  ASSERT_TRUE(server_->Resume().ok());
  status = Persist([&] { return Exec(kInsert, {2, "two", 0}); });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(Persist([&] { return Ask("SELECT 1"); }).ok());
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 2);
}

TEST_P(DbServers, ATerminatedSessionIsAnOutageOfItsOwnJobOnly) {
  // Every session of the store but the one that asks, again and again, under load.
  std::atomic<bool> through{false};
  std::atomic<int> done{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&, c] {
      for (int i = 0; !through; ++i) {
        const int64_t id = c * 1000000 + i;
        Status status = Persist([&] {
          return store().WriteAndWait([&](Conn& conn) -> Status {
            return conn
                .Exec("INSERT INTO items(id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                      {id, std::to_string(id)})
                .status();
          });
        });
        EXPECT_TRUE(status.ok()) << status;
        ++done;
      }
    });
  }
  for (int cut = 0; cut < 10; ++cut) {
    const int before = done;
    Administer(server_->ConnString(),
               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
               " WHERE application_name = 'coproduction-hub' AND pid <> pg_backend_pid()");
    while (done < before + 20) std::this_thread::yield();
  }
  through = true;
  for (auto& caller : callers) caller.join();
  EXPECT_TRUE(Persist([&] { return Ask("SELECT 1"); }).ok());
  EXPECT_EQ(Int("SELECT count(*) FROM items"), done);
}

TEST_P(DbServers, TooManyConnectionsAreAnOutageUntilThereAreFewer) {
  auto small = hub::testing::MiniPostgres::Start(
      {.settings = {"max_connections=4", "superuser_reserved_connections=0"}});
  ASSERT_TRUE(small.ok()) << small.status();
  StoreOptions options;
  options.url = "postgres:" + (*small)->ConnString();
  options.schema = "narrow";
  options.writers = 2;
  options.readers = 2;
  auto first = std::move(Store::Open(options)).value();
  Store::Job one = [](Conn& conn) { return IntOf(conn, "SELECT 1").status(); };
  std::latch held(4), go_on(1);
  Store::Job hold = [&](Conn& conn) -> Status {
    RETURN_IF_ERROR(one(conn));
    held.count_down();
    go_on.wait();
    return Status();
  };
  // The server takes notice of a connection that has ended in its own time.
  std::vector<std::thread> holders;
  for (int i = 0; i < 4; ++i) {
    holders.emplace_back([&, i] {
      EXPECT_TRUE(Persist([&] {
                    return i % 2 == 0 ? first->WriteAndWait(hold) : first->ReadAndWait(hold);
                  }).ok());
    });
  }
  held.wait();  // all four are taken
  Status status = Store::Open(options).status();
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("too many clients"));
  go_on.count_down();
  for (auto& holder : holders) holder.join();
  EXPECT_TRUE(first->WriteAndWait(one).ok());
  first = nullptr;
  std::unique_ptr<Store> second;
  status = Persist([&]() -> Status {
    ASSIGN_OR_RETURN(second, Store::Open(options));
    return Status();
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(Persist([&] { return second->WriteAndWait(one); }).ok());
  second = nullptr;
}

TEST_P(DbServers, AStandbyIsNotUsedUntilItIsPromoted) {
  auto standby = hub::testing::MiniPostgres::Start({.standby_of = server_->ConnString()});
  ASSERT_TRUE(standby.ok()) << standby.status();
  StoreOptions options = options_;
  options.url = "postgres:" + (*standby)->ConnString();
  EXPECT_EQ(RefusalOf(Store::Open(options).status()), errors::TEMPORARILY_UNAVAILABLE);
  ASSERT_TRUE(server_->Crash().ok());
  EXPECT_EQ(RefusalOf(Store::Open(options).status()), errors::TEMPORARILY_UNAVAILABLE);
  Administer((*standby)->ConnString(), "SELECT pg_promote()");
  Use(options);
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbServers, AFailOverLosesNothingThatWasAnswered) {
  auto standby = hub::testing::MiniPostgres::Start({.standby_of = server_->ConnString()});
  ASSERT_TRUE(standby.ok()) << standby.status();
  // A commit waits for the standby from here on.
  Administer(server_->ConnString(), "ALTER SYSTEM SET synchronous_standby_names = '*'");
  Administer(server_->ConnString(), "SELECT pg_reload_conf()");
  StoreOptions options = options_;
  options.url = "postgres:host=" + FolderOf(server_->ConnString()) + "," +
                FolderOf((*standby)->ConnString()) + " user=hub dbname=postgres";
  Use(options);

  std::atomic<bool> through{false};
  std::atomic<int64_t> answered{0};
  std::thread caller([&] {
    for (int64_t id = 0; !through; ++id) {
      Status status = Persist([&] {
        return Exec("INSERT INTO items(id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    {id, std::to_string(id)});
      });
      EXPECT_TRUE(status.ok()) << status;
      if (status.ok()) answered = id + 1;
    }
  });
  while (answered < 50) std::this_thread::yield();
  ASSERT_TRUE(server_->Crash().ok());
  const int64_t at_the_crash = answered;
  EXPECT_EQ(RefusalOf(Ask("SELECT 1")), errors::TEMPORARILY_UNAVAILABLE);
  Administer((*standby)->ConnString(), "SELECT pg_promote()");
  while (answered < at_the_crash + 50) std::this_thread::yield();
  through = true;
  caller.join();
  EXPECT_TRUE(Persist([&] { return Ask("SELECT 1"); }).ok());
  EXPECT_EQ(Int("SELECT count(*) FROM items"), answered);
  EXPECT_EQ(Int("SELECT max(id) FROM items"), answered - 1);
  EXPECT_THAT(Rows("SELECT CAST(pg_is_in_recovery() AS integer)", {}, "i"), ElementsAre("0"));
  store_.reset();
}

}  // namespace
}  // namespace hub::db
