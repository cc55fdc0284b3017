// With the real nats-server; the relay on both databases. Nothing here waits for a time: everything
// waits for what it expects, and fails when that does not come.
#include "common/events/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/id.h"
#include "common/events/lease.h"
#include "common/events/nats.h"
#include "common/events/subscriber.h"
#include "common/journal/tables.h"
#include "common/testing/mini_nats.h"
#include "common/testing/mini_postgres.h"

namespace hub::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Micros kSecond = 1000000;
const char kService[] = "membership";
const char kType[] = "coproduction.errors.v1.ErrorInfo";  // any message will do as an event

bool Until(const std::function<bool()>& condition) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::string Body(const std::string& reason) {
  errors::ErrorInfo event;
  event.set_reason(reason);
  return event.SerializeAsString();
}

struct Folder {
  Folder() {
    char made[] = "/tmp/hub-relay-XXXXXX";
    path = mkdtemp(made);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

// A server with the hub's accounts, and how the hub sees one receiver's stream there.
class NatsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto nats = testing::MiniNats::Start();
    ASSERT_TRUE(nats.ok()) << nats.status();
    nats_ = std::move(*nats);
    services_ = nats_->receiver("services");
    council_ = nats_->receiver("forums/warwickshire/partners/wcc");
  }
  // Any number of connections: as a test sees the server after it was away.
  std::unique_ptr<Connection> Connect(const Receiver& receiver) {
    std::unique_ptr<Connection> connection;
    EXPECT_TRUE(Until([&] {
      auto opened = Connection::Open(EndpointOf(receiver, "test"));
      if (opened.ok()) connection = std::move(*opened);
      return opened.ok();
    }));
    return connection;
  }
  // All messages, oldest first, read one by one.
  std::vector<StoredMessage> Stream(const Receiver& receiver) {
    std::vector<StoredMessage> messages;
    auto connection = Connect(receiver);
    auto span = SpanOf(*connection, receiver.stream);
    if (!span.ok()) return messages;
    for (int64_t seq = span->first; seq <= span->last; ++seq) {
      auto message = MessageAt(*connection, receiver.stream, seq);
      if (message.ok()) messages.push_back(std::move(*message));
    }
    return messages;
  }
  int64_t Size(const Receiver& receiver) {
    auto connection = Connect(receiver);
    auto span = SpanOf(*connection, receiver.stream);
    return span.ok() ? span->last - span->first + 1 : -1;
  }
  // A message of somebody else.
  Status PublishForeign(Connection& connection, const std::string& id) {
    auto inbox = connection.OpenInbox();
    RETURN_IF_ERROR(inbox.status());
    RETURN_IF_ERROR(connection.Publish("coproduction.other.Event", inbox->Subject("1"), "x",
                                       {{"Nats-Msg-Id", id}}));
    return inbox->Next(10 * kSecond).status();
  }

  std::unique_ptr<testing::MiniNats> nats_;
  Receiver services_, council_;
};

class RelayTest : public NatsTest, public ::testing::WithParamInterface<db::Engine> {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (HasFatalFailure()) return;
    db::StoreOptions options;
    if (GetParam() == db::Engine::kSqlite) {
      options.url = absl::StrCat("sqlite:", folder_.path, "/events.db");
    } else {
      auto postgres = testing::MiniPostgres::Shared();
      ASSERT_TRUE(postgres.ok()) << postgres.status();
      options.url = absl::StrCat("postgres:", (*postgres)->ConnString());
      options.schema = "events_" + Hex(RandomBytes(4));
    }
    auto store = db::Store::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    Change([](db::Conn& conn) {
      return conn.Script(absl::StrReplaceAll(absl::StrCat(journal::kTables, journal::kAuditTables),
                                             {{"{append_only:journal}", ""},
                                              {"{append_only:blocks}", ""},
                                              {"{append_only:block_rows}", ""}}));
    });
  }
  void TearDown() override {
    relay_.reset();
    if (store_ != nullptr) store_->Drain();
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
      events[i].aggregate = absl::StrCat("forums/warwickshire/members/m", i % aggregates);
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
    options.service = kService;
    options.store = store_.get();
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
  std::unique_ptr<db::Store> store_;
  std::unique_ptr<Relay> relay_;
  int64_t last_id_ = 1000;
  std::map<std::string, int64_t> last_n_;  // by receiver and aggregate
};

INSTANTIATE_TEST_SUITE_P(Engines, RelayTest,
                         ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         [](const auto& info) {
                           return info.param == db::Engine::kSqlite ? "Sqlite" : "Postgres";
                         });

TEST_P(RelayTest, EveryEventArrivesOnceInTheOrderOfItsAggregate) {
  Start({services_, council_});
  for (int n = 1; n <= 25; ++n) {
    std::vector<Event> events(80);
    for (size_t i = 0; i < events.size(); ++i) {
      events[i].aggregate = absl::StrCat("forums/warwickshire/members/m", i);
      events[i].n = n;
    }
    Add(services_, events);
    if (n % 2 == 0) relay_->Wake();
  }
  AddSome(council_, 30);
  AllSent();
  ExpectOnceInOrder(services_, 2000);
  ExpectOnceInOrder(council_, 30);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM payloads WHERE stream_seq IS NULL"), 0);
  EXPECT_THAT(relay_->Problems(), IsEmpty());
}

// Two processes whose clocks differ give the later event the smaller id, far before the earlier
// one.
TEST_P(RelayTest, AnEventNeverOvertakesTheOneBeforeWhateverTheirIds) {
  std::vector<Event> events(700);
  for (size_t i = 0; i < events.size(); ++i) {
    events[i].aggregate = absl::StrCat("forums/warwickshire/reps/r", i);
  }
  Add(services_, {{.n = 3, .id = 16}, {.n = 2, .id = 1000000000}, {.n = 1, .id = 2000000000}});
  Add(services_, events);
  Start({services_});
  AllSent();
  ExpectOnceInOrder(services_, 703);
}

// What an anonymous method told waits for the end of its day, and what follows on it waits too.
TEST_P(RelayTest, WhatIsHeldBackIsSentWhenItsTimeHasComeAndNotOvertaken) {
  clock_.SetDate("2022-01-14");
  const std::string held = "forums/warwickshire/members/held";
  Add(council_, {{.aggregate = held, .n = 1, .held_until = clock_.Now() + 86400 * kSecond},
                 {.aggregate = held, .n = 2},
                 {.aggregate = "forums/warwickshire/members/other", .n = 1}});
  Start({council_});
  ASSERT_TRUE(Until([&] { return Size(council_) == 1; }));
  EXPECT_EQ(Stream(council_)[0].headers["ce-subject"], "forums/warwickshire/members/other");
  clock_.SetDate("2022-01-16");
  AllSent();
  ExpectOnceInOrder(council_, 3);
}

TEST_P(RelayTest, AnEventIsACloudEventInJsonOutsideAndInProtobufBetweenServices) {
  // A value with the text of the header by which the server recognises duplicates must not hide it.
  Event event{
      .n = 7, .body = Body("R"), .paths = "reason,Nats-Msg-Id: x\r\nevil: 1", .id = 0x1f3a0};
  Add(council_, {event});
  event.id += 1;
  Add(services_, {event});
  Change([](db::Conn& conn) {
    return conn.Exec("UPDATE meta SET value = '2' WHERE name = 'epoch'", {}).status();
  });
  Start({services_, council_});
  AllSent();

  auto outside = Stream(council_);
  ASSERT_THAT(outside, SizeIs(1));
  EXPECT_EQ(outside[0].subject, "coproduction.membership.ErrorInfo");
  EXPECT_EQ(outside[0].data, R"({"reason":"R"})");
  EXPECT_THAT(outside[0].headers,
              ::testing::UnorderedElementsAreArray(std::map<std::string, std::string>{
                  {"Nats-Msg-Id", "membership.1f3a0"},
                  {"ce-specversion", "1.0"},
                  {"ce-id", "membership.1f3a0"},
                  {"ce-source", "//coproduction-hub/membership"},
                  {"ce-type", "coproduction.errors.v1.ErrorInfo"},
                  {"ce-subject", "forums/warwickshire/members/m1"},
                  {"ce-time", "2021-12-03T09:00:00Z"},
                  {"ce-forum", "warwickshire"},
                  {"ce-sequence", "7"},
                  {"ce-version", "107"},
                  {"ce-epoch", "2"},
                  {"ce-paths", event.paths},
                  {"content-type", "application/json"}}));
  const std::string& raw = outside[0].raw_headers;
  EXPECT_EQ(raw.find("Nats-Msg-Id"), raw.rfind("Nats-Msg-Id")) << raw;

  auto inside = Stream(services_);
  ASSERT_THAT(inside, SizeIs(1));
  EXPECT_EQ(inside[0].data, event.body);
  EXPECT_EQ(inside[0].headers["content-type"], "application/protobuf");
  EXPECT_EQ(inside[0].headers["ce-id"], "membership.1f3a1");
}

// The process ended after the acknowledgement and before the mark, and came back after the server
// had forgotten the ids.
TEST_P(RelayTest, WhatWasAcknowledgedButNotMarkedIsNotStoredTwice) {
  services_.duplicate_window = kSecond / 5;
  Start({services_});
  AddSome(services_, 20);
  AllSent();
  relay_.reset();
  Change([](db::Conn& conn) {
    return conn
        .Exec("UPDATE payloads SET sent_at = NULL, stream_seq = NULL WHERE n > $1", {int64_t{12}})
        .status();
  });
  DuplicateWindowPasses(services_);
  AddSome(services_, 1);
  Start({services_});
  AllSent();
  ExpectOnceInOrder(services_, 21);
  EXPECT_EQ(Number("SELECT MAX(stream_seq) - MIN(stream_seq) FROM payloads WHERE n <= 20"), 19);
}

// A crash of the machine takes what was acknowledged and not yet on disk. The relay stayed up.
TEST_P(RelayTest, EventsThatTheServerLostAreSentAgain) {
  Start({services_});
  AddSome(services_, 10);
  AllSent();
  nats_->Stop();
  std::filesystem::copy(nats_->store(), folder_.path + "/copy",
                        std::filesystem::copy_options::recursive);
  ASSERT_TRUE(nats_->Resume().ok());
  AddSome(services_, 15);
  AllSent();
  ASSERT_EQ(Size(services_), 25);
  nats_->Kill();
  std::filesystem::remove_all(nats_->store());
  std::filesystem::rename(folder_.path + "/copy", nats_->store());
  ASSERT_TRUE(nats_->Resume().ok());
  // An event after the lost ones, which must not come before them.
  AddSome(services_, 1);
  EXPECT_TRUE(Until([&] { return Size(services_) == 26; }));
  AllSent();
  ExpectOnceInOrder(services_, 26);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM payloads WHERE stream_seq = n"), 26);
}

// While this service was down the store was replaced by a copy from long before its horizon, and
// others have filled the sequences since.
TEST_P(RelayTest, EventsLostLongAgoAreSentAgainWhateverStandsInTheirPlaceNow) {
  Relay::Options short_horizon;
  short_horizon.horizon = 1;
  AddSome(services_, 100, 50);
  Start({services_}, short_horizon);
  AllSent();
  nats_->Stop();
  std::filesystem::copy(nats_->store(), folder_.path + "/copy",
                        std::filesystem::copy_options::recursive);
  ASSERT_TRUE(nats_->Resume().ok());
  AddSome(services_, 3000, 50);  // three pages of rows
  AllSent();
  relay_.reset();
  nats_->Kill();
  std::filesystem::remove_all(nats_->store());
  std::filesystem::rename(folder_.path + "/copy", nats_->store());
  ASSERT_TRUE(nats_->Resume().ok());
  auto connection = Connect(services_);
  for (int i = 0; i < 3500; ++i) {
    ASSERT_TRUE(connection->Publish("coproduction.other.Event", "", "x").ok());
  }
  ASSERT_TRUE(connection->Flush(10 * kSecond).ok());
  ASSERT_TRUE(Until([&] { return Size(services_) == 3600; }));
  Start({services_}, short_horizon);
  EXPECT_TRUE(Until([&] { return Size(services_) == 6600; }));
  AllSent();
  ExpectOnceInOrder(services_, 3100);
}

// The same, and a consumer had written down that it was further than the stream now is: new events
// come to sequences that it has behind it, as another service's lost ones are not back yet.
TEST_P(RelayTest, AConsumerThatIsAheadOfItsStreamMissesNothing) {
  std::mutex mutex;
  std::set<int64_t> seen;
  auto subscriber =
      Subscriber::Start(services_, "scheduling", [&](const Envelope& envelope, const std::string&) {
        std::lock_guard<std::mutex> lock(mutex);
        if (!envelope.id.empty()) seen.insert(envelope.sequence);
        return Status();
      });
  ASSERT_TRUE(subscriber.ok());
  auto saw = [&](int count) {
    return Until([&] {
      std::lock_guard<std::mutex> lock(mutex);
      return seen.size() == static_cast<size_t>(count);
    });
  };
  Start({services_});
  AddSome(services_, 10);
  EXPECT_TRUE(saw(10));
  nats_->Stop();
  std::filesystem::copy(nats_->store(), folder_.path + "/copy",
                        std::filesystem::copy_options::recursive);
  ASSERT_TRUE(nats_->Resume().ok());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(PublishForeign(*Connect(services_), absl::StrCat("other.", i)).ok());
  }
  AddSome(services_, 5);
  EXPECT_TRUE(saw(15));
  EXPECT_TRUE(Until([&] { return (*subscriber)->Lag().value_or(-1) == 0; }));
  nats_->Stop();
  const std::string messages = "/jetstream/HUB/streams/services/msgs";
  std::filesystem::remove_all(nats_->store() + messages);
  std::filesystem::rename(folder_.path + "/copy" + messages, nats_->store() + messages);
  ASSERT_TRUE(nats_->Resume().ok());
  AddSome(services_, 5);
  EXPECT_TRUE(saw(20));
  EXPECT_TRUE(Until([&] { return (*subscriber)->Lag().value_or(-1) == 0; }));
  ExpectOnceInOrder(services_, 20);
}

TEST_P(RelayTest, AStreamThatIsGoneIsMadeAnewAndFilledAnew) {
  Start({services_});
  AddSome(services_, 10);
  AllSent();
  nats_->Kill();
  std::filesystem::remove_all(nats_->store());
  ASSERT_TRUE(nats_->Resume().ok());
  EXPECT_TRUE(Until([&] { return Size(services_) == 10; }));
  AllSent();
  ExpectOnceInOrder(services_, 10);
}

TEST_P(RelayTest, WithoutNatsNothingFailsAndEverythingArrivesWhenItIsBack) {
  nats_->Kill();
  Start({services_, council_});
  AddSome(services_, 5);
  EXPECT_TRUE(Until([&] { return relay_->Problems().size() == 2; }));
  EXPECT_THAT(relay_->Problems()[0], HasSubstr("services"));
  EXPECT_EQ(relay_->Unsent().value_or(-1), 5);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(nats_->Resume().ok());
    AddSome(services_, 2000, 50);
    relay_->Wake();
    EXPECT_TRUE(Until([&] { return Size(services_) > int64_t{2000} * i; }));  // in the middle of it
    nats_->Kill();
  }
  ASSERT_TRUE(nats_->Resume().ok());
  AllSent();
  ExpectOnceInOrder(services_, 6005);
  EXPECT_TRUE(Until([&] { return relay_->Problems().empty(); }));
}

// The same receiver by another address shows who publishes: each fills a stream of its own.
TEST_P(RelayTest, OneOfTwoRelaysSendsAndTheOtherTakesOverWhenItEnds) {
  Receiver elsewhere = nats_->receiver("forums/warwickshire");
  elsewhere.name = services_.name;
  elsewhere.json = false;
  Relay::Options first, second;
  first.receivers = {services_};
  second.receivers = {elsewhere};
  relay_ = StartAnother(first);
  AddSome(services_, 1);
  AllSent();
  auto other = StartAnother(second);
  for (int i = 0; i < 20; ++i) {
    AddSome(services_, 50);
    other->Wake();
    AllSent();
  }
  EXPECT_EQ(Size(services_), 1001);
  EXPECT_EQ(Size(elsewhere), -1);  // not even made

  relay_.reset();
  AddSome(services_, 1);
  relay_ = std::move(other);
  // It read its own stream back first, and found there nothing of what the first had sent.
  EXPECT_TRUE(Until([&] { return Size(elsewhere) == 1002; }));
  AllSent();
  ExpectOnceInOrder(elsewhere, 1002);
  EXPECT_EQ(Size(services_), 1001);
}

TEST_P(RelayTest, TheLeaseOfADeadProcessIsTakenOverWhenItEndsAndNotBefore) {
  const Micros until = MachineNow() + 2 * kSecond;
  Change([&](db::Conn& conn) {
    return conn
        .Exec("INSERT INTO leases(name, holder, until) VALUES ($1, $2, $3)",
              {std::string("relay/services"), std::string("dead"), until})
        .status();
  });
  AddSome(services_, 1);
  Start({services_});
  EXPECT_TRUE(Until([&] { return Size(services_) == 1; }));
  EXPECT_GE(MachineNow(), until);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM leases WHERE holder = 'test'"), 1);
}

// The other process had the lease in between, and died after an acknowledgement and before the
// mark.
TEST_P(RelayTest, ALeaseThatComesBackBringsWhatTheOtherSent) {
  services_.duplicate_window = kSecond / 5;
  Relay::Options options;
  options.ack_wait = kSecond;
  options.lease = 2 * kSecond;
  Start({services_}, options);
  AddSome(services_, 5);
  AllSent();
  auto other_has = [&](Micros until) {
    Change([until](db::Conn& conn) {
      return conn.Exec("UPDATE leases SET holder = $1, until = $2", {std::string("other"), until})
          .status();
    });
  };
  Micros own = Number("SELECT until FROM leases");
  ASSERT_TRUE(Until([&] { return MachineNow() > own; }));
  other_has(MachineNow() + 3600 * kSecond);
  AddSome(services_, 1);
  ASSERT_TRUE(
      PublishForeign(*Connect(services_), EventId(kService, Number("SELECT MAX(id) FROM payloads")))
          .ok());
  DuplicateWindowPasses(services_);
  other_has(MachineNow() - 1);
  AllSent();
  EXPECT_EQ(Number("SELECT stream_seq FROM payloads WHERE n = 6"), 6);
  EXPECT_EQ(Size(services_), 8);  // with the two that tried the window
}

TEST_P(RelayTest, WhatTheServerRefusesIsNotOvertakenAndHoldsUpNoOther) {
  auto connection = Connect(council_);
  ASSERT_TRUE(connection
                  ->Api("STREAM.CREATE.wcc",
                        R"({"name":"wcc","subjects":["coproduction.>"],"retention":"limits",)"
                        R"("storage":"file","discard":"old","deny_delete":true,"deny_purge":true,)"
                        R"("max_msgs":-1,"max_bytes":-1,"max_msgs_per_subject":-1,)"
                        R"("max_msg_size":2000})")
                  .ok());
  Add(council_, {{.aggregate = "forums/w/members/a", .n = 1},
                 {.aggregate = "forums/w/members/a", .n = 2, .body = Body(std::string(3000, 'x'))},
                 {.aggregate = "forums/w/members/a", .n = 3},
                 {.aggregate = "forums/w/members/b", .n = 1},
                 {.aggregate = "forums/w/members/b", .n = 2},
                 {.aggregate = "forums/w/members/b", .n = 3}});
  Start({council_});
  EXPECT_TRUE(Until([&] { return Size(council_) == 4 && !relay_->Problems().empty(); }));
  EXPECT_EQ(relay_->Unsent().value_or(-1), 2);
  ExpectOnceInOrder(council_, 4);
}

TEST_P(RelayTest, AnEventThatCannotBeSentHoldsUpOnlyItsAggregate) {
  Add(council_,
      {{.aggregate = "forums/w/members/a", .n = 1, .type = "coproduction.none.v1.Gone"},
       {.aggregate = "forums/w/members/a", .n = 2},
       {.aggregate = "forums/w/members/b", .n = 1, .body = Body(std::string(2000000, 'x'))},
       {.aggregate = "forums/w/members/c", .n = 1}});
  Start({council_});
  EXPECT_TRUE(Until([&] { return Size(council_) == 1 && !relay_->Problems().empty(); }));
  EXPECT_EQ(Stream(council_)[0].headers["ce-subject"], "forums/w/members/c");
  EXPECT_EQ(relay_->Unsent().value_or(-1), 3);
}

TEST_P(RelayTest, AStreamThatAllowsWhatItMustNotIsReportedAndLeftAsItIs) {
  auto connection = Connect(council_);
  const std::string config = R"({"name":"wcc","subjects":["coproduction.>"],"deny_delete":true})";
  ASSERT_TRUE(connection->Api("STREAM.CREATE.wcc", config).ok());
  AddSome(council_, 1);
  Start({council_});
  ASSERT_TRUE(Until([&] { return !relay_->Problems().empty(); }));
  EXPECT_THAT(relay_->Problems()[0], HasSubstr("deny_purge"));
  EXPECT_EQ(Size(council_), 0);
  auto info = connection->Api("STREAM.INFO.wcc");
  ASSERT_TRUE(info.ok());
  EXPECT_FALSE(info->fields().at("config").struct_value().fields().at("deny_purge").bool_value());
}

TEST_P(RelayTest, WhatThatReceiverIsNotForIsNotSent) {
  AddSome(council_, 3);
  AddSome(services_, 4);
  Change([](db::Conn& conn) {  // an answer, which is nobody's event
    return conn.Exec("UPDATE payloads SET receiver = '' WHERE n = $1", {int64_t{4}}).status();
  });
  Start({services_});
  AllSent();
  EXPECT_EQ(Size(services_), 3);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM payloads WHERE sent_at IS NULL"), 4);
}

// ---- The consuming side ----

class SubscriberTest : public NatsTest {
 protected:
  // As the relay publishes: one aggregate, sequence n.
  void Publish(int from, int to) {
    auto connection = Connect(services_);
    ASSERT_TRUE(EnsureStream(*connection, services_).ok());
    for (int n = from; n <= to; ++n) {
      ASSERT_TRUE(connection
                      ->Publish("coproduction.membership.Event", "", "body",
                                {{"Nats-Msg-Id", absl::StrCat("membership.", n)},
                                 {"ce-id", absl::StrCat("membership.", n)},
                                 {"ce-type", kType},
                                 {"ce-subject", "forums/warwickshire/members/m\u00fc%1"},
                                 {"ce-sequence", absl::StrCat(n)},
                                 {"ce-version", absl::StrCat(n + 100)},
                                 {"ce-epoch", "2"},
                                 {"ce-time", "2021-12-03T09:00:00.000005Z"}})
                      .ok());
    }
    ASSERT_TRUE(connection->Flush(10 * kSecond).ok());
    ASSERT_TRUE(Until([&] { return Size(services_) == to; }));
  }
  // Remembers what it applies, and fails an event as often as the test says.
  void Start() {
    auto subscriber = Subscriber::Start(services_, "scheduling",
                                        [this](const Envelope& envelope, const std::string& body) {
                                          std::lock_guard<std::mutex> lock(mutex_);
                                          seen_.push_back(envelope.sequence);
                                          last_ = envelope;
                                          last_body_ = body;
                                          if (failures_[envelope.sequence]-- > 0) {
                                            return Internal("not yet");
                                          }
                                          return Status();
                                        });
    ASSERT_TRUE(subscriber.ok()) << subscriber.status();
    subscriber_ = std::move(*subscriber);
  }
  std::vector<int64_t> seen() {
    std::lock_guard<std::mutex> lock(mutex_);
    return seen_;
  }
  bool Saw(size_t count) {
    return Until([&] { return seen().size() >= count; });
  }
  void Forget() {
    std::lock_guard<std::mutex> lock(mutex_);
    failures_.clear();
    seen_.clear();
  }
  // Takes events as another process does, and leaves them unacknowledged.
  std::vector<int64_t> Fetch(Connection& connection, int count) {
    std::vector<int64_t> sequences;
    auto inbox = connection.OpenInbox();
    EXPECT_TRUE(inbox.ok());
    EXPECT_TRUE(connection
                    .Publish("$JS.API.CONSUMER.MSG.NEXT.services.scheduling", inbox->Subject("1"),
                             absl::StrCat(R"({"batch":)", count, R"(,"expires":10000000000})"))
                    .ok());
    for (int i = 0; i < count; ++i) {
      auto message = inbox->Next(10 * kSecond);
      if (!message.ok() || *message == nullptr) break;
      sequences.push_back(std::atoll(HeaderOf(message->get(), "ce-sequence").c_str()));
    }
    return sequences;
  }
  bool AllAcknowledged() {
    return Until([&] { return subscriber_->Lag().value_or(-1) == 0; });
  }

  std::mutex mutex_;
  std::vector<int64_t> seen_;
  std::map<int64_t, int> failures_;
  Envelope last_;
  std::string last_body_;
  std::unique_ptr<Subscriber> subscriber_;
};

TEST_F(SubscriberTest, EventsComeInOrderWithTheirEnvelope) {
  Start();  // before there is a stream
  Publish(1, 250);
  ASSERT_TRUE(Saw(250));
  EXPECT_TRUE(AllAcknowledged());
  std::vector<int64_t> expected(250);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<int64_t>(i) + 1;
  EXPECT_EQ(seen(), expected);
  EXPECT_EQ(last_.id, "membership.250");
  EXPECT_EQ(last_.type, kType);
  EXPECT_EQ(last_.aggregate, "forums/warwickshire/members/m\u00fc%1");
  EXPECT_EQ(last_.version, 350);
  EXPECT_EQ(last_.epoch, "2");
  EXPECT_EQ(last_.time, 1638522000000005);
  EXPECT_EQ(last_body_, "body");
  EXPECT_EQ(subscriber_->Problem(), "");
}

TEST_F(SubscriberTest, WhatFailsIsTriedAgainInPlace) {
  failures_[2] = 3;
  Publish(1, 4);
  Start();
  ASSERT_TRUE(Saw(1));
  EXPECT_TRUE(Until([&] { return subscriber_->Problem().find("not yet") != std::string::npos; }));
  ASSERT_TRUE(Saw(7));
  EXPECT_TRUE(AllAcknowledged());
  EXPECT_THAT(seen(), ElementsAre(1, 2, 2, 2, 2, 3, 4));
  EXPECT_EQ(subscriber_->Problem(), "");
}

TEST_F(SubscriberTest, StopsAtOnceAndGoesOnWhereItWas) {
  failures_[3] = 1000000;
  Publish(1, 5);
  Start();
  ASSERT_TRUE(Saw(4));  // the third fails
  auto before = std::chrono::steady_clock::now();
  subscriber_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
  Forget();
  Start();
  ASSERT_TRUE(Saw(3));
  EXPECT_TRUE(AllAcknowledged());
  EXPECT_THAT(seen(), ElementsAre(3, 4, 5));
}

// A process was killed with events in hand. They come at once and before newer ones, although the
// server waits half a minute for the dead.
TEST_F(SubscriberTest, WhatAKilledProcessHadInHandComesFirst) {
  Publish(1, 8);
  auto dead = Connect(services_);
  ASSERT_TRUE(EnsureDurable(*dead, "services", "scheduling").ok());
  EXPECT_THAT(Fetch(*dead, 5), ElementsAre(1, 2, 3, 4, 5));
  dead.reset();
  auto before = std::chrono::steady_clock::now();
  failures_[2] = 1;
  Start();
  ASSERT_TRUE(Saw(9));
  EXPECT_TRUE(AllAcknowledged());
  EXPECT_THAT(seen(), ElementsAre(1, 2, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
}

TEST_F(SubscriberTest, GoesOnWhenNatsComesBack) {
  Publish(1, 3);
  Start();
  ASSERT_TRUE(Saw(3));
  EXPECT_TRUE(AllAcknowledged());
  nats_->Kill();
  EXPECT_TRUE(Until([&] { return !subscriber_->Lag().ok() && !subscriber_->Problem().empty(); }));
  ASSERT_TRUE(nats_->Resume().ok());
  Publish(4, 6);
  EXPECT_TRUE(Until([&] { return !seen().empty() && seen().back() == 6; }));
  EXPECT_TRUE(AllAcknowledged());
  EXPECT_EQ(subscriber_->Problem(), "");
}

// Two processes of one service on one database.
class TwoSubscribersTest : public SubscriberTest {
 protected:
  static constexpr Micros kLease = Subscriber::kShortestLease;

  // A process, with connections of its own to everything. What it applies goes into the database
  // as a service does it: once, and none before the one before it.
  struct Process {
    std::unique_ptr<db::Store> store;
    std::atomic<int> applied = 0;
    std::unique_ptr<Subscriber> subscriber;
    void Die() {
      subscriber.reset();
      store.reset();
    }
  };

  void SetUp() override {
    SubscriberTest::SetUp();
    if (HasFatalFailure()) return;
    auto postgres = testing::MiniPostgres::Shared();
    ASSERT_TRUE(postgres.ok()) << postgres.status();
    options_.url = absl::StrCat("postgres:", (*postgres)->ConnString());
    options_.schema = "subscribers_" + Hex(RandomBytes(4));
    store_ = Open();
    Status made = store_->WriteAndWait([](db::Conn& conn) {
      return conn.Script(
          "CREATE TABLE leases(name {text} NOT NULL PRIMARY KEY, holder {text} NOT NULL, until "
          "{int64} NOT NULL) {strict}; CREATE TABLE done(place {int64} NOT NULL PRIMARY KEY, "
          "n {int64} NOT NULL UNIQUE, holder {text} NOT NULL) {strict}");
    });
    ASSERT_TRUE(made.ok()) << made;
  }
  std::unique_ptr<db::Store> Open() {
    auto store = db::Store::Open(options_);
    EXPECT_TRUE(store.ok()) << store.status();
    return std::move(*store);
  }
  std::unique_ptr<Process> Start(const std::string& holder) {
    auto process = std::make_unique<Process>();
    process->store = Open();
    auto subscriber = Subscriber::Start(
        services_, "scheduling",
        [this, holder, process = process.get()](const Envelope& envelope, const std::string&) {
          Status status = process->store->WriteAndWait([&](db::Conn& conn) {
            return conn
                .Exec(
                    "INSERT INTO done(place, n, holder) SELECT COUNT(*) + 1, $1, $2 FROM done "
                    "ON CONFLICT DO NOTHING",
                    {envelope.sequence, holder})
                .status();
          });
          ++process->applied;
          std::unique_lock<std::mutex> lock(mutex_);
          released_.wait(lock, [this] { return !held_; });
          return status;
        },
        std::make_unique<Lease>(process->store.get(), "subscriber/scheduling", holder, kLease));
    EXPECT_TRUE(subscriber.ok()) << subscriber.status();
    process->subscriber = std::move(*subscriber);
    return process;
  }
  void Hold(bool held) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      held_ = held;
    }
    released_.notify_all();
  }
  // Each once and in order: place and sequence are the same. By whom, as '1-5 first, 6-9 second'.
  std::string Done() {
    std::string by;
    int64_t from = 0, to = 0;
    std::string holder;
    auto flush = [&] {
      if (!holder.empty()) {
        absl::StrAppend(&by, by.empty() ? "" : ", ", from, "-", to, " ", holder);
      }
    };
    Status status = store_->ReadAndWait([&](db::Conn& conn) {
      return conn.Query("SELECT place, n, holder FROM done ORDER BY place", {},
                        [&](const db::Row& row) {
                          EXPECT_EQ(row.Int(0), row.Int(1));
                          if (holder != row.Text(2)) {
                            flush();
                            holder = std::string(row.Text(2));
                            from = row.Int(1);
                          }
                          to = row.Int(1);
                          return Status();
                        });
    });
    EXPECT_TRUE(status.ok()) << status;
    flush();
    return by;
  }
  bool Applied(const Process& process, int count) {
    return Until([&] { return process.applied >= count; });
  }
  bool Nothing(Process& process) {
    return Until([&] { return process.subscriber->Lag().value_or(-1) == 0; });
  }

  db::StoreOptions options_;
  std::unique_ptr<db::Store> store_;
  std::condition_variable released_;
  bool held_ = false;
};

TEST_F(TwoSubscribersTest, OneConsumesAndTheOtherGoesOnAtOnceWhenItIsStopped) {
  Publish(1, 1);
  auto first = Start("first");
  ASSERT_TRUE(Applied(*first, 1));
  auto second = Start("second");
  Publish(2, 250);
  ASSERT_TRUE(Nothing(*second));  // it may ask how far the service is
  EXPECT_EQ(second->applied, 0);
  EXPECT_EQ(second->subscriber->Problem(), "");
  first->Die();
  const Micros stopped = MachineNow();
  Publish(251, 300);
  ASSERT_TRUE(Applied(*second, 50));
  EXPECT_LT(MachineNow() - stopped, kLease);
  EXPECT_TRUE(Nothing(*second));
  EXPECT_EQ(Done(), "1-250 first, 251-300 second");
}

// It has the lease and events in hand, one of them applied and not acknowledged, and says nothing
// more: as a killed process does.
TEST_F(TwoSubscribersTest, TheOtherGoesOnWhenTheLeaseOfAKilledOneHasEndedAndNotBefore) {
  Publish(1, 1);
  auto first = Start("first");
  ASSERT_TRUE(Applied(*first, 1));
  ASSERT_TRUE(Nothing(*first));
  auto second = Start("second");
  Hold(true);
  auto release = absl::MakeCleanup([this] { Hold(false); });
  Publish(2, 50);
  ASSERT_TRUE(Applied(*first, 2));
  Micros until = 0;
  ASSERT_TRUE(store_
                  ->ReadAndWait([&](db::Conn& conn) {
                    return conn.Query("SELECT until FROM leases", {}, [&](const db::Row& row) {
                      until = row.Int(0);
                      return Status();
                    });
                  })
                  .ok());
  ASSERT_TRUE(Applied(*second, 1));
  EXPECT_GE(MachineNow(), until);
  // The one that was thought dead wakes up, and finds that it has lost the lease.
  Hold(false);
  ASSERT_TRUE(Nothing(*second));
  Publish(51, 60);
  ASSERT_TRUE(Nothing(*second));
  EXPECT_EQ(Done(), "1-2 first, 3-60 second");
  EXPECT_EQ(first->applied, 2);
}

// ---- What a tenant may do ----

// The tenant 'wcc' with its own credential, and one event for it.
class TenantTest : public NatsTest {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (HasFatalFailure()) return;
    hub_ = Connect(council_);
    ASSERT_TRUE(EnsureStream(*hub_, council_).ok());
    ASSERT_TRUE(EnsureDurable(*hub_, "wcc", "wcc").ok());
    ASSERT_TRUE(PublishForeign(*hub_, "1").ok());
    auto endpoint = nats_->Tenant("wcc");
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    endpoint_ = *endpoint;
    auto opened = Connection::Open(endpoint_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    tenant_ = std::move(*opened);
    auto inbox = tenant_->OpenInbox();
    ASSERT_TRUE(inbox.ok());
    inbox_ = *inbox;
  }
  // JetStream's answer to a tenant, whose account reaches it under the name of the domain.
  NatsMessage Ask(const std::string& what, const std::string& json = "") {
    EXPECT_TRUE(
        tenant_->Publish(absl::StrCat("$JS.hub.API.", what), inbox_.Subject("1"), json).ok());
    auto answer = inbox_.Next(10 * kSecond);
    EXPECT_TRUE(answer.ok() && *answer != nullptr) << what << ": " << tenant_->complaint();
    return answer.ok() ? std::move(*answer) : nullptr;
  }
  bool Fetches(const std::string& subject) {
    auto message = Ask("CONSUMER.MSG.NEXT.wcc.wcc", R"({"batch":1,"expires":5000000000})");
    return message != nullptr && natsMsg_GetSubject(message.get()) == subject &&
           tenant_->Publish(natsMsg_GetReply(message.get()), "", "+ACK").ok();
  }
  bool Acknowledged(int64_t seq) {
    return Until([&] {
      auto info = hub_->Api("CONSUMER.INFO.wcc.wcc");
      return info.ok() && NumberAt(*info, "ack_floor.stream_seq") == seq;
    });
  }

  std::unique_ptr<Connection> hub_, tenant_;
  Endpoint endpoint_;
  Inbox inbox_;
};

TEST_F(TenantTest, FetchesAndAcknowledgesItsOwnEventsAndNothingElse) {
  EXPECT_TRUE(Fetches("coproduction.other.Event"));
  EXPECT_TRUE(Acknowledged(1));
  for (const char* what : {"STREAM.INFO.wcc", "CONSUMER.INFO.wcc.wcc"}) {
    auto answer = Ask(what);
    ASSERT_NE(answer, nullptr);
    const std::string json(natsMsg_GetData(answer.get()), natsMsg_GetDataLength(answer.get()));
    EXPECT_THAT(json, HasSubstr("_info_response"));
    EXPECT_THAT(json, ::testing::Not(HasSubstr("\"error\"")));
  }

  for (const char* what :
       {"CONSUMER.DURABLE.CREATE.wcc.mine", "CONSUMER.CREATE.wcc", "STREAM.MSG.GET.wcc",
        "STREAM.NAMES", "STREAM.PURGE.wcc", "STREAM.DELETE.wcc", "CONSUMER.DELETE.wcc.wcc",
        "STREAM.INFO.wpcv", "CONSUMER.INFO.wpcv.wpcv"}) {
    for (const char* api : {"$JS.API.", "$JS.hub.API."}) {
      const std::string refused = absl::StrCat(api, what);
      ASSERT_TRUE(tenant_->Publish(refused, inbox_.Subject("2"), "{}").ok());
      EXPECT_TRUE(Until([&] { return tenant_->complaint().find(refused) != std::string::npos; }));
    }
  }
  auto answer = inbox_.Next(1000);
  EXPECT_TRUE(answer.ok() && *answer == nullptr);
  ASSERT_TRUE(tenant_->Publish("coproduction.membership.Forged", "", "x").ok());
  EXPECT_TRUE(Until([&] { return tenant_->complaint().find("Forged") != std::string::npos; }));
  EXPECT_EQ(Size(council_), 1);
  endpoint_.inbox_prefix = "_INBOX";  // where the hub's answers arrive
  auto curious = Connection::Open(endpoint_);
  ASSERT_TRUE(curious.ok());
  ASSERT_TRUE((*curious)->OpenInbox().ok());  // refused, but the client learns that later
  EXPECT_TRUE(Until([&] { return (*curious)->complaint().find("_INBOX") != std::string::npos; }));
}

// The server does not ask whether the tenant may publish where it wants an answer to go. With
// nothing left to fetch the answer is empty, as a request to delete has to be.
TEST_F(TenantTest, AnAnswerToItIsNoRequestToTheStream) {
  EXPECT_TRUE(Fetches("coproduction.other.Event"));
  EXPECT_TRUE(Acknowledged(1));
  for (const char* reply : {"coproduction.membership.Forged", "$JS.API.STREAM.PURGE.wcc",
                            "$JS.API.CONSUMER.DELETE.wcc.wcc", "$JS.API.STREAM.DELETE.wcc"}) {
    ASSERT_TRUE(tenant_
                    ->Publish("$JS.hub.API.CONSUMER.MSG.NEXT.wcc.wcc", reply,
                              R"({"batch":1,"no_wait":true})")
                    .ok());
    Ask("STREAM.INFO.wcc");  // the server works in order
    EXPECT_EQ(Size(council_), 1) << reply;
    EXPECT_TRUE(hub_->Api("CONSUMER.INFO.wcc.wcc").ok()) << reply;
  }
  ASSERT_TRUE(PublishForeign(*hub_, "2").ok());
  EXPECT_TRUE(Fetches("coproduction.other.Event"));
  EXPECT_TRUE(Acknowledged(2));
}

TEST_F(NatsTest, WrongPasswordsAreRefused) {
  council_.password += "x";
  auto opened = Connection::Open(EndpointOf(council_, "test"));
  EXPECT_EQ(ReasonOf(opened.status()), errors::TEMPORARILY_UNAVAILABLE);
}

TEST_F(NatsTest, AConfigurationOfOnesOwn) {
  auto nats = testing::MiniNats::Start("port: {port}\njetstream { store_dir: \"{folder}/js\" }\n");
  ASSERT_TRUE(nats.ok()) << nats.status();
  Receiver receiver;
  receiver.url = (*nats)->url();
  receiver.stream = "any";
  EXPECT_TRUE(EnsureStream(*Connect(receiver), receiver).ok());
}

// ---- Without a server ----

RC_GTEST_PROP(Header, EveryTextTravels, (const std::string& text)) {
  std::string header = ToHeader(text + "Nats-Msg-Id" + text);
  RC_ASSERT(header.find("Nats-Msg-Id") == std::string::npos);
  RC_ASSERT(std::all_of(header.begin(), header.end(), [](char c) { return c > ' ' && c <= '~'; }));
  RC_ASSERT(FromHeader(header) == text + "Nats-Msg-Id" + text);
}

TEST(EventId, IsTheServiceAndTheRow) {
  EXPECT_EQ(EventId("membership", 0x1f3a), "membership.1f3a");
}

class ReceiversTest : public ::testing::Test {
 protected:
  StatusOr<std::vector<Receiver>> Read(const std::string& text) {
    std::ofstream(folder_.path + "/receivers.json") << text;
    return ReadReceivers(folder_.path + "/receivers.json");
  }
  // One receiver with some of its keys changed or added.
  StatusOr<std::vector<Receiver>> ReadWith(const std::string& keys) {
    std::string start =
        R"({"receivers": [{"url": "nats://h:1", "user": "u", "password": "secret", )";
    return Read(start + keys + "}]}");
  }
  Folder folder_;
};

TEST_F(ReceiversTest, ReadsWhatIsThereAndKnowsTheRest) {
  auto read = Read(R"({"receivers": [
      {"name": "services", "url": "nats://h:1", "stream": "services"},
      {"name": "forums/w/partners/wcc", "url": "nats://h:1", "user": "u", "password": "p",
       "stream": "wcc", "durable": "d", "replicas": 3, "maxAgeDays": 60}]})");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_THAT(*read, SizeIs(2));
  EXPECT_FALSE((*read)[0].json);
  EXPECT_FALSE((*read)[0].forum() || (*read)[0].partner());
  EXPECT_TRUE((*read)[1].json && (*read)[1].partner());
  EXPECT_EQ((*read)[1].replicas, 3);
  EXPECT_EQ((*read)[1].max_age, 60 * (86400 * kSecond));
}

TEST_F(ReceiversTest, SaysWhichEntryAndKeyIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"("stream": "s", "durable": "d")", "'name' is missing"},
      {R"("name": "forums/w", "durable": "d")", "'stream' is missing"},
      {R"("name": "forums/w", "stream": "s")", "'durable' is missing"},
      {R"("name": "forums/w", "stream": "s", "durable": "")", "'durable' is not a text"},
      {R"("name": "forums/w", "stream": "s", "durable": 1)", "'durable' is not a text"},
      {R"("name": "services", "stream": "s", "durable": "d")", "each service makes one"},
      {R"("name": "forum/w", "stream": "s", "durable": "d")", "'name' is 'forum/w'"},
      {R"("name": "forums/w/x", "stream": "s", "durable": "d")", "'name' is 'forums/w/x'"},
      {R"("name": "forums/w", "stream": "a.b", "durable": "d")", "'stream' is 'a.b'"},
      {R"("name": "forums/w", "stream": "s", "durable": "d", "format": "xml")",
       "'format' is 'xml'"},
      {R"("name": "forums/w", "stream": "s", "durable": "d", "replicas": 0)", "'replicas'"},
      {R"("name": "forums/w", "stream": "s", "durable": "d", "durabel": "")",
       "'durabel' is no key"},
  };
  for (const auto& [keys, message] : wrong) {
    auto read = ReadWith(keys);
    EXPECT_EQ(ReasonOf(read.status()), errors::INVALID_FIELD) << keys;
    EXPECT_THAT(MessageOf(read.status()), HasSubstr("entry 1: "));
    EXPECT_THAT(MessageOf(read.status()), HasSubstr(message));
    EXPECT_THAT(MessageOf(read.status()), ::testing::Not(HasSubstr("secret")));
  }
  EXPECT_THAT(MessageOf(Read(R"({"receivers": ["password")").status()), HasSubstr("is not a JSON"));
  EXPECT_THAT(MessageOf(Read(R"({"receiver": []})").status()), HasSubstr("the list 'receivers'"));
  EXPECT_THAT(MessageOf(Read(R"({"receivers": [
      {"name": "services", "url": "u", "stream": "s"},
      {"name": "services", "url": "u", "stream": "s"}]})")
                            .status()),
              HasSubstr("entry 2: 'services' stands twice"));
  EXPECT_THAT(MessageOf(ReadReceivers("/nowhere").status()), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace hub::events
