#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "common/db/conformance.h"
#include "common/fault/failpoint.h"

// SQLite's own call of the kernel, counted and, where a test wants it, failing.
std::atomic<int64_t> syncs{0};
std::atomic<bool> sync_fails{false};
extern "C" int fdatasync(int fd) {
  ++syncs;
  if (sync_fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

namespace hub::db {
namespace {

class DbFiles : public Conformance {};
ON(DbFiles, Engine::kSqlite);

TEST_P(DbFiles, ManyCommandsShareOneSync) {
  Script(kItems);
  constexpr int kClients = 64, kEach = 100;
  const int64_t jobs = store().jobs_committed(), commits = store().commits(), before = syncs;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([this, c] {
      for (int i = 0; i < kEach; ++i) {
        int id = c * kEach + i;
        ASSERT_TRUE(Exec(kInsert, {id, "n" + std::to_string(id), 0}).ok());
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(store().jobs_committed() - jobs, kClients * kEach);
  EXPECT_GE(syncs - before, store().commits() - commits);  // no commit without its sync
  EXPECT_LT((syncs - before) * 8, kClients * kEach);       // at least 8 commands a sync
  EXPECT_EQ(Int("SELECT count(*) FROM items"), kClients * kEach);
}

TEST_P(DbFiles, AnAnswerComesAfterTheSync) {
  Script(kItems);
  for (int i = 0; i < 20; ++i) {
    int64_t before = syncs;
    ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
    EXPECT_GT(syncs, before);
  }
}

TEST_P(DbFiles, AFullDiskFailsTheWholeBatch) {
  Script(kItems);
  Store::Job dear = [](Conn& conn) {
    int64_t pages = 0;
    RETURN_IF_ERROR(conn.Query("PRAGMA page_count", {}, [&](const Row& row) {
      pages = row.Int(0);
      return absl::OkStatus();
    }));
    RETURN_IF_ERROR(conn.Script("PRAGMA max_page_count=" + std::to_string(pages)));
    return conn.Exec(kInsert, {3, std::string(1 << 20, 'x'), 0}).status();
  };
  Store::Job insert = [](Conn& conn) { return conn.Exec(kInsert, {1, "one", 0}).status(); };
  auto results = Together({insert, insert, dear, insert});
  for (const Status& result : results) {
    // Also the second: what it was refused for is not there.
    EXPECT_EQ(RefusalOf(result), errors::TEMPORARILY_UNAVAILABLE) << result;
  }
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
  Script("PRAGMA max_page_count=1000000");
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
}

TEST_P(DbFiles, AFailingSyncFailsTheBatchAndTheNextWorks) {
  Script(kItems);
  sync_fails = true;
  Status status = Exec(kInsert, {1, "one", 0});
  sync_fails = false;
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  Reopen();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbFiles, SetUpAsPromised) {
  std::map<std::string, std::string> settings;
  Status status = store().WriteAndWait([&](Conn& conn) {
    for (const char* name : {"synchronous", "foreign_keys", "temp_store"}) {
      RETURN_IF_ERROR(conn.Query(std::string("PRAGMA ") + name, {}, [&](const Row& row) {
        settings[name] = std::to_string(row.Int(0));
        return absl::OkStatus();
      }));
    }
    return conn.Query("PRAGMA journal_mode", {}, [&](const Row& row) {
      settings["journal_mode"] = row.Text(0);
      return absl::OkStatus();
    });
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(settings, (std::map<std::string, std::string>{{"synchronous", "2"},
                                                            {"foreign_keys", "1"},
                                                            {"temp_store", "2"},
                                                            {"journal_mode", "wal"}}));
  // Nobody else reads the database, nor its log.
  using std::filesystem::perms;
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    EXPECT_EQ(std::filesystem::status(file() + suffix).permissions(),
              perms::owner_read | perms::owner_write)
        << suffix;
  }
}

TEST_P(DbFiles, AReadOnlyStoreStandsBesideAnother) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  StoreOptions options = options_;
  options.read_only = true;
  auto beside = Store::Open(options);
  ASSERT_TRUE(beside.ok()) << beside.status();
  int64_t rows = 0;
  Status read = (*beside)->ReadAndWait([&](Conn& conn) {
    return conn.Query("SELECT COUNT(*) FROM items", {}, [&](const Row& row) {
      rows = row.Int(0);
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_EQ(rows, 1);
  Status write = (*beside)->WriteAndWait([](Conn&) { return absl::OkStatus(); });
  EXPECT_THAT(MessageOf(write), HasSubstr("read-only"));
  options.url += ".absent";
  EXPECT_FALSE(Store::Open(options).ok());
  EXPECT_FALSE(std::filesystem::exists(file() + ".absent"));
}

TEST_P(DbFiles, ASecondStoreIsRefusedUntilTheFirstIsGone) {
  auto second = Store::Open(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(MessageOf(second.status()),
              AllOf(HasSubstr(file() + ".lock"), HasSubstr("pid " + std::to_string(getpid()))));
  store_.reset();
  EXPECT_TRUE(Store::Open(options_).ok());
}

TEST_F(Child, DISABLED_IsRefused) {
  Status status = Store::Open(options_).status();
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr(options_.url.substr(7) + ".lock"),
                                       HasSubstr("(pid " + std::to_string(getppid()) + ")")));
}

TEST_F(Child, DISABLED_WritesAndDies) {
  Use(options_);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
  }
  store().Write(
      [](Conn& conn) {
        RETURN_IF_ERROR(conn.Exec(kInsert, {100, "never answered", 0}).status());
        raise(SIGKILL);
        return absl::OkStatus();
      },
      0, [](Status) {});
  store().Drain();
}

TEST_P(DbFiles, ASecondProcessIsRefused) { EXPECT_EQ(RunChild("IsRefused", options_), 0); }

TEST_P(DbFiles, WhatWasAnsweredOutlivesTheProcess) {
  Script(kItems);
  store_.reset();
  ASSERT_TRUE(Killed(RunChild("WritesAndDies", options_)));
  Use(options_);  // the lock went with its holder
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 100);
}

TEST_P(DbFiles, WhatAForeignProgramHoldsIsAnOutageUntilItLetsGo) {
  Script(kItems);
  sqlite3* foreigner = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &foreigner), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(foreigner, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  Status status = Exec(kInsert, {1, "one", 0});
  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);  // who reads does not wait
  ASSERT_EQ(sqlite3_exec(foreigner, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  EXPECT_EQ(sqlite3_close(foreigner), SQLITE_OK);
}

TEST_P(DbFiles, WhatIsNoDatabaseIsRefusedAndLeftAsItIs) {
  store_.reset();
  const std::string other = folder_.path() + "/notes.txt";
  const std::string text =
      "Not a database, but somebody's notes, of some length. " + std::string(4096, '.');
  std::ofstream(other) << text;
  StoreOptions options;
  options.url = "sqlite:" + other;
  Status status = Store::Open(options).status();
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("damaged"));
  std::stringstream now;
  now << std::ifstream(other).rdbuf();
  EXPECT_EQ(now.str(), text);
}

TEST_P(DbFiles, ADamagedPageIsSaidAndNotReadAsRows) {
  Script(kItems);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i) + std::string(500, 'x'), 0}).ok());
  }
  store_.reset();  // all pages are in the file now
  const auto size = std::filesystem::file_size(file());
  std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(size / 4096 / 2 * 4096));
  bytes << std::string(4096, '\x5a');
  bytes.close();
  Use(options_);
  Status status = Ask("SELECT * FROM items");
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("damaged"));
}

TEST_P(DbFiles, ATornEndOfTheLogTakesTheLastCommitAtMost) {
  Script(kItems);
  store_.reset();
  ASSERT_TRUE(Killed(RunChild("WritesAndDies", options_)));
  const std::string log = file() + "-wal";
  const auto size = std::filesystem::file_size(log);
  for (const bool torn : {false, true}) {
    if (torn) {
      std::filesystem::resize_file(log, size - 100);  // in the middle of the last frame
    } else {
      std::ofstream(log, std::ios::app | std::ios::binary) << std::string(5000, '\x5a');
    }
    // Beside the log, as another would find it: reading must not cut it.
    const std::string copy = folder_.path() + (torn ? "/torn.db" : "/longer.db");
    std::filesystem::copy(file(), copy);
    std::filesystem::copy(log, copy + "-wal");
    StoreOptions options;
    options.url = "sqlite:" + copy;
    Use(options);
    EXPECT_EQ(Int("SELECT count(*) FROM items"), torn ? 99 : 100);
    EXPECT_EQ(Int("SELECT max(id) FROM items"), torn ? 98 : 99);
    EXPECT_THAT(Rows("PRAGMA integrity_check", {}, "t"), ElementsAre("ok"));
    EXPECT_TRUE(Exec(kInsert, {1000, "after", 0}).ok());
  }
}

TEST_P(DbFiles, WhoLooksFromOutsideSeesWhatWasCommitted) {
  Script(kItems);
  sqlite3* foreigner = nullptr;
  ASSERT_EQ(sqlite3_open_v2(file().c_str(), &foreigner, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  auto count = [&] {
    int64_t rows = -1;
    sqlite3_exec(
        foreigner, "SELECT count(*) FROM items",
        [](void* out, int, char** values, char**) {
          *static_cast<int64_t*>(out) = std::atoll(values[0]);
          return 0;
        },
        &rows, nullptr);
    return rows;
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Exec(kInsert, {i, std::to_string(i), 0}).ok());
    EXPECT_EQ(count(), i + 1);
  }
  EXPECT_EQ(sqlite3_close(foreigner), SQLITE_OK);
}

TEST_P(DbFiles, AfterAGoodEndTheLogIsInTheFile) {
  Script(kItems);
  ASSERT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  EXPECT_TRUE(std::filesystem::exists(file() + "-wal"));
  store_.reset();
  EXPECT_FALSE(std::filesystem::exists(file() + "-wal"));
  Use(options_);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_F(Child, DISABLED_DiesAmidACheckpoint) {
  ASSERT_TRUE(fault::Arm({"mid-checkpoint@" + word_.substr(0, word_.find(' '))}).ok());
  Use(options_);
  std::ofstream answered(word_.substr(word_.find(' ') + 1));
  for (int64_t id = Int("SELECT coalesce(max(id), 0) FROM items") + 1;; ++id) {
    ASSERT_TRUE(Exec(kInsert, {id, std::to_string(id) + std::string(1000, 'x'), id % 7}).ok());
    answered << id << std::endl;
  }
}

TEST_P(DbFiles, AKillAmidACheckpointLosesNothing) {
  Script(kItems);
  const std::string answered = folder_.path() + "/answered";
  // At the first page, in the middle, and a checkpoint later: the file has some of the log's pages.
  for (int page : {1, 50, 400}) {
    store_.reset();
    ASSERT_TRUE(
        Killed(RunChild("DiesAmidACheckpoint", options_, std::to_string(page) + " " + answered)));
    EXPECT_GT(std::filesystem::file_size(file() + "-wal"), 0u);
    std::ifstream lines(answered);
    int64_t last = 0;
    for (int64_t id = 0; lines >> id;) last = id;
    Use(options_);
    EXPECT_THAT(Rows("PRAGMA integrity_check", {}, "t"), ElementsAre("ok"));
    EXPECT_GE(Int("SELECT max(id) FROM items"), last);
    EXPECT_EQ(Int("SELECT count(*) FROM items"), Int("SELECT max(id) FROM items"));
    EXPECT_EQ(Int("SELECT count(*) FROM items WHERE n <> id % 7"), 0);
  }
}

}  // namespace
}  // namespace hub::db
