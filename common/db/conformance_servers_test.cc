#include <cstdlib>
#include <memory>
#include <string>

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

}  // namespace
}  // namespace hub::db
