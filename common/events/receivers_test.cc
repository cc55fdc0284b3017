#include "common/events/receivers.h"

#include <fstream>

#include "common/events/nats_test.h"

namespace hub::events {
namespace {

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
