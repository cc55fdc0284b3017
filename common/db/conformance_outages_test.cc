// A connection that is lost, at each place of a job: what was not committed is done again or told
// as an outage, and never done by half; what may have been committed is told as that.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/db/conformance.h"
#include "common/db/conformance_line.h"
#include "common/testing/mini_postgres.h"

namespace hub::db {
namespace {

class DbOutages : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    Script(kItems);
    line_ = std::make_unique<Line>(options_.url.substr(9), folder_.path());
    StoreOptions options = options_;
    options.url = "postgres:" + line_->conninfo();
    options.writers = options.readers = 1;
    auto store = Store::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    far_ = std::move(store).value();
    // Both of its connections stand.
    ASSERT_TRUE(
        far_->WriteAndWait([](Conn& conn) { return IntOf(conn, "SELECT 1").status(); }).ok());
    ASSERT_TRUE(
        far_->ReadAndWait([](Conn& conn) { return IntOf(conn, "SELECT 1").status(); }).ok());
  }
  void TearDown() override {
    far_.reset();
    line_.reset();
  }
  static Status Insert(Conn& conn, int64_t id) {
    return conn.Exec(kInsert, {id, std::to_string(id), 0}).status();
  }
  // The store behind the line works as if nothing had been.
  void ExpectWell(int64_t rows) {
    EXPECT_EQ(Int("SELECT count(*) FROM items"), rows);
    Status status =
        Persist([&] { return far_->WriteAndWait([](Conn& conn) { return Insert(conn, 100); }); });
    EXPECT_TRUE(status.ok()) << status;
    int64_t seen = 0;
    status = Persist([&] {
      return far_->ReadAndWait([&](Conn& conn) -> Status {
        ASSIGN_OR_RETURN(seen, IntOf(conn, "SELECT count(*) FROM items"));
        return Status();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(seen, rows + 1);
    // The server lets go of what the lost sessions held as soon as it sees that they are gone.
    for (const Micros patience = MachineNow() + 60'000'000; MachineNow() < patience;) {
      if (Int("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
              " WHERE c.relname = 'items' AND l.pid <> pg_backend_pid()"
              " AND c.relnamespace = current_schema()::regnamespace") == 0) {
        return;
      }
    }
    ADD_FAILURE() << "a session that was lost holds its locks";
  }

  std::unique_ptr<Line> line_;
  std::unique_ptr<Store> far_;
};
ON(DbOutages, Engine::kPostgres);

TEST_P(DbOutages, BeforeTheServerHeardOfTheJobItIsRunAgain) {
  int attempts = 0;
  Status status = far_->WriteAndWait([&](Conn& conn) {
    if (++attempts == 1) line_->Lose(Line::kRequest);
    return Insert(conn, 1);
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(attempts, 2);
  ExpectWell(1);
}

TEST_P(DbOutages, WhereNothingWasAnsweredYetTheJobIsRunAgain) {
  int attempts = 0;
  Status status = far_->WriteAndWait([&](Conn& conn) {
    if (++attempts == 1) line_->Lose(Line::kAnswer);  // of BEGIN and the claim
    return Insert(conn, 1);
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(attempts, 2);
  ExpectWell(1);
}

TEST_P(DbOutages, AmidTheJobItIsAnOutageAndNothingIsDone) {
  for (auto loss : {Line::kRequest, Line::kAnswer}) {
    int attempts = 0;
    Status status = far_->WriteAndWait([&](Conn& conn) {
      ++attempts;
      RETURN_IF_ERROR(Insert(conn, 1));
      line_->Lose(loss);
      return Insert(conn, 2);
    });
    EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
    EXPECT_THAT(MessageOf(status), HasSubstr("nothing was done"));
    EXPECT_EQ(attempts, 1);
  }
  ExpectWell(0);
}

TEST_P(DbOutages, ACommitThatTheServerNeverGotIsToldAsOneThatMayBeDone) {
  int attempts = 0;
  Status status = far_->WriteAndWait([&](Conn& conn) {
    ++attempts;
    RETURN_IF_ERROR(Insert(conn, 1));
    line_->Lose(Line::kRequest);
    return Status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("may or may not be done"));
  EXPECT_EQ(attempts, 1);
  ExpectWell(0);
}

TEST_P(DbOutages, ACommitWhoseAnswerIsLostIsToldAsOneThatMayBeDone) {
  int attempts = 0;
  Status status = far_->WriteAndWait([&](Conn& conn) {
    ++attempts;
    RETURN_IF_ERROR(Insert(conn, 1));
    line_->Lose(Line::kAnswer);
    return Status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("may or may not be done"));
  EXPECT_EQ(attempts, 1);
  ExpectWell(1);  // and it was
}

TEST_P(DbOutages, ACommitThatTravelsWithTheWholeJobIsNotRunAgain) {
  // Posted: BEGIN, the statement and COMMIT go in one, so that nothing was answered before.
  for (auto loss : {Line::kRequest, Line::kAnswer}) {
    int attempts = 0;
    Status status = far_->WriteAndWait([&](Conn& conn) {
      ++attempts;
      conn.Post(kInsert, {int64_t{loss}, std::to_string(loss), 0});
      line_->Lose(loss);
      return Status();
    });
    EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
    EXPECT_THAT(MessageOf(status), HasSubstr("may or may not be done"));
    EXPECT_EQ(attempts, 1);
  }
  ExpectWell(1);
}

TEST_P(DbOutages, AtTheRollbackTheJobsOwnWordsComeBack) {
  for (auto loss : {Line::kRequest, Line::kAnswer}) {
    Status status = far_->WriteAndWait([&](Conn& conn) {
      RETURN_IF_ERROR(Insert(conn, 1));
      line_->Lose(loss);
      return RuleRefused("late", "too late");
    });
    EXPECT_EQ(RefusalOf(status), errors::RULE_REFUSED) << status;
  }
  ExpectWell(0);
}

TEST_P(DbOutages, InAScriptItIsAnOutageAndNothingIsMade) {
  for (auto loss : {Line::kRequest, Line::kAnswer}) {
    Status status = far_->WriteAndWait([&](Conn& conn) {
      RETURN_IF_ERROR(Insert(conn, 1));
      line_->Lose(loss);
      return conn.Script("CREATE TABLE half(id {int64}); INSERT INTO half(id) VALUES (1)");
    });
    EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
    EXPECT_EQ(RefusalOf(Ask("SELECT id FROM half")), errors::INTERNAL_FAULT);
  }
  ExpectWell(0);
}

TEST_P(DbOutages, AReadThatHadNoAnswerYetIsRunAgain) {
  for (auto loss : {Line::kRequest, Line::kAnswer}) {
    int attempts = 0;
    Status status = far_->ReadAndWait([&](Conn& conn) {
      if (++attempts == 1) line_->Lose(loss);
      return IntOf(conn, "SELECT count(*) FROM items").status();
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(attempts, 2);
  }
  ExpectWell(0);
}

TEST_P(DbOutages, AmidAReadItIsAnOutage) {
  // Not run again: its second half would be of another moment than what it has seen.
  int attempts = 0;
  Status status = far_->ReadAndWait([&](Conn& conn) {
    ++attempts;
    RETURN_IF_ERROR(IntOf(conn, "SELECT count(*) FROM items").status());
    line_->Lose(Line::kAnswer);
    return IntOf(conn, "SELECT count(*) FROM items").status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_EQ(attempts, 1);
  ExpectWell(0);
}

TEST_P(DbOutages, AJobThatSwallowsTheLossIsNotCalledDone) {
  Status status = far_->WriteAndWait([&](Conn& conn) {
    RETURN_IF_ERROR(Insert(conn, 1));
    line_->Lose(Line::kAnswer);
    Insert(conn, 2).IgnoreError();
    EXPECT_FALSE(Insert(conn, 3).ok());
    return Status();
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  ExpectWell(0);
}

TEST_P(DbOutages, TheLossSaysMoreThanTheJob) {
  // The job made the wrong thing of it: a later try helps, and that is what its sender is told.
  Status status = far_->WriteAndWait([&](Conn& conn) {
    RETURN_IF_ERROR(Insert(conn, 1));
    line_->Lose(Line::kRequest);
    return Insert(conn, 2).ok() ? Status() : Reason(errors::RESOURCE_NOT_FOUND);
  });
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  ExpectWell(0);
}

}  // namespace
}  // namespace hub::db
