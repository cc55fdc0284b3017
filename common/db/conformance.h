// What the conformance cases share: a database of a case's own on the engine under test, and short
// words for what every case does with it. A category is a test suite; its cases run on both
// engines, or on the one that ON() names, and then tests/conformance/excluded.txt says why the
// other is left out. A missing server fails, it never skips.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/db/db.h"

namespace hub::db {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

inline constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::string Name(Engine engine);

// Of a status that is OK: none.
errors::ErrorReason RefusalOf(const Status& status);
Status Reason(errors::ErrorReason reason);

// A folder, made when it is first asked for, that goes with the test.
class Folder {
 public:
  ~Folder();
  const std::string& path();

 private:
  std::string path_;
};

class Conformance : public ::testing::TestWithParam<Engine> {
 protected:
  // A fresh database of the engine.
  void SetUp() override;

  void Use(const StoreOptions& options);
  void UseSqlite();
  void UsePostgres(const std::string& conninfo);  // a schema of its own there
  void Reopen();

  std::string file() { return folder_.path() + "/test.db"; }
  Store& store() { return *store_; }
  bool is_sqlite() const { return store_->engine() == Engine::kSqlite; }

  void Script(const std::string& ddl);
  Status Exec(const std::string& sql, std::vector<Value> values = {});
  // Exec, and the number of rows that it changed; -1 where it failed.
  int64_t Changed(const std::string& sql, std::vector<Value> values = {});
  // Exec as an INSERT of (1, 'a'), (2, 'b') ... up to `count` into items.
  void FillItems(int count);
  // A read that only has to work.
  Status Ask(const std::string& sql, std::vector<Value> values = {});
  // Every row as one text: values with commas between them, NULL as 'null', bytes as <length>.
  std::vector<std::string> Rows(const std::string& sql, const std::vector<Value>& values,
                                const std::string& types);
  int64_t Int(const std::string& sql, const std::vector<Value>& values = {});

  // Queues the jobs behind one that ends when all of them wait, and returns their results.
  std::vector<Status> Together(const std::vector<Store::Job>& jobs);

  // Calls until it is fine, as a client would after TEMPORARILY_UNAVAILABLE.
  static Status Persist(const std::function<Status()>& call);

  Folder folder_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

// The first column of the first row, inside a job; `none` where there is no row.
StatusOr<int64_t> IntOf(Conn& conn, const std::string& sql, std::vector<Value> values = {},
                        int64_t none = -1);

// A job that has had its effect and has not ended, with the locks that it took.
class Held {
 public:
  Held(Store& store, Store::Job job);
  // It ends, and must be committed.
  void Release();

 private:
  std::latch effect_{1}, may_end_{1}, ended_{1};
};

// What runs in a process of its own, which the case that starts it sees die: a case of this suite,
// by the name DISABLED_<name>, on the same database.
class Child : public Conformance {
 protected:
  void SetUp() override;
  std::string word_;
};
// What waitpid() says of its end.
int RunChild(const std::string& name, const StoreOptions& options, const std::string& word = "");
::testing::AssertionResult Killed(int end);  // by SIGKILL

#define ON(category, ...)                                                \
  INSTANTIATE_TEST_SUITE_P(On, category, ::testing::Values(__VA_ARGS__), \
                           [](const auto& info) { return Name(info.param); })
#define ON_BOTH(category) ON(category, Engine::kSqlite, Engine::kPostgres)
#define CATEGORY(category)                \
  class category : public Conformance {}; \
  ON_BOTH(category)

inline constexpr char kItems[] =
    "CREATE TABLE items(id {int64} NOT NULL PRIMARY KEY, name {text} NOT NULL,"
    " n {int64} NOT NULL DEFAULT 0, CONSTRAINT items_small CHECK (n < 1000000)) {strict};"
    "CREATE UNIQUE INDEX items_name ON items(name)";
inline constexpr char kInsert[] = "INSERT INTO items(id, name, n) VALUES ($1, $2, $3)";

// A list of migrations to begin with: items, a row in them, a column and a table more.
std::vector<Migration> ThreeMigrations();

}  // namespace hub::db
