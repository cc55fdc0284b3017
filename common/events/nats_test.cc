// The server's side of what the hub relies on: what a tenant may do, what a header carries.
#include "common/events/nats_test.h"

#include <rapidcheck/gtest.h>

#include <algorithm>

namespace hub::events {
namespace {

// The tenant 'wcc' with its own credential, and one event for it.
class TenantTest : public NatsTest {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (HasFatalFailure()) return;
    hub_ = Connect(council_);
    ASSERT_TRUE(EnsureStream(*hub_, council_, true).ok());
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

TEST_F(TenantTest, WhatItHasNotFetchedOfWhatEndedIsPassedOverAndWhatStandsBehindIsNot) {
  const std::vector<std::string> ended = {"coproduction.*.Ended", "coproduction.*.Never"};
  auto made = [&] { return TextAt(*hub_->Api("CONSUMER.INFO.wcc.wcc"), "created"); };
  ASSERT_TRUE(PublishForeign(*hub_, "2", "coproduction.other.Ended").ok());
  ASSERT_TRUE(PublishForeign(*hub_, "3").ok());
  ASSERT_TRUE(PublishForeign(*hub_, "4").ok());
  Status passed = PassOver(*hub_, "wcc", "wcc", ended);
  ASSERT_TRUE(passed.ok()) << passed;
  EXPECT_TRUE(Fetches("coproduction.other.Event"));
  EXPECT_TRUE(Acknowledged(3));
  // Of what it has taken, or was never sent, there is nothing to pass over.
  const std::string before = made();
  ASSERT_TRUE(PassOver(*hub_, "wcc", "wcc", ended).ok());
  EXPECT_EQ(made(), before);
  EXPECT_TRUE(Fetches("coproduction.other.Event"));
  EXPECT_TRUE(Acknowledged(4));
}

// Several relays come back to a server that lost the end of a stream. One of them publishes while
// another is still at setting the durables back.
TEST_F(NatsTest, ADurableThatIsSetBackDoesNotPassOverWhatIsPublishedMeanwhile) {
  auto connection = Connect(services_);
  ASSERT_TRUE(EnsureStream(*connection, services_, true).ok());
  std::vector<std::string> durables;
  for (int i = 100; i < 200; ++i) {
    durables.push_back(absl::StrCat("d", i));
    ASSERT_TRUE(EnsureDurable(*connection, "services", durables.back()).ok());
  }
  ASSERT_TRUE(PublishForeign(*connection, "1").ok());
  const std::string messages = nats_->store() + "/jetstream/HUB/streams/services/msgs";
  const std::string copy = nats_->folder() + "/copy";
  nats_->Stop();
  std::filesystem::copy(messages, copy, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(nats_->Resume().ok());
  connection = Connect(services_);
  ASSERT_TRUE(PublishForeign(*connection, "2").ok());
  ASSERT_TRUE(PublishForeign(*connection, "3").ok());
  auto inbox = connection->OpenInbox();
  ASSERT_TRUE(inbox.ok());
  for (const std::string& durable : durables) {
    ASSERT_TRUE(connection
                    ->Publish("$JS.API.CONSUMER.MSG.NEXT.services." + durable, inbox->Subject("1"),
                              R"({"batch":3})")
                    .ok());
    for (int i = 0; i < 3; ++i) {
      auto message = inbox->Next(10 * kSecond);
      ASSERT_TRUE(message.ok() && *message != nullptr);
      ASSERT_TRUE(connection->Publish(natsMsg_GetReply(message->get()), "", "+ACK").ok());
    }
  }
  auto info = [&](const std::string& durable) {
    return connection->Api("CONSUMER.INFO.services." + durable)
        .value_or(google::protobuf::Struct());
  };
  for (const std::string& durable : durables) {
    ASSERT_TRUE(Until([&] { return NumberAt(info(durable), "ack_floor.stream_seq") == 3; }));
  }
  nats_->Stop();
  std::filesystem::remove_all(messages);
  std::filesystem::rename(copy, messages);
  ASSERT_TRUE(nats_->Resume().ok());
  connection = Connect(services_);
  auto set_back = [&](const std::string& durable) {
    return TextAt(info(durable), "config.deliver_policy") == "by_start_sequence";
  };
  auto other = Connect(services_);
  Status rewound;
  std::thread rewinds([&] { rewound = RewindDurables(*other, "services", true); });
  // A server that is stopped may forget how far a durable is; such a one is not ahead.
  EXPECT_TRUE(Until([&] { return set_back(durables[0]) || set_back(durables[1]); }));
  EXPECT_TRUE(PublishForeign(*connection, "4").ok());
  EXPECT_FALSE(set_back(durables.back()));  // it came in the middle
  rewinds.join();
  ASSERT_TRUE(rewound.ok()) << rewound;
  for (const std::string& durable : durables) {
    EXPECT_GE(NumberAt(info(durable), "num_pending"), 1) << durable;
  }
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
  EXPECT_TRUE(EnsureStream(*Connect(receiver), receiver, true).ok());
}

RC_GTEST_PROP(Header, EveryTextTravels, (const std::string& text)) {
  std::string header = ToHeader(text + "Nats-Msg-Id" + text);
  RC_ASSERT(header.find("Nats-Msg-Id") == std::string::npos);
  RC_ASSERT(std::all_of(header.begin(), header.end(), [](char c) { return c > ' ' && c <= '~'; }));
  RC_ASSERT(FromHeader(header) == text + "Nats-Msg-Id" + text);
}

}  // namespace
}  // namespace hub::events
