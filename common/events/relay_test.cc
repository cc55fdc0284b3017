// What is committed is sent: once, in the order of each aggregate.
#include "common/events/relay.h"

#include <atomic>

#include "common/events/relay_test.h"

namespace hub::events {
namespace {

ON_BOTH_DATABASES(RelayTest);

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
  const std::string held = "forums/warwickshire/members/held";
  Add(council_, {{.aggregate = held, .n = 1, .held_until = 1},
                 {.aggregate = held, .n = 2},
                 {.aggregate = "forums/warwickshire/members/other", .n = 1}});
  Start({council_});
  ASSERT_TRUE(Until([&] { return Size(council_) == 1; }));
  EXPECT_EQ(Stream(council_)[0].headers["ce-subject"], "forums/warwickshire/members/other");
  EndDay();
  AllSent();
  ExpectOnceInOrder(council_, 3);
}

// An agreement may have ended while the service was down.
TEST_P(RelayTest, APartnerIsSentNothingBeforeTheServiceHasTakenWhatItWasTold) {
  std::atomic<int> asked = 0;
  std::atomic<bool> informed = false;
  AddSome(services_, 1);
  AddSome(council_, 1);
  Relay::Options options;
  options.informed = [&] {
    ++asked;
    return informed.load();
  };
  Start({services_, council_}, options);
  ASSERT_TRUE(Until([&] { return asked > 2 && Size(services_) == 1; }));
  EXPECT_EQ(Size(council_), 0);
  informed = true;
  AllSent();
  ExpectOnceInOrder(council_, 1);
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

// More than are taken up at a time, of each kind: unreadable ones, and one aggregate's that wait
// for one which is held back.
TEST_P(RelayTest, AnyNumberThatCannotBeSentHoldsUpNoOther) {
  const std::string held = "forums/w/members/held";
  std::vector<Event> stuck(1300);
  stuck[0] = {.aggregate = held, .n = 1, .held_until = 1};
  for (int i = 1; i < 1300; ++i) {
    stuck[i] = i < 650 ? Event{.aggregate = held, .n = i + 1}
                       : Event{.aggregate = absl::StrCat("forums/w/members/", i),
                               .type = "coproduction.none.v1.Gone"};
  }
  Add(council_, stuck);
  AddSome(council_, 600, 3);
  Start({council_});
  EXPECT_TRUE(Until([&] { return Size(council_) == 600; }));
  AddSome(council_, 10, 3);
  relay_->Wake();
  EXPECT_TRUE(Until([&] { return relay_->Unsent().value_or(-1) == 1299; }));
  EXPECT_EQ(Size(council_), 610);
  EXPECT_TRUE(Until([&] {
    auto problems = relay_->Problems();
    return problems.size() == 1 && problems[0].find("Gone") != std::string::npos;
  }));

  Change([](db::Conn& conn) {
    return conn.Exec("UPDATE payloads SET type = $1 WHERE sent_at IS NULL", {std::string(kType)})
        .status();
  });
  EndDay();
  AllSent();
  ExpectOnceInOrder(council_, 1910);
  EXPECT_TRUE(Until([&] { return relay_->Problems().empty(); }));
}

// Two that make one stream at the same moment spoil it on nats-server 2.9.10.
TEST_P(RelayTest, OneOfTheRelaysMakesTheStreamAndTheOthersWaitForIt) {
  Relay::Options waits;
  waits.receivers = {council_};
  waits.makes_streams = false;
  Be("scheduling");
  AddSome(council_, 3);
  auto scheduling = StartAnother(waits);
  ASSERT_TRUE(Until([&] { return !scheduling->Problems().empty(); }));
  EXPECT_THAT(scheduling->Problems()[0], HasSubstr("stream wcc"));
  EXPECT_THAT(scheduling->Problems()[0], HasSubstr("membership makes it"));
  auto connection = Connect(council_);
  EXPECT_EQ(ReasonOf(connection->Api("STREAM.INFO.wcc").status()), errors::RESOURCE_NOT_FOUND);
  Be(kService);
  Start({council_});
  EXPECT_TRUE(Until([&] { return scheduling->Unsent().value_or(-1) == 0; }));
  EXPECT_TRUE(connection->Api("CONSUMER.INFO.wcc.wcc").ok());
  // Deleted by an administrator, while the one who makes it has nothing to send.
  ASSERT_TRUE(connection->Api("STREAM.DELETE.wcc").ok());
  Be("scheduling");
  AddSome(council_, 1);
  scheduling->Wake();
  EXPECT_TRUE(Until([&] { return scheduling->Unsent().value_or(-1) == 0; }));
  ExpectOnceInOrder(council_, 4);
  EXPECT_TRUE(Until([&] { return scheduling->Problems().empty(); }));
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

TEST_P(RelayTest, WhatIsCommittedIsStillSentWhenItIsStopped) {
  AddSome(services_, 300);  // one after the other
  Start({services_});
  ASSERT_TRUE(Until([&] { return Size(services_) > 0; }));
  relay_.reset();
  EXPECT_EQ(Number("SELECT COUNT(*) FROM payloads WHERE sent_at IS NULL"), 0);
  ExpectOnceInOrder(services_, 300);
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

TEST(EventId, IsTheServiceAndTheRow) {
  EXPECT_EQ(EventId("membership", 0x1f3a), "membership.1f3a");
}

}  // namespace
}  // namespace hub::events
