#include <atomic>
#include <string>
#include <thread>

#include "common/db/conformance.h"
#include "common/fault/failpoint.h"

namespace hub::db {
namespace {

CATEGORY(DbMigrations);

TEST_P(DbMigrations, AreAppliedOnceAndInOrder) {
  auto all = ThreeMigrations();
  ASSERT_TRUE(store().Migrate({all[0]}).ok());
  for (int round = 0; round < 2; ++round) {
    Status status = store().Migrate(all);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_THAT(Rows("SELECT number, name FROM schema_migrations ORDER BY number", {}, "it"),
                ElementsAre("1,0001_items.sql", "2,0002_seed.sql", "3,0003_note.sql"));
    EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
  }
  EXPECT_EQ(Int("SELECT count(*) FROM schema_migrations WHERE length(checksum) = 64"), 3);
  EXPECT_NEAR(Int("SELECT max(applied_at) FROM schema_migrations"), MachineNow(), 60'000'000);
}

TEST_P(DbMigrations, TwoListsCountApart) {
  auto all = ThreeMigrations();
  ASSERT_TRUE(
      store().Migrate({{1, "0001_engine.sql", "CREATE TABLE e(id {int64})"}}, "e_migrations").ok());
  ASSERT_TRUE(store().Migrate(all).ok());
  EXPECT_THAT(Rows("SELECT name FROM e_migrations", {}, "t"), ElementsAre("0001_engine.sql"));
  EXPECT_EQ(Int("SELECT count(*) FROM schema_migrations"), 3);
}

TEST_P(DbMigrations, AChangedOneIsRefused) {
  auto all = ThreeMigrations();
  ASSERT_TRUE(store().Migrate(all).ok());
  all[1].sql += " ";
  Status status = store().Migrate(all);
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT);
  EXPECT_THAT(MessageOf(status), HasSubstr("migration 2 (0002_seed.sql) was changed"));
}

TEST_P(DbMigrations, ADatabaseThatIsAheadIsRefused) {
  auto all = ThreeMigrations();
  ASSERT_TRUE(store().Migrate(all).ok());
  all.pop_back();
  Status status = store().Migrate(all);
  EXPECT_THAT(MessageOf(status),
              AllOf(HasSubstr("is at migration 3"), HasSubstr("knows them up to 2")));
}

// Three, and two more: one that a program that knows three can run on, one that says nothing.
std::vector<Migration> FiveMigrations() {
  auto all = ThreeMigrations();
  all.push_back(
      {4, "0004_more.sql",
       "-- readable since: 3\nALTER TABLE items ADD COLUMN places {int64} NOT NULL DEFAULT 5;"
       "ALTER TABLE items ADD COLUMN colour {text}"});
  all.push_back({5, "0005_state.sql", "ALTER TABLE items ADD COLUMN state {text}"});
  return all;
}

// What a program that knows the first `known` is told, and what it says on its way.
std::string Says(Store& store, int known, Status* status) {
  const auto all = FiveMigrations();
  ::testing::internal::CaptureStderr();
  *status = store.Migrate({all.begin(), all.begin() + known});
  return ::testing::internal::GetCapturedStderr();
}

TEST_P(DbMigrations, AnOlderProgramRunsOnWhatSaysThatItMay) {
  auto all = FiveMigrations();
  all.pop_back();
  Status status;
  ASSERT_TRUE(store().Migrate(all).ok());
  EXPECT_EQ(
      Says(store(), 3, &status),
      "the database is at migration 4 (0004_more.sql), this program knows them up to 3 and can"
      " run on it\n");
  ASSERT_TRUE(status.ok()) << status;
  // Its statements know nothing of what is more.
  ASSERT_TRUE(Exec(kInsert, {2, "two", 0}).ok());
  EXPECT_THAT(Rows("SELECT id, places, colour FROM items ORDER BY id", {}, "iit"),
              ElementsAre("1,5,null", "2,5,null"));
  EXPECT_EQ(Int("SELECT max(number) FROM schema_migrations"), 4);  // and it stays as it is
  EXPECT_EQ(Says(store(), 4, &status), "");
}

TEST_P(DbMigrations, AProgramThatIsOlderThanThatIsRefused) {
  auto all = FiveMigrations();
  all.pop_back();
  ASSERT_TRUE(store().Migrate(all).ok());
  Status status;
  EXPECT_EQ(Says(store(), 2, &status), "");
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT);
  EXPECT_THAT(MessageOf(status),
              AllOf(HasSubstr("is at migration 4"), HasSubstr("up to 2"),
                    HasSubstr("only one that knows them up to 3 can run on it")));
}

TEST_P(DbMigrations, OneStepThatSaysNothingIsEnoughToBeRefused) {
  auto all = FiveMigrations();
  all.push_back(
      {6, "0006_more.sql", "-- readable since: 3\nALTER TABLE items ADD COLUMN x {text}"});
  ASSERT_TRUE(store().Migrate(all).ok());
  Status status;
  Says(store(), 4, &status);
  EXPECT_THAT(MessageOf(status),
              AllOf(HasSubstr("is at migration 6"), HasSubstr("up to 5 can run on it")));
  Says(store(), 5, &status);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbMigrations, AnOlderProgramHoldsWhatItKnowsAgainstTheDatabase) {
  auto all = FiveMigrations();
  all.pop_back();
  ASSERT_TRUE(store().Migrate(all).ok());
  auto older = ThreeMigrations();
  older[1].sql += " ";
  EXPECT_THAT(MessageOf(store().Migrate(older)),
              HasSubstr("migration 2 (0002_seed.sql) was changed"));
}

TEST_P(DbMigrations, AFigureThatCannotBeIsRefused) {
  for (const char* figure : {"0", "5", "-1", "three", "3 or so", "", "03"}) {
    auto all = ThreeMigrations();
    all.push_back(
        {4, "0004_more.sql",
         std::string("-- readable since: ") + figure + "\nCREATE TABLE more(id {int64})"});
    EXPECT_THAT(MessageOf(store().Migrate(all)),
                AllOf(HasSubstr("migration 4 (0004_more.sql)"), HasSubstr("from 1 to 4")))
        << figure;
    EXPECT_EQ(Int("SELECT max(number) FROM schema_migrations"), 3);
  }
}

TEST_P(DbMigrations, StepsThatWereNotedWithoutAFigureAreForTheirOwnProgram) {
  // As version 0.1.0 left the table.
  auto all = FiveMigrations();
  all.pop_back();
  ASSERT_TRUE(store().Migrate(all).ok());
  Script("ALTER TABLE schema_migrations DROP COLUMN readable_since");
  Status status;
  Says(store(), 3, &status);
  EXPECT_THAT(MessageOf(status), HasSubstr("up to 4 can run on it"));
  Says(store(), 5, &status);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(
      Rows("SELECT number, readable_since FROM schema_migrations ORDER BY number", {}, "ii"),
      ElementsAre("1,null", "2,null", "3,null", "4,null", "5,5"));
}

TEST_P(DbMigrations, AnOlderAndANewerProgramWorkSideBySide) {
  // The newer one brings the schema on while the older one serves.
  auto all = FiveMigrations();
  all.pop_back();
  ASSERT_TRUE(store().Migrate(ThreeMigrations()).ok());
  std::atomic<bool> through{false};
  std::atomic<int> written{0};
  std::thread older([&] {
    for (int i = 10; !through; ++i) {
      Status status = Exec(kInsert, {i, std::to_string(i), 0});
      EXPECT_TRUE(status.ok()) << status;
      ++written;
    }
  });
  while (written < 5) std::this_thread::yield();
  Status status = store().Migrate(all);
  EXPECT_TRUE(status.ok()) << status;
  for (const int before = written; written < before + 5;) std::this_thread::yield();
  through = true;
  older.join();
  Says(store(), 3, &status);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items WHERE places = 5"), written + 1);
}

TEST_P(DbMigrations, NumbersWithoutAGap) {
  auto all = ThreeMigrations();
  all[2].number = 4;
  EXPECT_THAT(MessageOf(store().Migrate(all)), HasSubstr("migration 4 (0003_note.sql)"));
  ASSERT_TRUE(store().Migrate(ThreeMigrations()).ok());
  ASSERT_TRUE(Exec("DELETE FROM schema_migrations WHERE number = 2").ok());
  EXPECT_THAT(MessageOf(store().Migrate(ThreeMigrations())),
              HasSubstr("holds migration 3 but not 2"));
}

TEST_P(DbMigrations, AFailingOneLeavesNothingOfItself) {
  auto all = ThreeMigrations();
  const std::string right = all[1].sql;
  all[1].sql = "CREATE TABLE half(id {int64}); INSERT INTO nowhere(id) VALUES (1)";
  Status status = store().Migrate(all);
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT);
  EXPECT_THAT(MessageOf(status),
              AllOf(HasSubstr("migration 2 (0002_seed.sql)"), HasSubstr("nowhere")));
  EXPECT_THAT(Rows("SELECT number FROM schema_migrations", {}, "i"), ElementsAre("1"));
  EXPECT_EQ(RefusalOf(Exec("SELECT id FROM half")), errors::INTERNAL_FAULT);
  all[1].sql = right;
  EXPECT_TRUE(store().Migrate(all).ok());
}

TEST_P(DbMigrations, TokensForTheEngine) {
  EXPECT_EQ(ForEngine(Engine::kSqlite, "x {int64}, {text}, {bytes}, {int64}) {strict}"),
            "x INTEGER, TEXT, BLOB, INTEGER) STRICT");
  EXPECT_EQ(ForEngine(Engine::kPostgres, "x {int64}, {text}, {bytes}, {int64}) {strict}"),
            "x BIGINT, TEXT COLLATE \"C\", BYTEA, BIGINT) ");
}

TEST_P(DbMigrations, AnEmptyListIsFine) {
  EXPECT_TRUE(store().Migrate({}).ok());
  EXPECT_TRUE(store().Migrate(ThreeMigrations()).ok());
}

TEST_P(DbMigrations, AListGrowsByOneAtATime) {
  const auto all = ThreeMigrations();
  for (size_t known = 1; known <= all.size(); ++known) {
    Status status =
        store().Migrate({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(known)});
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Int("SELECT max(number) FROM schema_migrations"), static_cast<int64_t>(known));
    Reopen();
  }
}

TEST_P(DbMigrations, RowsStayAndGetTheDefaultsOfNewColumns) {
  auto all = ThreeMigrations();
  ASSERT_TRUE(store().Migrate(all).ok());
  ASSERT_TRUE(Exec("INSERT INTO items(id, name, note) VALUES (2, 'two', 'kept')").ok());
  all.push_back({4, "0004_more.sql",
                 "ALTER TABLE items ADD COLUMN places {int64} NOT NULL DEFAULT 5;"
                 "ALTER TABLE items ADD COLUMN paper {bytes};"
                 "UPDATE items SET places = 6 WHERE id = 2"});
  Status status = store().Migrate(all);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(Rows("SELECT name, note, places, paper FROM items ORDER BY id", {}, "ttib"),
              ElementsAre("one,null,5,null", "two,kept,6,null"));
}

TEST_P(DbMigrations, ATableIsRebuiltWithItsRows) {
  auto all = ThreeMigrations();
  ASSERT_TRUE(store().Migrate(all).ok());
  all.push_back({4, "0004_rebuilt.sql",
                 "CREATE TABLE items_new(id {int64} NOT NULL PRIMARY KEY, title {text} NOT NULL)"
                 " {strict}; INSERT INTO items_new(id, title) SELECT id, name FROM items;"
                 "DROP TABLE items; ALTER TABLE items_new RENAME TO items"});
  Status status = store().Migrate(all);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(Rows("SELECT id, title FROM items", {}, "it"), ElementsAre("1,one"));
}

TEST_P(DbMigrations, CommandsGoOnWhileTheSchemaChanges) {
  auto all = ThreeMigrations();
  ASSERT_TRUE(store().Migrate(all).ok());
  std::atomic<bool> through{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    for (int i = 10; !through; ++i) {
      Status status = Exec(kInsert, {i, std::to_string(i), 0});
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(Int("SELECT id FROM items WHERE id = $1", {i}), i);
      ++written;
    }
  });
  for (int step = 4; step < 14; ++step) {
    for (const int before = written; written < before + 3;) std::this_thread::yield();
    const std::string number = std::to_string(step);
    all.push_back({step, "00" + number + ".sql",
                   "ALTER TABLE items ADD COLUMN c" + number +
                       " {text};"
                       "CREATE INDEX i" +
                       number + " ON items(c" + number + ")"});
    Status status = store().Migrate(all);
    EXPECT_TRUE(status.ok()) << status;
  }
  through = true;
  writer.join();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), written + 1);
}

TEST_P(DbMigrations, AReadOnlyStoreMigratesNothing) {
  ASSERT_TRUE(store().Migrate(ThreeMigrations()).ok());
  StoreOptions options = options_;
  options.read_only = true;
  auto beside = std::move(Store::Open(options)).value();
  EXPECT_THAT(MessageOf(beside->Migrate(ThreeMigrations())), HasSubstr("read-only"));
}

TEST_P(DbMigrations, ARefusalNamesNoValue) {
  auto all = ThreeMigrations();
  all.push_back({4, "0004_seed.sql",
                 "INSERT INTO items(id, name) VALUES (9, 's3cret'); INSERT INTO items(id, name)"
                 " SELECT id + 1, name FROM items WHERE id = 9"});
  Status status = store().Migrate(all);
  EXPECT_EQ(RefusalOf(status), errors::RESOURCE_EXISTS) << status;
  EXPECT_THAT(MessageOf(status),
              AllOf(HasSubstr("migration 4 (0004_seed.sql)"), Not(HasSubstr("s3cret"))));
}

TEST_F(Child, DISABLED_DiesInAMigration) {
  ASSERT_TRUE(fault::Arm({"mid-migration@1"}).ok());
  Use(options_);
  store().Migrate(ThreeMigrations()).IgnoreError();
}

TEST_P(DbMigrations, AStepThatIsKilledRunsAgain) {
  const auto all = ThreeMigrations();
  for (int step = 1; step <= 3; ++step) {
    store_.reset();
    // It dies when the step has had its effect, and before it is noted.
    ASSERT_TRUE(Killed(RunChild("DiesInAMigration", options_)));
    Use(options_);
    if (step == 1) {
      EXPECT_EQ(RefusalOf(Ask("SELECT number FROM schema_migrations")), errors::INTERNAL_FAULT);
    } else {
      EXPECT_EQ(Int("SELECT count(*) FROM schema_migrations"), step - 1);
    }
    Status status = store().Migrate({all.begin(), all.begin() + step});
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_THAT(Rows("SELECT name FROM items", {}, "t"), ElementsAre("one"));
  EXPECT_EQ(Int("SELECT count(*) FROM notes"), 0);
}

}  // namespace
}  // namespace hub::db
