// For tests of the relay, on both databases: the engine's tables, with rows that a command would
// have written.
#pragma once

#include <map>
#include <set>

#include "absl/strings/str_replace.h"
#include "common/base/id.h"
#include "common/events/nats_test.h"
#include "common/events/relay.h"
#include "common/journal/tables.h"
#include "common/testing/mini_postgres.h"

namespace hub::events {

inline constexpr char kService[] = "membership";

class RelayTest : public NatsTest, public ::testing::WithParamInterface<db::Engine> {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (HasFatalFailure()) return;
    Be(kService);
  }
  void TearDown() override {
    relay_.reset();
    for (auto& [service, store] : stores_) store->Drain();
  }
  // What follows is of that service, which has a database of its own.
  void Be(const std::string& service) {
    service_ = service;
    auto& store = stores_[service];
    const bool made = store != nullptr;
    if (!made) {
      db::StoreOptions options;
      if (GetParam() == db::Engine::kSqlite) {
        options.url = absl::StrCat("sqlite:", folder_.path, "/", service, ".db");
      } else {
        auto postgres = testing::MiniPostgres::Shared();
        ASSERT_TRUE(postgres.ok()) << postgres.status();
        options.url = absl::StrCat("postgres:", (*postgres)->ConnString());
        options.schema = absl::StrCat("events_", service, "_", Hex(RandomBytes(4)));
      }
      auto opened = db::Store::Open(options);
      ASSERT_TRUE(opened.ok()) << opened.status();
      store = std::move(*opened);
    }
    store_ = store.get();
    if (made) return;
    Change([](db::Conn& conn) {
      return conn.Script(absl::StrReplaceAll(
          absl::StrCat(journal::kTables, journal::kAuditTables, journal::kSharingTables),
          {{"{append_only:journal}", ""},
           {"{append_only:blocks}", ""},
           {"{append_only:block_rows}", ""}}));
    });
  }

  void Change(const db::Store::Job& job) {
    Status status = store_->WriteAndWait(job);
    ASSERT_TRUE(status.ok()) << status;
  }
  // An event, committed in the order of the calls unless `id` says otherwise.
  struct Event {
    std::string aggregate = "forums/warwickshire/members/m1";
    int64_t n = 1;
    std::string type = kType;
    std::string body = Body("REASON");
    std::string paths = "display_name";
    int64_t id = 0;
    Micros held_until = 0;
  };
  // What was held back may go out, under an id that is later.
  void EndDay() {
    Change([](db::Conn& conn) {
      const std::string sql =
          "UPDATE payloads SET id = id + 1000000, held_until = -1 WHERE held_until > 0";
      return conn.Exec(sql, {}).status();
    });
  }
  void Add(const Receiver& receiver, const std::vector<Event>& events) {
    Change([&](db::Conn& conn) {
      for (const Event& event : events) {
        int64_t id = event.id != 0 ? event.id : (++last_id_) * journal::kPartsPerCommand;
        conn.Post(
            "INSERT INTO payloads(id, receiver, aggregate, type, version, n, at, paths, body, "
            "held_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            {id, receiver.name, event.aggregate, event.type, event.n + 100, event.n,
             int64_t{1638522000000000}, event.paths, db::Bytes{event.body}, event.held_until});
      }
      return Status();
    });
  }
  // The next `count` events of one aggregate, or of several in turn.
  void AddSome(const Receiver& receiver, int count, int aggregates = 1) {
    std::vector<Event> events(count);
    for (int i = 0; i < count; ++i) {
      events[i].aggregate = absl::StrCat("forums/w/", service_, "/", i % aggregates);
      events[i].n = ++last_n_[receiver.name + events[i].aggregate];
    }
    Add(receiver, events);
  }
  int64_t Number(const std::string& sql) {
    int64_t number = 0;
    Status status = store_->ReadAndWait([&](db::Conn& conn) {
      return conn.Query(sql, {}, [&](const db::Row& row) {
        number = row.IsNull(0) ? 0 : row.Int(0);
        return Status();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    return number;
  }

  std::unique_ptr<Relay> StartAnother(Relay::Options options) {
    options.service = service_;
    options.store = store_;
    options.clock = &clock_;
    auto relay = Relay::Start(std::move(options));
    EXPECT_TRUE(relay.ok()) << relay.status();
    return std::move(*relay);
  }
  void Start(std::vector<Receiver> receivers, Relay::Options options = {}) {
    options.receivers = std::move(receivers);
    options.holder = "test";
    relay_ = StartAnother(std::move(options));
  }
  void AllSent() {
    relay_->Wake();
    EXPECT_TRUE(Until([&] { return relay_->Unsent().value_or(-1) == 0; }))
        << ::testing::PrintToString(relay_->Problems());
  }
  // Every event once, each aggregate's in its order from 1 on, nothing of others.
  void ExpectOnceInOrder(const Receiver& receiver, size_t count) {
    std::set<std::string> ids;
    std::map<std::string, int64_t> last;
    for (StoredMessage& message : Stream(receiver)) {
      if (message.subject == "coproduction.other.Event") continue;
      EXPECT_TRUE(ids.insert(message.headers["ce-id"]).second) << message.headers["ce-id"];
      EXPECT_EQ(message.headers["ce-sequence"], absl::StrCat(++last[message.headers["ce-subject"]]))
          << message.headers["ce-subject"];
    }
    EXPECT_EQ(ids.size(), count);
  }
  // The window of the stream has passed for all that is in it: it takes a later message twice.
  void DuplicateWindowPasses(const Receiver& receiver) {
    auto connection = Connect(receiver);
    int64_t before = Size(receiver);
    std::string id = NewId();
    ASSERT_TRUE(Until([&] {
      EXPECT_TRUE(PublishForeign(*connection, id).ok());
      return Size(receiver) == before + 2;
    }));
  }

  Folder folder_;
  Clock clock_;
  std::string service_;
  std::map<std::string, std::unique_ptr<db::Store>> stores_;
  db::Store* store_ = nullptr;  // the service's
  std::unique_ptr<Relay> relay_;
  int64_t last_id_ = 1000;
  std::map<std::string, int64_t> last_n_;  // by receiver and aggregate
};

// Of a suite of such tests.
#define ON_BOTH_DATABASES(suite)                                                     \
  INSTANTIATE_TEST_SUITE_P(                                                          \
      Engines, suite, ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres), \
      [](const auto& info) { return info.param == db::Engine::kSqlite ? "Sqlite" : "Postgres"; })

}  // namespace hub::events
