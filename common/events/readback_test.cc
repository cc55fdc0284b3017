// What was acknowledged and is not there, and what is there and was not marked.
#include <algorithm>
#include <filesystem>
#include <mutex>

#include "common/events/relay_test.h"
#include "common/events/subscriber.h"

namespace hub::events {
namespace {

class ReadBackTest : public RelayTest {};

ON_BOTH_DATABASES(ReadBackTest);

// The process ended after the acknowledgement and before the mark, and came back after the server
// had forgotten the ids.
TEST_P(ReadBackTest, WhatWasAcknowledgedButNotMarkedIsNotStoredTwice) {
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
TEST_P(ReadBackTest, EventsThatTheServerLostAreSentAgain) {
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
TEST_P(ReadBackTest, EventsLostLongAgoAreSentAgainWhateverStandsInTheirPlaceNow) {
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
TEST_P(ReadBackTest, AConsumerThatIsAheadOfItsStreamMissesNothing) {
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

// Once the whole store is an older one, and once the messages alone, so that the consumer is ahead.
// The services send again at the same time, in any order among them.
TEST_P(ReadBackTest, ServicesFillAStreamThatTheyShareAgainEachInItsOrder) {
  const std::vector<std::string> services = {"membership", "scheduling", "engagement",
                                             "remuneration"};
  std::mutex mutex;
  std::map<std::string, int64_t> seen;  // the last number of each aggregate
  std::vector<std::string> missed;
  auto subscriber =
      Subscriber::Start(services_, "watcher", [&](const Envelope& envelope, const std::string&) {
        std::lock_guard<std::mutex> lock(mutex);
        int64_t& last = seen[envelope.aggregate];
        if (envelope.sequence > last + 1) missed.push_back(envelope.id);
        last = std::max(last, envelope.sequence);
        return Status();
      });
  ASSERT_TRUE(subscriber.ok());
  int64_t count = 0;
  std::vector<std::unique_ptr<Relay>> relays;
  auto add = [&](int events) {
    for (const std::string& service : services) {
      Be(service);
      AddSome(services_, events, 20);
      count += events;
    }
  };
  auto all_taken = [&] {
    return Until([&] {
      std::lock_guard<std::mutex> lock(mutex);
      int64_t sum = 0;
      for (const auto& [aggregate, last] : seen) sum += last;
      return sum == count;
    });
  };
  add(200);
  for (const std::string& service : services) {
    Be(service);
    Relay::Options options;
    options.receivers = {services_};
    options.makes_streams = relays.empty();
    relays.push_back(StartAnother(options));
  }
  for (const std::string part : {"", "/HUB/streams/services/msgs"}) {
    ASSERT_TRUE(all_taken());
    EXPECT_TRUE(Until([&] { return (*subscriber)->Lag().value_or(-1) == 0; }));
    nats_->Stop();
    std::filesystem::copy(nats_->store(), folder_.path + "/copy",
                          std::filesystem::copy_options::recursive);
    ASSERT_TRUE(nats_->Resume().ok());
    add(300);
    ASSERT_TRUE(all_taken());
    EXPECT_TRUE(Until([&] { return (*subscriber)->Lag().value_or(-1) == 0; }));
    nats_->Stop();
    const std::string place = absl::StrCat(nats_->store(), part.empty() ? "" : "/jetstream", part);
    std::filesystem::remove_all(place);
    std::filesystem::rename(
        absl::StrCat(folder_.path, "/copy", part.empty() ? "" : "/jetstream", part), place);
    std::filesystem::remove_all(folder_.path + "/copy");
    ASSERT_TRUE(nats_->Resume().ok());
    add(40);
    EXPECT_TRUE(Until([&] { return Size(services_) == count; }));
    ASSERT_TRUE(all_taken());
    EXPECT_THAT(missed, IsEmpty());
    ExpectOnceInOrder(services_, static_cast<size_t>(count));
  }
}

// Not by a hub's doing: its streams let nobody delete. The hole is where the rows would end that
// are looked at.
TEST_P(ReadBackTest, AMessageThatIsMissingInTheMiddleIsSentAgain) {
  services_.duplicate_window = kSecond / 5;
  auto connection = Connect(services_);
  std::string config =
      R"({"name":"services","subjects":["coproduction.>"],"storage":"file","discard":"old",)"
      R"("max_msgs_per_subject":-1,"max_msgs":-1,"max_bytes":-1,"duplicate_window":200000000})";
  ASSERT_TRUE(connection->Api("STREAM.CREATE.services", config).ok());
  AddSome(services_, 1100, 50);
  for (int64_t seq = 1; seq <= 1100; ++seq) {
    const std::string id = EventId(kService, (1000 + seq) * journal::kPartsPerCommand);
    ASSERT_TRUE(
        connection->Publish("coproduction.other.Event", "", "x", {{"Nats-Msg-Id", id}}).ok());
  }
  ASSERT_TRUE(connection->Flush(10 * kSecond).ok());
  ASSERT_TRUE(Until([&] { return Size(services_) == 1100; }));
  ASSERT_TRUE(connection->Api("STREAM.MSG.DELETE.services", R"({"seq":101})").ok());
  config.insert(1, R"("deny_delete":true,"deny_purge":true,)");
  auto closed = connection->Api("STREAM.UPDATE.services", config);
  ASSERT_TRUE(closed.ok()) << closed.status();
  Change([](db::Conn& conn) {
    return conn
        .Exec("UPDATE payloads SET sent_at = $1, stream_seq = id / $2 - 1000",
              {MachineNow(), journal::kPartsPerCommand})
        .status();
  });
  DuplicateWindowPasses(services_);
  Relay::Options short_horizon;
  short_horizon.horizon = -1;
  Start({services_}, short_horizon);
  EXPECT_TRUE(Until([&] { return Number("SELECT MAX(stream_seq) FROM payloads") == 1103; }));
  EXPECT_EQ(Number("SELECT id FROM payloads WHERE stream_seq = 1103"),
            1101 * journal::kPartsPerCommand);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM payloads WHERE sent_at IS NULL"), 0);
}

TEST_P(ReadBackTest, AStreamThatIsGoneIsMadeAnewAndFilledAnew) {
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

}  // namespace
}  // namespace hub::events
