#include "common/events/subscriber.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include "absl/cleanup/cleanup.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/db/db.h"
#include "common/events/lease.h"
#include "common/events/nats_test.h"
#include "common/testing/mini_postgres.h"

namespace hub::events {
namespace {

class SubscriberTest : public NatsTest {
 protected:
  // As the relay publishes: one aggregate, sequence n.
  void Publish(int from, int to) {
    auto connection = Connect(services_);
    ASSERT_TRUE(EnsureStream(*connection, services_, true).ok());
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

TEST_F(SubscriberTest, SaysThatItsRequestsHaveNoAnswer) {
  auto nats = testing::MiniNats::Start(
      "port: {port}\njetstream { store_dir: \"{folder}/js\" }\n"
      "authorization { users: [{ user: hub, password: hub,\n"
      "  permissions: { publish: { deny: [\"$JS.API.CONSUMER.MSG.NEXT.>\"] } } }] }\n");
  ASSERT_TRUE(nats.ok()) << nats.status();
  services_.url = (*nats)->url();
  services_.user = services_.password = "hub";
  ASSERT_TRUE(EnsureStream(*Connect(services_), services_, true).ok());
  Start();
  EXPECT_TRUE(
      Until([&] { return subscriber_->Problem().find("had no answer") != std::string::npos; }));
  EXPECT_THAT(subscriber_->Problem(), HasSubstr("for the events of scheduling in stream services"));
  EXPECT_THAT(subscriber_->Problem(), HasSubstr("Permissions Violation"));
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

}  // namespace
}  // namespace hub::events
