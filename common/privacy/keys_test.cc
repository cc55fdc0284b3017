#include "common/privacy/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "common/testing/mini_postgres.h"

namespace hub::privacy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kMaster(kKeyBytes, 'm'), kNewMaster(kKeyBytes, 'n');

// A store whose answer to the next read can be held back.
class HeldStore : public db::Store {
 public:
  explicit HeldStore(std::unique_ptr<db::Store> store) : store_(std::move(store)) {}

  void Hold() { hold_ = true; }
  void AwaitHeld() { held_.get_future().wait(); }
  void Release() { released_.set_value(); }

  db::Engine engine() const override { return store_->engine(); }
  void Write(Job job, Micros deadline, Done done) override {
    store_->Write(std::move(job), deadline, std::move(done));
  }
  void Read(Job job, Micros deadline, Done done) override {
    store_->Read(std::move(job), deadline, [this, done = std::move(done)](const Status& status) {
      if (hold_.exchange(false)) {
        held_.set_value();
        released_.get_future().wait();
      }
      done(status);
    });
  }
  Status Scrub(const std::string& table) override { return store_->Scrub(table); }
  void Drain() override { store_->Drain(); }
  int64_t jobs_committed() const override { return store_->jobs_committed(); }
  int64_t commits() const override { return store_->commits(); }

 private:
  const std::unique_ptr<db::Store> store_;
  std::atomic<bool> hold_ = false;
  std::promise<void> held_, released_;
};

class KeysTest : public ::testing::Test {
 protected:
  KeysTest() : folder_(std::filesystem::temp_directory_path() / ("keys-" + NewRandomId())) {
    std::filesystem::create_directory(folder_);
    Reopen();
  }
  ~KeysTest() override {
    keys_.reset();
    std::filesystem::remove_all(folder_);
  }

  db::StoreOptions Options() const {
    db::StoreOptions options;
    options.url = "sqlite:" + (folder_ / "keys.db").string();
    return options;
  }

  StatusOr<std::unique_ptr<KeyStore>> OpenWith(std::vector<std::string> masters,
                                               Micros cache_life = KeyStore::kCacheLife) {
    keys_.reset();
    auto store = db::Store::Open(Options());
    if (!store.ok()) return store.status();
    store_ = store->get();
    return KeyStore::Open(*std::move(store), MasterKeys(std::move(masters)), cache_life);
  }

  void Reopen(Micros cache_life = KeyStore::kCacheLife) {
    auto opened = OpenWith({kMaster}, cache_life);
    ASSERT_TRUE(opened.ok()) << opened.status();
    keys_ = *std::move(opened);
  }

  KeyStore& keys() { return *keys_; }

  // What another replica or somebody with access to the database might do.
  void Sql(const std::string& sql) {
    ASSERT_TRUE(
        store_->WriteAndWait([&](db::Conn& conn) { return conn.Exec(sql, {}).status(); }).ok());
  }

  std::string StoredKey(const std::string& kind, const std::string& name) {
    std::string wrapped;
    EXPECT_TRUE(store_
                    ->ReadAndWait([&](db::Conn& conn) {
                      return conn.Query("SELECT wrapped FROM keys WHERE kind = $1 AND name = $2",
                                        {kind, name}, [&](const db::Row& row) {
                                          wrapped = row.Blob(0);
                                          return absl::OkStatus();
                                        });
                    })
                    .ok());
    return wrapped;
  }

  // Beside the store, in a folder that goes with the test.
  std::string Beside(const std::string& name) {
    std::filesystem::create_directories(folder_ / "beside");
    return (folder_ / "beside" / name).string();
  }

  // All bytes of the database's files.
  std::string OnDisk() {
    std::ostringstream bytes;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      if (std::filesystem::file_size(entry) > 0) bytes << std::ifstream(entry.path()).rdbuf();
    }
    return bytes.str();
  }

  const std::filesystem::path folder_;
  db::Store* store_ = nullptr;  // owned by the key store
  std::unique_ptr<KeyStore> keys_;
};

TEST_F(KeysTest, TheSameKeyTwiceAndAfterARestart) {
  std::string key = *keys().SubjectKey("membership", "people/1");
  EXPECT_EQ(key.size(), kKeyBytes);
  EXPECT_EQ(*keys().SubjectKey("membership", "people/1"), key);
  Reopen();
  EXPECT_EQ(*keys().SubjectKey("membership", "people/1"), key);
}

TEST_F(KeysTest, EachServicePersonNameAndDayHasItsOwn) {
  std::set<std::string> seen;
  for (const char* service : {"membership", "scheduling"}) {
    EXPECT_TRUE(seen.insert(*keys().SubjectKey(service, "people/1")).second);
    EXPECT_TRUE(seen.insert(*keys().SubjectKey(service, "people/2")).second);
    EXPECT_TRUE(seen.insert(*keys().NamedKey(service, "people/1")).second);
    EXPECT_TRUE(seen.insert(*keys().NamedKey(service, "page")).second);
    EXPECT_TRUE(seen.insert(*keys().DayKey(service, "2021-12-03")).second);
    EXPECT_TRUE(seen.insert(*keys().DayKey(service, "2021-12-04")).second);
  }
}

TEST_F(KeysTest, AnErasedKeyIsGoneForEver) {
  std::string key = *keys().SubjectKey("membership", "people/1");
  std::string other = *keys().SubjectKey("membership", "people/2");
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "people/1").ok());
  for (int start = 0; start < 2; ++start) {
    auto gone = keys().SubjectKey("membership", "people/1");
    EXPECT_EQ(ReasonOf(gone.status()), errors::RESOURCE_NOT_FOUND);
    EXPECT_THAT(MessageOf(gone.status()), HasSubstr("was erased"));
    EXPECT_EQ(*keys().SubjectKey("membership", "people/2"), other);
    EXPECT_TRUE(keys().SubjectKey("scheduling", "people/1").ok());
    EXPECT_TRUE(keys().EraseSubjectKey("membership", "people/1").ok());  // again
    Reopen();
  }
}

TEST_F(KeysTest, AKeyErasedBeforeItsFirstUseIsNeverMade) {
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "people/9").ok());
  EXPECT_EQ(ReasonOf(keys().SubjectKey("membership", "people/9").status()),
            errors::RESOURCE_NOT_FOUND);
}

TEST_F(KeysTest, AnErasureKeepsItsFirstTime) {
  ASSERT_TRUE(keys().SubjectKey("membership", "people/1").ok());
  Micros before = MachineNow();
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "people/1").ok());
  Micros after = MachineNow();
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "people/1").ok());
  Micros at = 0;
  ASSERT_TRUE(store_
                  ->ReadAndWait([&](db::Conn& conn) {
                    return conn.Query("SELECT erased_at FROM keys WHERE wrapped IS NULL", {},
                                      [&](const db::Row& row) {
                                        at = row.Int(0);
                                        return absl::OkStatus();
                                      });
                  })
                  .ok());
  EXPECT_LE(before, at);
  EXPECT_LE(at, after);
}

// In file, log and what pages have left over, while the store is open and goes on.
TEST_F(KeysTest, NoByteOfAnErasedKeyStaysInTheFiles) {
  std::string key = *keys().SubjectKey("membership", "people/1");
  std::string wrapped = StoredKey("subject", "people/1");
  ASSERT_EQ(wrapped.size(), kKeyBytes + 28);
  for (int i = 2; i < 300; ++i) {  // pages fill and split: rows have moved
    ASSERT_TRUE(keys().SubjectKey("membership", "people/" + std::to_string(i)).ok());
  }
  EXPECT_THAT(OnDisk(), HasSubstr(wrapped));
  EXPECT_THAT(OnDisk(), Not(HasSubstr(key)));
  EXPECT_THAT(OnDisk(), Not(HasSubstr(kMaster)));
  const std::string other = StoredKey("subject", "people/2");
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "people/1").ok());
  EXPECT_THAT(OnDisk(), Not(HasSubstr(wrapped)));
  EXPECT_THAT(OnDisk(), HasSubstr(other));

  ASSERT_TRUE(keys().DayKey("membership", "2021-12-03").ok());
  wrapped = StoredKey("day", "2021-12-03");
  EXPECT_THAT(OnDisk(), HasSubstr(wrapped));
  ASSERT_EQ(*keys().EraseDayKeysBefore("membership", "2021-12-04"), 1);
  EXPECT_THAT(OnDisk(), Not(HasSubstr(wrapped)));
}

// Of PostgreSQL: in the table's own file. Its log is the server's.
TEST_F(KeysTest, NoByteOfAnErasedKeyStaysInTheTable) {
  auto server = hub::testing::MiniPostgres::Shared();
  ASSERT_TRUE(server.ok()) << server.status();
  db::StoreOptions options;
  options.url = "postgres:" + (*server)->ConnString();
  options.schema = "keys_" + Hex(RandomBytes(6));
  auto store = db::Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  db::Store& open = **store;
  auto keys = KeyStore::Open(*std::move(store), MasterKeys({kMaster}));
  ASSERT_TRUE(keys.ok()) << keys.status();
  const auto file = [&] {
    std::string bytes;
    EXPECT_TRUE(open.WriteAndWait([&](db::Conn& conn) -> Status {
                      RETURN_IF_ERROR(conn.Script("CHECKPOINT"));
                      return conn.Query("SELECT pg_read_binary_file(pg_relation_filepath('keys'))",
                                        {}, [&](const db::Row& row) {
                                          bytes = row.Blob(0);
                                          return absl::OkStatus();
                                        });
                    })
                    .ok());
    return bytes;
  };
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE((*keys)->SubjectKey("membership", std::to_string(i)).ok());
  }
  std::string wrapped, other;
  ASSERT_TRUE(open.ReadAndWait([&](db::Conn& conn) {
                    return conn.Query("SELECT wrapped, name FROM keys WHERE name IN ('7', '8')", {},
                                      [&](const db::Row& row) {
                                        (row.Text(1) == "7" ? wrapped : other) = row.Blob(0);
                                        return absl::OkStatus();
                                      });
                  })
                  .ok());
  EXPECT_THAT(file(), HasSubstr(wrapped));
  ASSERT_TRUE((*keys)->EraseSubjectKey("membership", "7").ok());
  EXPECT_THAT(file(), Not(HasSubstr(wrapped)));
  EXPECT_THAT(file(), HasSubstr(other));
}

TEST_F(KeysTest, WhileAnotherProgramReadsAnErasureIsNotDone) {
  ASSERT_TRUE(keys().SubjectKey("membership", "people/1").ok());
  const std::string wrapped = StoredKey("subject", "people/1");
  db::StoreOptions beside = Options();
  beside.read_only = true;
  auto reader = db::Store::Open(beside);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::promise<void> reads, goes;
  std::thread program([&] {
    EXPECT_TRUE((*reader)
                    ->ReadAndWait([&](db::Conn& conn) -> Status {
                      RETURN_IF_ERROR(conn.Query("SELECT COUNT(*) FROM keys", {},
                                                 [](const auto&) { return absl::OkStatus(); }));
                      reads.set_value();
                      goes.get_future().wait();
                      return absl::OkStatus();
                    })
                    .ok());
  });
  reads.get_future().wait();
  const Status early = keys().EraseSubjectKey("membership", "people/1");
  EXPECT_EQ(ReasonOf(early), errors::TEMPORARILY_UNAVAILABLE) << early;
  EXPECT_FALSE(keys().SubjectKey("membership", "people/1").ok());  // all the same
  goes.set_value();
  program.join();
  EXPECT_TRUE(keys().EraseSubjectKey("membership", "people/1").ok());
  EXPECT_THAT(OnDisk(), Not(HasSubstr(wrapped)));
}

// ---- the list of erasures ----

TEST_F(KeysTest, ARestoredStoreIsErasedAgainByTheList) {
  const std::string list = Beside("erasures");
  ASSERT_TRUE(keys().KeepErasures(list).ok());
  const std::string kept = *keys().SubjectKey("membership", "2");
  ASSERT_TRUE(keys().SubjectKey("membership", "1").ok());
  keys_.reset();
  std::filesystem::copy(folder_ / "keys.db", Beside("backup.db"));
  Reopen();
  ASSERT_TRUE(keys().KeepErasures(list).ok());
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "1").ok());
  const auto erased = *keys().Erasures();
  ASSERT_EQ(erased.size(), 1u);
  keys_.reset();

  std::filesystem::copy_file(Beside("backup.db"), folder_ / "keys.db",
                             std::filesystem::copy_options::overwrite_existing);
  Reopen();
  ASSERT_TRUE(keys().SubjectKey("membership", "1").ok());  // back, were it not for the list
  const std::string wrapped = StoredKey("subject", "1");
  ASSERT_TRUE(keys().KeepErasures(list).ok());
  EXPECT_EQ(ReasonOf(keys().SubjectKey("membership", "1").status()), errors::RESOURCE_NOT_FOUND);
  EXPECT_EQ(*keys().SubjectKey("membership", "2"), kept);
  EXPECT_THAT(OnDisk(), Not(HasSubstr(wrapped)));
  const auto again = *keys().Erasures();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].at / 1000000, erased[0].at / 1000000);  // when it was first done
}

TEST_F(KeysTest, TheListIsReadToTheLastWholeLine) {
  const std::string list = Beside("erasures");
  std::ofstream(list) << "2022-06-14T10:00:00Z membership 1\n2022-06-14T10:00:00Z membership 2";
  ASSERT_TRUE(keys().KeepErasures(list).ok());
  EXPECT_FALSE(keys().SubjectKey("membership", "1").ok());
  EXPECT_TRUE(keys().SubjectKey("membership", "2").ok());
  ASSERT_TRUE(keys().EraseSubjectKey("engagement", "3").ok());
  const auto erasures = *ReadErasures(list);
  ASSERT_EQ(erasures.size(), 2u);
  EXPECT_EQ(erasures[1].service + " " + erasures[1].person, "engagement 3");

  std::ofstream(list, std::ios::app) << "yesterday membership 4\n";
  const Status wrong = keys().KeepErasures(list);
  EXPECT_EQ(ReasonOf(wrong), errors::INVALID_FIELD);
  EXPECT_THAT(MessageOf(wrong), HasSubstr("line 3 of"));
}

TEST_F(KeysTest, NothingIsErasedThatTheListCannotKeep) {
  ASSERT_TRUE(keys().KeepErasures(Beside("erasures")).ok());
  ASSERT_TRUE(keys().SubjectKey("membership", "1").ok());
  std::filesystem::remove(Beside("erasures"));
  std::filesystem::create_directory(Beside("erasures"));
  const Status refused = keys().EraseSubjectKey("membership", "1");
  EXPECT_EQ(ReasonOf(refused), errors::TEMPORARILY_UNAVAILABLE);
  EXPECT_THAT(MessageOf(refused), HasSubstr("nothing is erased"));
  EXPECT_TRUE(keys().SubjectKey("membership", "1").ok());
  EXPECT_EQ(ReasonOf(keys().EraseSubjectKey("membership", "a b")), errors::INVALID_FIELD);
}

TEST_F(KeysTest, AnotherMasterKeyIsRefusedAtTheStart) {
  std::string key = *keys().SubjectKey("membership", "people/1");
  auto opened = OpenWith({kNewMaster});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(ReasonOf(opened.status()), errors::INVALID_FIELD);
  EXPECT_THAT(MessageOf(opened.status()), HasSubstr("not the one that this key store was made"));
  Reopen();
  EXPECT_EQ(*keys().SubjectKey("membership", "people/1"), key);
}

TEST_F(KeysTest, AMasterKeyIsReplacedWhileOldAndNewAreThere) {
  const std::string key = *keys().SubjectKey("membership", "1");
  ASSERT_TRUE(keys().SubjectKey("membership", "2").ok());
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "2").ok());
  const std::string wrapped = StoredKey("subject", "1");
  const auto with = [&](std::vector<std::string> masters) {
    auto opened = OpenWith(std::move(masters));
    ASSERT_TRUE(opened.ok()) << opened.status();
    keys_ = *std::move(opened);
  };
  with({kNewMaster, kMaster});
  EXPECT_EQ(*keys().SubjectKey("membership", "1"), key);
  const std::string made = *keys().SubjectKey("membership", "3");  // under the new one already
  EXPECT_EQ(*keys().WrapAnew(), 2);                                // with the one that nobody uses
  EXPECT_EQ(*keys().WrapAnew(), 0);
  EXPECT_THAT(OnDisk(), Not(HasSubstr(wrapped)));
  with({kNewMaster});
  EXPECT_EQ(*keys().SubjectKey("membership", "1"), key);
  EXPECT_EQ(*keys().SubjectKey("membership", "3"), made);
  EXPECT_EQ(ReasonOf(keys().SubjectKey("membership", "2").status()), errors::RESOURCE_NOT_FOUND);
  EXPECT_EQ(ReasonOf(OpenWith({kMaster}).status()), errors::INVALID_FIELD);
}

TEST_F(KeysTest, MasterKeysAreOfAFileOrOfTheEnvironment) {
  const std::string hex(2 * kKeyBytes, '6'), other(2 * kKeyBytes, '7');  // of "f" and of "w"
  const std::string file = Beside("some.key"), state = Beside("");
  std::ofstream(file) << hex << "\n" << other << "\n";
  std::ofstream(state + "/master.key") << other;
  const auto opens = [](const StatusOr<MasterKeys>& keys, char letter) {
    return keys.ok() && keys->Unwrap(Seal(std::string(kKeyBytes, letter), "k", "p"), "p").ok();
  };
  EXPECT_TRUE(opens(MasterKeys::Read(file, state), 'f'));
  EXPECT_TRUE(opens(MasterKeys::Read(file, state), 'w'));
  EXPECT_FALSE(opens(MasterKeys::Read("", state), 'f'));
  EXPECT_TRUE(opens(MasterKeys::Read("", state), 'w'));
  setenv("HUB_MASTER_KEY", hex.c_str(), 1);
  EXPECT_TRUE(opens(MasterKeys::Read("", state), 'f'));
  EXPECT_FALSE(opens(MasterKeys::Read(state + "/master.key", state), 'f'));
  unsetenv("HUB_MASTER_KEY");

  EXPECT_THAT(MessageOf(MasterKeys::Read(Beside("none"), state).status()),
              HasSubstr("cannot be read"));
  std::ofstream(file) << " \n";
  EXPECT_THAT(MessageOf(MasterKeys::Read(file, state).status()), HasSubstr("holds no master key"));
  for (const std::string& bad : {hex + "66", hex.substr(2), "z" + hex.substr(1)}) {
    std::ofstream(file) << hex << "\n" << bad << "\n";
    const Status refused = MasterKeys::Read(file, state).status();
    EXPECT_EQ(ReasonOf(refused), errors::INVALID_FIELD);
    EXPECT_THAT(MessageOf(refused), HasSubstr("key 2 of '" + file + "'"));
    EXPECT_THAT(MessageOf(refused), Not(HasSubstr(bad.substr(1))));
  }
}

TEST_F(KeysTest, DayKeysBeforeADateAreErased) {
  std::string kept = *keys().DayKey("engagement", "2021-12-03");
  for (const char* day : {"2021-11-30", "2021-12-01", "2021-12-02"}) {
    ASSERT_TRUE(keys().DayKey("engagement", day).ok());
  }
  std::string other = *keys().DayKey("membership", "2021-12-01");
  EXPECT_EQ(*keys().EraseDayKeysBefore("engagement", "2021-12-03"), 3);
  EXPECT_EQ(*keys().EraseDayKeysBefore("engagement", "2021-12-03"), 0);
  for (const char* day : {"2021-11-30", "2021-12-01", "2021-12-02"}) {
    EXPECT_EQ(ReasonOf(keys().DayKey("engagement", day).status()), errors::RESOURCE_NOT_FOUND);
  }
  EXPECT_EQ(*keys().DayKey("engagement", "2021-12-03"), kept);
  EXPECT_EQ(*keys().DayKey("membership", "2021-12-01"), other);
}

TEST_F(KeysTest, ADayIsADate) {
  EXPECT_EQ(ReasonOf(keys().DayKey("engagement", "3/12/21").status()), errors::INVALID_FIELD);
  EXPECT_EQ(ReasonOf(keys().EraseDayKeysBefore("engagement", "z").status()), errors::INVALID_FIELD);
}

TEST_F(KeysTest, ManyFirstUsesAtOnceMakeOneKey) {
  for (int round = 0; round < 20; ++round) {
    const std::string person = "people/" + std::to_string(round);
    std::vector<std::string> seen(8);
    std::vector<std::thread> threads;
    for (auto& key : seen) {
      threads.emplace_back([&] { key = *keys().SubjectKey("membership", person); });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& key : seen) ASSERT_EQ(key, seen[0]);
  }
}

// A reader that was on its way with a key when it was erased gets it, but nobody after it.
TEST_F(KeysTest, AKeyErasedWhileItIsReadDoesNotStay) {
  ASSERT_TRUE(keys().SubjectKey("membership", "people/1").ok());
  keys_.reset();
  auto held = std::make_unique<HeldStore>(*db::Store::Open(Options()));
  HeldStore& store = *held;
  keys_ = *KeyStore::Open(std::move(held), MasterKeys({kMaster}));
  store.Hold();
  std::thread reader([&] { EXPECT_TRUE(keys().SubjectKey("membership", "people/1").ok()); });
  store.AwaitHeld();
  ASSERT_TRUE(keys().EraseSubjectKey("membership", "people/1").ok());
  store.Release();
  reader.join();
  EXPECT_EQ(ReasonOf(keys().SubjectKey("membership", "people/1").status()),
            errors::RESOURCE_NOT_FOUND);
}

TEST_F(KeysTest, AnErasureByAnotherReplicaIsSeenAfterTheCachesLife) {
  for (const auto& [life, seen] :
       {std::pair(Micros{KeyStore::kCacheLife}, false), std::pair(Micros{0}, true)}) {
    const std::string person = "people/" + std::to_string(life);
    Reopen(life);
    ASSERT_TRUE(keys().SubjectKey("membership", person).ok());
    Sql("UPDATE keys SET wrapped = NULL, erased_at = 1 WHERE name = '" + person + "'");
    EXPECT_EQ(keys().SubjectKey("membership", person).ok(), !seen);
  }
}

TEST_F(KeysTest, AKeyInAnotherPersonsRowDoesNotOpen) {
  ASSERT_TRUE(keys().SubjectKey("membership", "people/1").ok());
  ASSERT_TRUE(keys().SubjectKey("membership", "people/2").ok());
  Sql("UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE name = 'people/1')"
      " WHERE name = 'people/2'");
  Reopen();
  EXPECT_EQ(ReasonOf(keys().SubjectKey("membership", "people/2").status()), errors::INTERNAL_FAULT);
}

// The cache is bounded: ten thousand keys later, the first is asked of the database again.
TEST_F(KeysTest, TheCacheIsBounded) {
  constexpr int kPeople = 10000;
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](db::Conn& conn) -> Status {
                    for (int i = 0; i < kPeople; ++i) {
                      const std::string name = std::to_string(i);
                      db::Bytes wrapped{Seal(kMaster, std::string(kKeyBytes, 'k'),
                                             "keys/subject/membership/" + name)};
                      RETURN_IF_ERROR(conn.Exec("INSERT INTO keys (kind, service, name, wrapped)"
                                                " VALUES ('subject', 'membership', $1, $2)",
                                                {name, wrapped})
                                          .status());
                    }
                    return absl::OkStatus();
                  })
                  .ok());
  ASSERT_TRUE(keys().SubjectKey("membership", "0").ok());
  Sql("UPDATE keys SET wrapped = NULL, erased_at = 1 WHERE name = '0'");
  EXPECT_TRUE(keys().SubjectKey("membership", "0").ok());  // from memory
  for (int i = 1; i < kPeople; ++i) {
    ASSERT_TRUE(keys().SubjectKey("membership", std::to_string(i)).ok());
  }
  EXPECT_FALSE(keys().SubjectKey("membership", "0").ok());
}

}  // namespace
}  // namespace hub::privacy
