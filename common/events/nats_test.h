// For tests of this room: the real nats-server and how the hub sees it. Nothing here waits for a
// time: everything waits for what it expects, and fails when that does not come.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/events/nats.h"
#include "common/testing/mini_nats.h"

namespace hub::events {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

inline constexpr Micros kSecond = 1000000;
inline constexpr char kType[] =
    "coproduction.errors.v1.ErrorInfo";  // any message will do as an event

inline bool Until(const std::function<bool()>& condition) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

inline std::string Body(const std::string& reason) {
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
  Status PublishForeign(Connection& connection, const std::string& id,
                        const std::string& subject = "coproduction.other.Event") {
    auto inbox = connection.OpenInbox();
    RETURN_IF_ERROR(inbox.status());
    RETURN_IF_ERROR(connection.Publish(subject, inbox->Subject("1"), "x", {{"Nats-Msg-Id", id}}));
    return inbox->Next(10 * kSecond).status();
  }

  std::unique_ptr<testing::MiniNats> nats_;
  Receiver services_, council_;
};

}  // namespace hub::events
