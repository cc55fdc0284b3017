// A command whose sender does not know how it ended is sent again under its key, and is then done
// once or answered: wherever the process was killed, or the connection was lost.
#include <string>
#include <thread>
#include <vector>

#include "common/db/conformance_line.h"
#include "common/fault/failpoint.h"
#include "tests/conformance/engine_case.h"

namespace hub::db {
namespace {

constexpr char kKey[] = "0190a5f2-7b1c-7e4e-8a43-0242ac120002";

class Commands : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    store_.reset();
  }
  std::string keys() { return folder_.path() + "/keys.db"; }

  // How often the command had its effect, by every trace that one leaves.
  static void ExpectDone(EngineCase& hub, const std::string& name, int times) {
    int64_t version = 0, journal = 0, events = 0, keys = 0;
    Status status = hub.store().ReadAndWait([&](Conn& conn) -> Status {
      ASSIGN_OR_RETURN(version, IntOf(conn, "SELECT version FROM requests"));
      ASSIGN_OR_RETURN(journal, IntOf(conn, "SELECT count(*) FROM journal"));
      ASSIGN_OR_RETURN(events, IntOf(conn,
                                     "SELECT count(*) FROM payloads"
                                     " WHERE receiver = 'services' AND aggregate = $1",
                                     {name}));
      ASSIGN_OR_RETURN(keys,
                       IntOf(conn, "SELECT count(*) FROM keys WHERE request_id = $1", {kKey}));
      return Status();
    });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(version, 1 + times);
    EXPECT_EQ(journal, 1 + times);  // the draft's own before it
    EXPECT_EQ(events, 1 + times);
    EXPECT_EQ(keys, times);
  }
  // Sends the command until it is answered, as its sender would.
  static Status SendAgain(EngineCase& hub, const std::string& name) {
    return Persist([&] { return hub.Do(EngineCase::Change(name, true), kKey); });
  }
  // A process makes the command and is killed there; another one gets it again, twice.
  void KillAt(const std::string& point, int done) {
    std::string name;
    {
      EngineCase hub(options_, keys());
      name = hub.NewRequest();
    }
    ASSERT_TRUE(Killed(RunChild("MakesACommand", options_, keys() + " " + name + " " + point)));
    EngineCase hub(options_, keys());
    ExpectDone(hub, name, done);
    for (int again = 0; again < 2; ++again) {
      Status status = SendAgain(hub, name);
      EXPECT_TRUE(status.ok()) << status;
    }
    ExpectDone(hub, name, 1);
  }
};
ON_BOTH(Commands);

TEST_F(Child, DISABLED_MakesACommand) {
  const size_t first = word_.find(' '), second = word_.rfind(' ');
  EngineCase hub(options_, word_.substr(0, first));
  ASSERT_TRUE(fault::Arm({word_.substr(second + 1)}).ok());
  hub.Do(EngineCase::Change(word_.substr(first + 1, second - first - 1), true), kKey).IgnoreError();
}

TEST_P(Commands, KilledBeforeTheCommitItIsDoneWhenItIsSentAgain) { KillAt("before-commit", 0); }

TEST_P(Commands, KilledAfterTheCommitItIsAnsweredWhenItIsSentAgain) { KillAt("after-commit", 1); }

TEST_P(Commands, SentAgainWhileTheFirstStillRunsItIsDoneOnce) {
  EngineCase hub(options_, keys());
  const std::string name = hub.NewRequest();
  std::vector<std::thread> senders;
  for (int i = 0; i < 16; ++i) {
    senders.emplace_back([&] {
      Status status = SendAgain(hub, name);
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (auto& sender : senders) sender.join();
  ExpectDone(hub, name, 1);
}

class CommandsOverALine : public Commands {};
ON(CommandsOverALine, Engine::kPostgres);

TEST_P(CommandsOverALine, DoneAndNotToldItIsAnsweredWhenItIsSentAgain) {
  Line line(options_.url.substr(9), folder_.path());
  StoreOptions options = options_;
  options.url = "postgres:" + line.conninfo();
  {
    EngineCase hub(options, keys());
    const std::string name = hub.NewRequest();
    auto change = EngineCase::Change(name, true);
    Status status = hub.Do(
        [&](Write& write) -> Status {
          line.Lose(Line::kAnswer, "COMMIT");
          return change(write);
        },
        kKey);
    EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
    EXPECT_THAT(MessageOf(status), HasSubstr("the same request_id"));
    ExpectDone(hub, name, 1);
    for (int again = 0; again < 2; ++again) EXPECT_TRUE(SendAgain(hub, name).ok());
    ExpectDone(hub, name, 1);
  }
}

TEST_P(CommandsOverALine, NotDoneAndNotToldItIsDoneWhenItIsSentAgain) {
  EngineCase hub(options_, keys());
  const std::string name = hub.NewRequest();
  // The session ends in COMMIT, where a deferred trigger runs.
  Status status = hub.store().WriteAndWait([](Conn& conn) {
    return conn.Script(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON keys DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION cut()");
  });
  ASSERT_TRUE(status.ok()) << status;
  auto change = EngineCase::Change(name, true);
  status = hub.Do(change, kKey);
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("the same request_id"));
  ExpectDone(hub, name, 0);
  status = hub.store().WriteAndWait(
      [](Conn& conn) { return conn.Script("DROP TRIGGER cut ON keys; DROP FUNCTION cut()"); });
  ASSERT_TRUE(status.ok()) << status;
  for (int again = 0; again < 2; ++again) EXPECT_TRUE(SendAgain(hub, name).ok());
  ExpectDone(hub, name, 1);
}

}  // namespace
}  // namespace hub::db
