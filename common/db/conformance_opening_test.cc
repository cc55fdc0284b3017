#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

CATEGORY(DbOpening);

TEST_P(DbOpening, WhatIsNoDatabaseIsRefused) {
  StoreOptions options;
  for (const char* url : {"", "mysql:x", "sqlite:", "sqlite::memory:", "/tmp/x.db"}) {
    options.url = url;
    EXPECT_EQ(RefusalOf(Store::Open(options).status()), errors::INVALID_FIELD) << url;
  }
}

TEST_P(DbOpening, WhatCannotBeReachedIsSaid) {
  StoreOptions options;
  options.schema = "fine";
  options.url = is_sqlite() ? "sqlite:/no/such/folder/x.db" : "postgres:host=/no/such/folder";
  Status status = Store::Open(options).status();
  EXPECT_EQ(RefusalOf(status),
            is_sqlite() ? errors::INTERNAL_FAULT : errors::TEMPORARILY_UNAVAILABLE)
      << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("/no/such/folder"));
}

TEST_P(DbOpening, AStoreSaysWhichEngineItIs) {
  EXPECT_EQ(store().engine(), GetParam());
  for (bool write : {true, false}) {
    Store::Job job = [&](Conn& conn) {
      EXPECT_EQ(conn.engine(), GetParam());
      EXPECT_STREQ(ForUpdate(conn), is_sqlite() ? "" : " FOR UPDATE");
      return absl::OkStatus();
    };
    EXPECT_TRUE((write ? store().WriteAndWait(job) : store().ReadAndWait(job)).ok());
  }
}

TEST_P(DbOpening, AStoreThatHasJustBeenMadeIsEmptyAndWorks) {
  EXPECT_EQ(RefusalOf(Ask("SELECT id FROM items")), errors::INTERNAL_FAULT);
  EXPECT_EQ(store().jobs_committed(), 0);
  EXPECT_EQ(store().commits(), 0);
  Script(kItems);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 0);
}

TEST_P(DbOpening, AReadOnlyStoreReadsBesideTheOtherAndWritesNothing) {
  Script(kItems);
  FillItems(1);
  StoreOptions options = options_;
  options.read_only = true;
  auto beside = std::move(Store::Open(options)).value();
  auto count = [&] {
    int64_t rows = -1;
    Status status = beside->ReadAndWait([&](Conn& conn) -> Status {
      ASSIGN_OR_RETURN(rows, IntOf(conn, "SELECT count(*) FROM items"));
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  };
  EXPECT_EQ(count(), 1);
  ASSERT_TRUE(Exec(kInsert, {2, "two", 0}).ok());
  EXPECT_EQ(count(), 2);
  Status status = beside->WriteAndWait([](Conn&) { return absl::OkStatus(); });
  EXPECT_THAT(MessageOf(status), HasSubstr("read-only"));
  status =
      beside->ReadAndWait([](Conn& conn) { return conn.Exec("DELETE FROM items", {}).status(); });
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_EQ(count(), 2);
}

TEST_P(DbOpening, AStoreThatGoesLetsGoOfAllItHeld) {
  auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  Script(kItems);
  FillItems(1);
  store_.reset();
  const auto before = open_files();
  for (int i = 0; i < 10; ++i) {
    Use(options_);
    EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
    EXPECT_TRUE(Exec("UPDATE items SET n = n + 1").ok());
    store_.reset();
  }
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace hub::db
