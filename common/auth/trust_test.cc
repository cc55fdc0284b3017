#include "common/auth/trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/auth/authenticator.h"
#include "common/base/clock.h"

namespace hub::auth {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kForum[] = "https://login.forum.example";
constexpr char kCouncil[] = "https://login.council.example";
constexpr char kAddress[] = "https://login.council.example/keys";

// The set of several signers' public keys.
std::string SetOf(const std::vector<const Signer*>& signers) {
  std::string keys;
  for (const Signer* signer : signers) {
    const std::string set = signer->Jwks();
    const size_t from = set.find('[') + 1;
    keys += (keys.empty() ? "" : ",") + set.substr(from, set.rfind(']') - from);
  }
  return "{\"keys\":[" + keys + "]}";
}

// An identity provider that may be away, and counts who asks.
struct Provider {
  std::mutex mutex;
  std::string set;
  bool away = false;
  int asked = 0, same = 0;

  void Say(const std::string& keys) {
    std::lock_guard<std::mutex> lock(mutex);
    set = keys;
  }
  void Away(bool is) {
    std::lock_guard<std::mutex> lock(mutex);
    away = is;
  }
  int Asked() {
    std::lock_guard<std::mutex> lock(mutex);
    return asked;
  }
  StatusOr<Fetched> Answer(const std::string& etag) {
    std::lock_guard<std::mutex> lock(mutex);
    ++asked;
    if (away) return Refuse(errors::TEMPORARILY_UNAVAILABLE, "no route to host");
    const std::string now = std::to_string(std::hash<std::string>()(set));
    if (etag == now) {
      ++same;
      return Fetched{true, "", ""};
    }
    return Fetched{false, set, now};
  }
};

class TrustTest : public ::testing::Test {
 protected:
  TrustTest() {
    char folder[] = "/tmp/trust_test.XXXXXX";
    folder_ = mkdtemp(folder);
    options_.issuers = folder_ + "/issuers.json";
    options_.kept = folder_ + "/fetched";
    options_.fetch = [this](const std::string& url, const std::string&, const std::string& etag) {
      EXPECT_EQ(url, kAddress);
      return provider_.Answer(etag);
    };
    Write("forum.jwks", forum_->Jwks());
    provider_.Say(old_->Jwks());
    List({Entry(kForum, "forums/warwickshire", "forum.jwks"),
          Entry(kCouncil, "forums/warwickshire/partners/wcc", kAddress)});
  }
  ~TrustTest() override { fs::remove_all(folder_); }

  static std::string Entry(const std::string& issuer, const std::string& organisation,
                           const std::string& jwks, const std::string& more = "") {
    return R"({"issuer": ")" + issuer + R"(", "organisation": ")" + organisation +
           R"(", "jwks": ")" + jwks + "\"" + more + "}";
  }
  void List(const std::vector<std::string>& entries) {
    std::string all;
    for (const auto& entry : entries) all += (all.empty() ? "" : ",\n") + entry;
    Write("issuers.json", "{\"issuers\": [" + all + "]}");
  }
  // As an operator's tool does: whole.
  void Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ + "/next") << content;
    fs::rename(folder_ + "/next", folder_ + "/" + name);
  }
  void Start() {
    auto opened = Trust::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    trust_ = std::move(*opened);
    authenticator_ = std::make_unique<Authenticator>(trust_, inside_);
    authenticator_->SetDirectory(
        [](const std::string&, const std::string&) -> StatusOr<std::vector<Grant>> {
          return std::vector<Grant>{{options::CHAIR, "warwickshire", "", ""},
                                    {options::FACILITATOR, "warwickshire", "wcc", ""}};
        });
  }
  std::string TokenOf(const Signer& signer, const std::string& issuer) {
    return signer.Sign(issuer, "somebody-" + std::to_string(++minted_), MachineNow(), 600);
  }
  Status Call(const std::string& token) { return authenticator_->Verify(token).status(); }
  Status Call(const Signer& signer, const std::string& issuer) {
    return Call(TokenOf(signer, issuer));
  }
  static bool Within(const std::function<bool()>& holds) {
    for (int i = 0; i < 500 && !holds(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return holds();
  }
  std::string Kept() const { return fs::directory_iterator(options_.kept)->path().string(); }

  std::string folder_;
  Trust::Options options_;
  Provider provider_;
  std::unique_ptr<Signer> forum_ = *Signer::Generate("forum-1");
  std::unique_ptr<Signer> old_ = *Signer::Generate("council-1");
  std::unique_ptr<Signer> new_ = *Signer::Generate("council-2");
  std::shared_ptr<const Signer> inside_ = *Signer::Generate("scheduling");
  std::shared_ptr<Trust> trust_;
  std::unique_ptr<Authenticator> authenticator_;
  int minted_ = 0;
};

TEST_F(TrustTest, AnIssuerYieldsRolesOfItsOwnOrganisationAlone) {
  Start();
  auto chair = authenticator_->Verify(TokenOf(*forum_, kForum));
  ASSERT_TRUE(chair.ok()) << chair.status();
  EXPECT_TRUE((*chair)->Has(options::CHAIR, "warwickshire"));
  EXPECT_FALSE((*chair)->Has(options::FACILITATOR, "warwickshire"));
  auto officer = authenticator_->Verify(TokenOf(*old_, kCouncil));
  ASSERT_TRUE(officer.ok()) << officer.status();
  EXPECT_FALSE((*officer)->Has(options::CHAIR, "warwickshire"));
  EXPECT_TRUE((*officer)->Has(options::FACILITATOR, "warwickshire"));
  // Nor does the other's key make its tokens.
  EXPECT_EQ(ReasonOf(Call(*forum_, kCouncil)), errors::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(Call(*forum_, "https://else.example")), errors::UNAUTHENTICATED);
}

TEST_F(TrustTest, ANewKeyOfAnAddressCountsAtOnceBesideTheOld) {
  Start();
  EXPECT_TRUE(Call(*old_, kCouncil).ok());
  provider_.Say(SetOf({old_.get(), new_.get()}));
  EXPECT_TRUE(Call(*new_, kCouncil).ok());
  EXPECT_TRUE(Call(*old_, kCouncil).ok());
}

TEST_F(TrustTest, KeysThatNobodyKnowsAskTheAddressOnceInTenSeconds) {
  Start();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ReasonOf(Call(*new_, kCouncil)), errors::UNAUTHENTICATED);
  }
  EXPECT_EQ(provider_.Asked(), 2);  // at the start, and for the first of them
  EXPECT_EQ(provider_.same, 1);     // and then it was told that nothing changed
}

TEST_F(TrustTest, AFileIsReadAgain) {
  Start();
  const std::string token = TokenOf(*forum_, kForum);
  EXPECT_TRUE(Call(token).ok());
  EXPECT_EQ(ReasonOf(Call(*new_, kForum)), errors::UNAUTHENTICATED);
  Write("forum.jwks", new_->Jwks());
  EXPECT_TRUE(Within([&] { return Call(*new_, kForum).ok(); }));
  EXPECT_EQ(ReasonOf(Call(token)), errors::UNAUTHENTICATED);  // though it was known a moment ago
}

TEST_F(TrustTest, WhatCannotBeReadChangesNothing) {
  Start();
  for (const char* text : {"", "{\"keys\": []}", "<html>"}) {
    const int64_t before = trust_->changes();
    Write("forum.jwks", text);
    EXPECT_TRUE(Within([&] { return trust_->changes() > before; }));
    EXPECT_TRUE(Call(*forum_, kForum).ok());
  }
  Write("forum.jwks", new_->Jwks());
  EXPECT_TRUE(Within([&] { return Call(*new_, kForum).ok(); }));
}

TEST_F(TrustTest, AnIssuerIsTakenOffAndPutOnTheList) {
  Start();
  List({Entry(kForum, "forums/warwickshire", "forum.jwks")});
  EXPECT_TRUE(Within([&] { return !Call(*old_, kCouncil).ok(); }));
  EXPECT_EQ(ReasonOf(Call(*old_, kCouncil)), errors::UNAUTHENTICATED);
  List({Entry(kForum, "forums/warwickshire", "forum.jwks"),
        Entry(kCouncil, "forums/warwickshire/partners/wcc", kAddress)});
  EXPECT_TRUE(Within([&] { return Call(*old_, kCouncil).ok(); }));
}

TEST_F(TrustTest, AnAddressThatIsAwayForADayAndNoLonger) {
  Start();
  provider_.Away(true);
  trust_.reset(), authenticator_.reset();
  Start();  // from what was kept
  EXPECT_TRUE(Call(*old_, kCouncil).ok());
  fs::last_write_time(Kept(), fs::file_time_type::clock::now() - std::chrono::hours(23));
  Start();
  EXPECT_TRUE(Call(*old_, kCouncil).ok());
  fs::last_write_time(Kept(), fs::file_time_type::clock::now() - std::chrono::hours(25));
  Start();
  EXPECT_EQ(ReasonOf(Call(*old_, kCouncil)), errors::TEMPORARILY_UNAVAILABLE);
  EXPECT_TRUE(Call(*forum_, kForum).ok());
  provider_.Away(false);
  EXPECT_TRUE(Within([&] { return Call(*old_, kCouncil).ok(); }));
}

TEST_F(TrustTest, AnAddressThatNeverAnsweredMakesItsOwnTokensWait) {
  provider_.Away(true);
  Start();
  EXPECT_EQ(ReasonOf(Call(*old_, kCouncil)), errors::TEMPORARILY_UNAVAILABLE);
  EXPECT_TRUE(Call(*forum_, kForum).ok());
}

TEST_F(TrustTest, WhatIsNoKeySetIsNotKept) {
  Start();
  for (const std::string& text : {std::string("<html>"), std::string("{}")}) {
    provider_.Say(text);
    ASSERT_TRUE(trust_->AskAgain(kCouncil).ok());
    EXPECT_TRUE(Call(*old_, kCouncil).ok());
  }
}

TEST_F(TrustTest, ASpoiltCopyIsAskedForAnew) {
  Start();
  std::ofstream(Kept()) << "spoilt";
  Start();
  EXPECT_TRUE(Call(*old_, kCouncil).ok());
}

TEST_F(TrustTest, ListsThatAreRefused) {
  const auto refusal = [this] {
    auto opened = Trust::Open(options_);
    return opened.ok() ? std::string("accepted") : MessageOf(opened.status());
  };
  const std::string forum = "forums/warwickshire";
  List({Entry(kForum, forum, "forum.jwks"), Entry(kForum, "operator", "forum.jwks")});
  EXPECT_THAT(refusal(), HasSubstr("twice"));
  List({Entry("hub", forum, "forum.jwks")});
  EXPECT_THAT(refusal(), HasSubstr("not 'hub'"));
  List({Entry(kForum, "", "forum.jwks")});
  EXPECT_THAT(refusal(), HasSubstr("an organisation"));
  List({Entry(kForum, forum, "nowhere.jwks")});
  EXPECT_THAT(refusal(), HasSubstr("cannot be read"));
  for (const char* address :
       {"http://login.example/keys", "ftp://login.example/keys", "file:///etc/keys",
        "http://localhost@login.example/keys", "http://localhost.login.example/keys",
        "https://user:word@login.example/keys", "https://"}) {
    List({Entry(kForum, forum, address)});
    EXPECT_THAT(refusal(), HasSubstr("is no address for keys")) << address;
  }
  for (const char* address : {"http://localhost:1/keys", "http://127.0.0.1:1/keys",
                              "http://[::1]:1/keys", "https://login.example/keys"}) {
    EXPECT_TRUE(CheckAddress(address).ok()) << address;
  }
  Write("issuers.json", "[]");
  EXPECT_THAT(refusal(), HasSubstr("is no JSON of the form"));
}

TEST_F(TrustTest, ADevelopmentIssuerInProduction) {
  options_.production = true;
  List({Entry(kForum, "forums/warwickshire", "forum.jwks", R"(, "development": true)")});
  auto opened = Trust::Open(options_);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(MessageOf(opened.status()), HasSubstr("is a development issuer"));
  // Nor does one come in afterwards.
  List({Entry(kForum, "forums/warwickshire", "forum.jwks")});
  Start();
  const int64_t before = trust_->changes();
  List({Entry(kForum, "forums/warwickshire", "forum.jwks"),
        Entry("https://else.example", "operator", "forum.jwks", R"(, "development": true)")});
  EXPECT_TRUE(Within([&] { return trust_->changes() > before; }));
  EXPECT_EQ(ReasonOf(Call(*forum_, "https://else.example")), errors::UNAUTHENTICATED);
  EXPECT_TRUE(Call(*forum_, kForum).ok());
}

// ---- services ----

class ServicesTest : public TrustTest {
 protected:
  std::string TokenOf(const Signer& signer, const std::string& service) {
    return signer.Sign(kInsideIssuer, service, MachineNow(), 60,
                       {{"act_iss", kInsideIssuer}, {"act_sub", service}});
  }
  std::unique_ptr<Signer> engagement_ = *Signer::Generate("engagement.2");
  std::unique_ptr<Signer> all_ = *Signer::Generate("hub");
};

TEST_F(ServicesTest, WithoutAListWhoeverHasTheKey) {
  Start();
  EXPECT_NE(authenticator_->Known(TokenOf(*inside_, "engagement")), nullptr);
  EXPECT_EQ(authenticator_->Known(TokenOf(*engagement_, "engagement")), nullptr);
}

TEST_F(ServicesTest, AServiceSpeaksForItselfAlone) {
  options_.services = folder_ + "/services.jwks";
  Write("services.jwks", SetOf({inside_.get(), engagement_.get(), all_.get()}));
  Start();
  auto scheduling = authenticator_->Known(TokenOf(*inside_, "scheduling"));
  ASSERT_NE(scheduling, nullptr);
  EXPECT_EQ(scheduling->service, "scheduling");
  EXPECT_NE(authenticator_->Known(TokenOf(*engagement_, "engagement")), nullptr);
  EXPECT_EQ(ReasonOf(Call(TokenOf(*inside_, "engagement"))), errors::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(Call(TokenOf(*engagement_, "engagement.2"))), errors::UNAUTHENTICATED);
  EXPECT_NE(authenticator_->Known(TokenOf(*all_, "remuneration")), nullptr);
}

TEST_F(ServicesTest, OneThatIsTakenOffTheListIsRefusedThoughItWasKnown) {
  options_.services = folder_ + "/services.jwks";
  Write("services.jwks", SetOf({inside_.get(), engagement_.get()}));
  Start();
  const std::string token = TokenOf(*engagement_, "engagement");
  EXPECT_NE(authenticator_->Known(token), nullptr);
  List({"broken"});  // a mistake beside it keeps nobody in
  Write("services.jwks", SetOf({inside_.get()}));
  EXPECT_TRUE(Within([&] { return authenticator_->Known(token) == nullptr; }));
  EXPECT_EQ(ReasonOf(Call(token)), errors::UNAUTHENTICATED);
  EXPECT_NE(authenticator_->Known(TokenOf(*inside_, "scheduling")), nullptr);
}

TEST_F(ServicesTest, NoServiceActsForAnIssuerThatIsNotThere) {
  Start();
  EXPECT_EQ(
      ReasonOf(Call(inside_->Sign(kInsideIssuer, "scheduling", MachineNow(), 60,
                                  {{"act_iss", "https://else.example"}, {"act_sub", "chair"}}))),
      errors::UNAUTHENTICATED);
  auto acting = authenticator_->Verify(inside_->Sign(kInsideIssuer, "scheduling", MachineNow(), 60,
                                                     {{"act_iss", kForum}, {"act_sub", "c"}}));
  ASSERT_TRUE(acting.ok());
  EXPECT_EQ((*acting)->service, "scheduling");
  EXPECT_TRUE((*acting)->Has(options::CHAIR, "warwickshire"));
  EXPECT_FALSE((*acting)->Has(options::FACILITATOR, "warwickshire"));
}

}  // namespace
}  // namespace hub::auth
