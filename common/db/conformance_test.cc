#include "common/db/conformance.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <latch>
#include <thread>
#include <utility>

#include "common/testing/mini_postgres.h"

namespace hub::db {

std::string Name(Engine engine) { return engine == Engine::kSqlite ? "Sqlite" : "Postgres"; }

errors::ErrorReason RefusalOf(const Status& status) {
  return status.ok() ? errors::ERROR_REASON_UNSPECIFIED : ReasonOf(status);
}

Status Reason(errors::ErrorReason reason) { return Refuse(reason, "the test's own"); }

Folder::~Folder() {
  if (!path_.empty()) std::filesystem::remove_all(path_);
}

const std::string& Folder::path() {
  char name[] = "/tmp/hub-db-test-XXXXXX";
  if (path_.empty()) path_ = mkdtemp(name);
  return path_;
}

void Conformance::SetUp() {
  if (GetParam() == Engine::kSqlite) return UseSqlite();
  auto postgres = hub::testing::MiniPostgres::Shared();
  ASSERT_TRUE(postgres.ok()) << postgres.status();
  UsePostgres((*postgres)->ConnString());
}

void Conformance::Use(const StoreOptions& options) {
  options_ = options;
  auto store = Store::Open(options_);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = std::move(store).value();
}

void Conformance::UseSqlite() {
  StoreOptions options;
  options.url = "sqlite:" + file();
  Use(options);
}

void Conformance::UsePostgres(const std::string& conninfo) {
  static std::atomic<int> number{0};
  StoreOptions options;
  options.url = "postgres:" + conninfo;
  options.schema = "test" + std::to_string(++number);
  Use(options);
}

void Conformance::Reopen() {
  store_.reset();
  Use(options_);
}

void Conformance::Script(const std::string& ddl) {
  Status status = store_->WriteAndWait([&](Conn& conn) { return conn.Script(ddl); });
  ASSERT_TRUE(status.ok()) << status;
}

Status Conformance::Exec(const std::string& sql, std::vector<Value> values) {
  return store_->WriteAndWait([&](Conn& conn) { return conn.Exec(sql, values).status(); });
}

int64_t Conformance::Changed(const std::string& sql, std::vector<Value> values) {
  int64_t changed = -1;
  Status status = store_->WriteAndWait([&](Conn& conn) -> Status {
    ASSIGN_OR_RETURN(changed, conn.Exec(sql, values));
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status;
  return changed;
}

void Conformance::FillItems(int count) {
  for (int i = 1; i <= count; ++i) {
    Status status = Exec(kInsert, {i, std::string(1, static_cast<char>('a' + i - 1)), 0});
    ASSERT_TRUE(status.ok()) << status;
  }
}

Status Conformance::Ask(const std::string& sql, std::vector<Value> values) {
  return store_->ReadAndWait([&](Conn& conn) {
    return conn.Query(sql, values, [](const Row&) { return absl::OkStatus(); });
  });
}

std::vector<std::string> Conformance::Rows(const std::string& sql, const std::vector<Value>& values,
                                           const std::string& types) {
  std::vector<std::string> rows;
  Status status = store_->ReadAndWait([&](Conn& conn) {
    rows.clear();
    return conn.Query(sql, values, [&](const Row& row) {
      std::string text;
      for (int i = 0; i < static_cast<int>(types.size()); ++i) {
        if (i > 0) text += ",";
        if (row.IsNull(i)) {
          text += "null";
        } else if (types[i] == 'i') {
          text += std::to_string(row.Int(i));
        } else if (types[i] == 't') {
          text += row.Text(i);
        } else {
          text += "<" + std::to_string(row.Blob(i).size()) + ">";
        }
      }
      rows.push_back(text);
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

int64_t Conformance::Int(const std::string& sql, const std::vector<Value>& values) {
  auto rows = Rows(sql, values, "i");
  return rows.empty() ? -1 : std::atoll(rows[0].c_str());
}

std::vector<Status> Conformance::Together(const std::vector<Store::Job>& jobs) {
  std::latch queued(1);
  std::latch open(static_cast<int>(jobs.size()) + 1);
  std::vector<Status> results(jobs.size());
  store_->Write(
      [&](Conn&) {
        queued.wait();
        return absl::OkStatus();
      },
      0, [&](Status) { open.count_down(); });
  for (size_t i = 0; i < jobs.size(); ++i) {
    store_->Write(jobs[i], 0, [&, i](Status status) {
      results[i] = status;
      open.count_down();
    });
  }
  queued.count_down();
  open.wait();
  return results;
}

Held::Held(Store& store, Store::Job job) {
  store.Write(
      [this, job = std::move(job)](Conn& conn) -> Status {
        RETURN_IF_ERROR(job(conn));
        effect_.count_down();
        may_end_.wait();
        return Status();
      },
      0,
      [this](const Status& status) {
        EXPECT_TRUE(status.ok()) << status;
        if (!effect_.try_wait()) effect_.count_down();
        ended_.count_down();
      });
  effect_.wait();
}

void Held::Release() {
  may_end_.count_down();
  ended_.wait();
}

Status Conformance::Persist(const std::function<Status()>& call) {
  Status status;
  for (Micros end = MachineNow() + 60'000'000; MachineNow() < end;) {
    status = call();
    if (RefusalOf(status) != errors::TEMPORARILY_UNAVAILABLE) return status;
    std::this_thread::yield();
  }
  return status;
}

StatusOr<int64_t> IntOf(Conn& conn, const std::string& sql, std::vector<Value> values,
                        int64_t none) {
  int64_t number = none;
  RETURN_IF_ERROR(conn.Query(sql, values, [&](const Row& row) {
    number = row.Int(0);
    return absl::OkStatus();
  }));
  return number;
}

int RunChild(const std::string& name, const StoreOptions& options, const std::string& word) {
  pid_t child = fork();
  if (child == 0) {
    const std::string filter = "--gtest_filter=Child.DISABLED_" + name;
    setenv("HUB_TEST_URL", options.url.c_str(), 1);
    setenv("HUB_TEST_SCHEMA", options.schema.c_str(), 1);
    setenv("HUB_TEST_WORD", word.c_str(), 1);
    execl("/proc/self/exe", "child", filter.c_str(), "--gtest_also_run_disabled_tests",
          "--gtest_brief=1", nullptr);
    _exit(127);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

void Child::SetUp() {
  const char* url = std::getenv("HUB_TEST_URL");
  ASSERT_NE(url, nullptr) << "runs as the child of another case only";
  options_.url = url;
  options_.schema = std::getenv("HUB_TEST_SCHEMA");
  word_ = std::getenv("HUB_TEST_WORD");
}

::testing::AssertionResult Killed(int end) {
  if (WIFSIGNALED(end) && WTERMSIG(end) == SIGKILL) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "the process ended with " << end;
}

std::vector<Migration> ThreeMigrations() {
  return {{1, "0001_items.sql", kItems},
          {2, "0002_seed.sql", "INSERT INTO items(id, name) VALUES (1, 'one')"},
          {3, "0003_note.sql",
           "ALTER TABLE items ADD COLUMN note {text};"
           "CREATE TABLE notes(id {int64} NOT NULL PRIMARY KEY, body {bytes} NOT NULL) {strict}"}};
}

}  // namespace hub::db
