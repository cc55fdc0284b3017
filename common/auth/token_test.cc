#include "common/auth/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/id.h"
#include "common/privacy/seal.h"

namespace hub::auth {
namespace {

using privacy::Handle;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using Memory = Handle<BIO, BIO_free_all>;

constexpr char kIssuer[] = "https://login.council.example/realms/staff";
constexpr int64_t kNow = 1640000000;
constexpr Micros kMachineNow = kNow * 1000000;

// Members of a JSON object: names to values as they are written. An empty value leaves one out.
using Members = std::map<std::string, std::string>;

std::string Json(const Members& members) {
  std::vector<std::string> written;
  for (const auto& [name, value] : members) {
    if (!value.empty()) written.push_back(absl::StrCat("\"", name, "\":", value));
  }
  return absl::StrCat("{", absl::StrJoin(written, ","), "}");
}

std::string Quoted(const std::string& text) { return absl::StrCat("\"", text, "\""); }

Members With(Members members, const Members& changes) {
  for (const auto& [name, value] : changes) members[name] = value;
  return members;
}

Members GoodClaims() {
  return {{"iss", Quoted(kIssuer)},
          {"sub", Quoted("f81d4fae|m.o'brien@council.example")},
          {"aud", Quoted(kAudience)},
          {"exp", absl::StrCat(kNow + 300)}};
}

unsigned char* Out(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* In(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string Number(const EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  Handle<BIGNUM, BN_free> owned(number);
  std::string bytes(size > 0 ? size : BN_num_bytes(number), '\0');
  BN_bn2binpad(number, Out(bytes), static_cast<int>(bytes.size()));
  return Base64Url(bytes);
}

// An issuer's key pair, with a signing of its own, apart from the code under test.
struct Pair {
  std::string kid;
  std::string algorithm;
  KeyHandle key;

  Members Jwk() const {
    if (algorithm == "ES256") {
      return {{"kty", Quoted("EC")},
              {"crv", Quoted("P-256")},
              {"kid", Quoted(kid)},
              {"x", Quoted(Number(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32))},
              {"y", Quoted(Number(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32))}};
    }
    if (algorithm == "EdDSA") {
      std::string x(32, '\0');
      size_t size = x.size();
      EXPECT_EQ(EVP_PKEY_get_raw_public_key(key.get(), Out(x), &size), 1);
      return {{"kty", Quoted("OKP")},
              {"crv", Quoted("Ed25519")},
              {"kid", Quoted(kid)},
              {"x", Quoted(Base64Url(x))}};
    }
    return {{"kty", Quoted("RSA")},
            {"kid", Quoted(kid)},
            {"alg", algorithm == "PS256" ? Quoted("PS256") : ""},  // RS256 goes without saying
            {"n", Quoted(Number(key.get(), OSSL_PKEY_PARAM_RSA_N, 0))},
            {"e", Quoted(Number(key.get(), OSSL_PKEY_PARAM_RSA_E, 0))}};
  }

  std::string Signature(const std::string& text, const std::string& how,
                        int salt = RSA_PSS_SALTLEN_DIGEST) const {
    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), &options, how == "EdDSA" ? nullptr : "SHA256",
                                    nullptr, nullptr, key.get(), nullptr),
              1);
    if (how == "PS256") {
      EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt);
    }
    std::string signature(EVP_PKEY_get_size(key.get()), '\0');
    size_t size = signature.size();
    EXPECT_EQ(EVP_DigestSign(context.get(), Out(signature), &size, In(text), text.size()), 1);
    signature.resize(size);
    if (how != "ES256") return signature;
    const unsigned char* at = In(signature);
    Handle<ECDSA_SIG, ECDSA_SIG_free> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<int64_t>(signature.size())));
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), Out(raw), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), Out(raw) + 32, 32);
    return raw;
  }

  Members Header() const {
    return {{"alg", Quoted(algorithm)}, {"kid", Quoted(kid)}, {"typ", Quoted("JWT")}};
  }

  std::string Token(const Members& header, const Members& claims) const {
    return Written(Json(header), Json(claims));
  }
  std::string Token(const Members& claims) const { return Token(Header(), claims); }

  // Header and claims as they are written, for what no object can say.
  std::string Written(const std::string& header, const std::string& claims) const {
    std::string text = Base64Url(header) + "." + Base64Url(claims);
    return text + "." + Base64Url(Signature(text, algorithm));
  }
};

std::string SetOf(const std::vector<Members>& jwks) {
  std::vector<std::string> written;
  for (const auto& jwk : jwks) written.push_back(Json(jwk));
  return absl::StrCat("{\"keys\":[", absl::StrJoin(written, ","), "]}");
}

class TokenTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    issuer_ = new Issuer;
    std::string jwks =
        SetOf({issuer_->rsa.Jwk(), issuer_->pss.Jwk(), issuer_->ec.Jwk(), issuer_->ed.Jwk()});
    auto keys = KeySet::FromJwks(jwks);
    ASSERT_TRUE(keys.ok()) << keys.status();
    issuer_->keys = *keys;
  }
  static void TearDownTestSuite() {
    delete issuer_;
    issuer_ = nullptr;
  }

  const Pair& rsa() { return issuer_->rsa; }
  const Pair& pss() { return issuer_->pss; }
  const Pair& ec() { return issuer_->ec; }
  const Pair& ed() { return issuer_->ed; }
  const KeySet& keys() { return *issuer_->keys; }

  StatusOr<Claims> Verify(const std::string& token) {
    return keys().Verify(token, kIssuer, kMachineNow);
  }
  StatusOr<Claims> VerifyClaims(const Members& changes) {
    return Verify(ec().Token(With(GoodClaims(), changes)));
  }

  // The sentence that a token is refused with; nothing of the token stands in it.
  std::string Refusal(const std::string& token) { return Sentence(Verify(token)); }
  std::string RefusalOf(const Members& changes) { return Sentence(VerifyClaims(changes)); }

  static std::string Sentence(const StatusOr<Claims>& verdict) {
    if (verdict.ok()) return "accepted";
    EXPECT_EQ(ReasonOf(verdict.status()), errors::UNAUTHENTICATED);
    EXPECT_EQ(verdict.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(ERR_peek_error(), 0u) << "a refusal left an error for TLS to stumble over";
    return MessageOf(verdict.status());
  }

 private:
  struct Issuer {
    Pair rsa{"rsa-1", "RS256", KeyHandle(EVP_RSA_gen(2048))};
    Pair pss{"pss-1", "PS256", KeyHandle(EVP_RSA_gen(2048))};
    Pair ec{"ec-1", "ES256", KeyHandle(EVP_EC_gen("P-256"))};
    Pair ed{"ed-1", "EdDSA", KeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))};
    std::shared_ptr<const KeySet> keys;
  };
  static inline Issuer* issuer_ = nullptr;
};

// ---- what is accepted ----

TEST_F(TokenTest, GoodTokensOfEachAlgorithm) {
  for (const Pair* pair : {&rsa(), &pss(), &ec(), &ed()}) {
    auto claims = Verify(pair->Token(GoodClaims()));
    ASSERT_TRUE(claims.ok()) << pair->algorithm << ": " << claims.status();
    EXPECT_EQ(claims->issuer, kIssuer);
    EXPECT_EQ(claims->subject, "f81d4fae|m.o'brien@council.example");
    EXPECT_EQ(claims->expires, (kNow + 300) * 1000000);
    EXPECT_THAT(claims->text, IsEmpty());
  }
}

TEST_F(TokenTest, OtherClaimsOfTextAreKept) {
  auto claims = VerifyClaims({{"name", Quoted("Si\xc3\xa2n")},
                              {"jti", Quoted("7")},
                              {"age", "41"},
                              {"groups", "[\"a\"]"},
                              {"email_verified", "true"}});
  ASSERT_TRUE(claims.ok());
  EXPECT_EQ(claims->text,
            (std::map<std::string, std::string>{{"jti", "7"}, {"name", "Si\xc3\xa2n"}}));
}

TEST_F(TokenTest, AnAudienceInAListOfOne) {
  EXPECT_TRUE(VerifyClaims({{"aud", "[\"coproduction-hub\"]"}}).ok());
}

TEST_F(TokenTest, TheHeaderMaySayLessOrOtherHarmlessThings) {
  for (const Members& change :
       {Members{{"typ", ""}}, Members{{"typ", Quoted("at+JWT")}}, Members{{"x5t", Quoted("abc")}},
        Members{{"typ", Quoted("application/at+jwt")}}}) {
    EXPECT_TRUE(Verify(ec().Token(With(ec().Header(), change), GoodClaims())).ok()) << Json(change);
  }
}

TEST_F(TokenTest, AMinuteOfSkewAndNoSecondMore) {
  EXPECT_TRUE(VerifyClaims({{"exp", absl::StrCat(kNow - 59)}}).ok());
  EXPECT_THAT(RefusalOf({{"exp", absl::StrCat(kNow - 60)}}), HasSubstr("has expired"));
  EXPECT_TRUE(VerifyClaims({{"nbf", absl::StrCat(kNow + 60)}}).ok());
  EXPECT_THAT(RefusalOf({{"nbf", absl::StrCat(kNow + 61)}}), HasSubstr("not yet valid"));
  EXPECT_TRUE(VerifyClaims({{"iat", absl::StrCat(kNow + 60)}}).ok());
  EXPECT_THAT(RefusalOf({{"iat", absl::StrCat(kNow + 61)}}), HasSubstr("in the future"));
}

TEST_F(TokenTest, ManyThreadsVerifyWithOneSet) {
  std::vector<std::string> tokens;
  for (const Pair* pair : {&rsa(), &pss(), &ec(), &ed()}) {
    tokens.push_back(pair->Token(GoodClaims()));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(Verify(tokens[i % tokens.size()]).ok());
    });
  }
  for (auto& thread : threads) thread.join();
}

// ---- forged headers ----

TEST_F(TokenTest, AlgNone) {
  for (const char* none : {"none", "None", "NONE", ""}) {
    std::string text = Base64Url(Json({{"alg", Quoted(none)}, {"kid", Quoted("rsa-1")}})) + "." +
                       Base64Url(Json(GoodClaims()));
    EXPECT_THAT(Refusal(text + "."), HasSubstr("alg is not")) << none;
    EXPECT_THAT(Refusal(text), HasSubstr("three parts")) << none;
  }
}

TEST_F(TokenTest, NoSignature) {
  std::string token = ec().Token(GoodClaims());
  EXPECT_THAT(Refusal(token.substr(0, token.rfind('.') + 1)), HasSubstr("signature does not fit"));
}

TEST_F(TokenTest, Hs256KeyedWithThePublicKey) {
  Memory memory(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PUBKEY(memory.get(), rsa().key.get()), 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &data);
  std::string pem(data, size);
  for (const char* alg : {"HS256", "RS256"}) {
    std::string text = Base64Url(Json(With(rsa().Header(), {{"alg", Quoted(alg)}}))) + "." +
                       Base64Url(Json(GoodClaims()));
    EXPECT_NE(Refusal(text + "." + Base64Url(privacy::Hmac(pem, text))), "accepted");
  }
}

TEST_F(TokenTest, AnotherAlgorithmThanTheKeys) {
  const std::vector<std::pair<const Pair*, std::string>> lies = {
      {&rsa(), "ES256"}, {&rsa(), "PS256"}, {&rsa(), "RS512"}, {&pss(), "RS256"},
      {&ec(), "RS256"},  {&ec(), "EdDSA"},  {&ed(), "ES256"},  {&ed(), "eddsa"}};
  for (const auto& [pair, alg] : lies) {
    Members header = With(pair->Header(), {{"alg", Quoted(alg)}});
    EXPECT_THAT(Refusal(pair->Token(header, GoodClaims())), HasSubstr("alg is not")) << alg;
  }
  EXPECT_THAT(Refusal(ec().Token(With(ec().Header(), {{"alg", ""}}), GoodClaims())),
              HasSubstr("alg is not"));
}

// The header tells the truth about the key, but the signature was made by the key's other scheme.
TEST_F(TokenTest, PaddingOfTheOtherRsaScheme) {
  for (const auto& [pair, how] : {std::pair(&rsa(), "PS256"), std::pair(&pss(), "RS256")}) {
    std::string text = Base64Url(Json(pair->Header())) + "." + Base64Url(Json(GoodClaims()));
    EXPECT_THAT(Refusal(text + "." + Base64Url(pair->Signature(text, how))),
                HasSubstr("signature does not fit"));
  }
}

TEST_F(TokenTest, AKeyOrACallInTheTokensOwnHeader) {
  Pair attacker{"ec-1", "ES256", KeyHandle(EVP_EC_gen("P-256"))};
  EXPECT_THAT(Refusal(attacker.Token(GoodClaims())), HasSubstr("signature does not fit"));
  const Members forged = {{"jwk", Json(attacker.Jwk())},
                          {"jku", Quoted("https://attacker.example/jwks")},
                          {"x5u", Quoted("https://attacker.example/cert")},
                          {"x5c", "[\"MIIB\"]"},
                          {"crit", "[\"b64\"]"}};
  for (const auto& [name, value] : forged) {
    Members added = {{name, value}};
    EXPECT_THAT(Refusal(attacker.Token(With(attacker.Header(), added), GoodClaims())),
                HasSubstr(name));
    // Nor does a good signature make up for it.
    EXPECT_THAT(Refusal(ec().Token(With(ec().Header(), added), GoodClaims())), HasSubstr(name));
  }
}

TEST_F(TokenTest, AKidThatIsNotOneOfTheSet) {
  for (const char* kid :
       {"\"ec-2\"", "\"../../x\"", "\"./ec-1\"", "\"ec-1/\"", "\"EC-1\"", "\"ec-1\\u0000\"",
        "\" ec-1\"", "\"ec-1' OR 1=1\"", "\"\"", "1", "null", "[\"ec-1\"]", ""}) {
    EXPECT_THAT(Refusal(ec().Token(With(ec().Header(), {{"kid", kid}}), GoodClaims())),
                HasSubstr("kid names no key"))
        << kid;
  }
}

TEST_F(TokenTest, AnotherKindOfJwt) {
  for (const char* typ : {"\"logout+jwt\"", "\"dpop+jwt\"", "\"secevent+jwt\"", "\"\"", "null"}) {
    EXPECT_THAT(Refusal(ec().Token(With(ec().Header(), {{"typ", typ}}), GoodClaims())),
                HasSubstr("typ"))
        << typ;
  }
}

TEST_F(TokenTest, AHeaderThatIsNotOneObject) {
  for (const char* header : {"", "null", "[]", "\"ES256\"", "{\"alg\":\"ES256\",\"kid\":\"ec-1\"",
                             "{\"alg\":\"ES256\",\"kid\":\"ec-1\"}{}",
                             "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"ec-1\"}",
                             "{\"alg\":\"ES256\",\"kid\":\"x\",\"kid\":\"ec-1\"}",
                             "{\"alg\":\"ES256\",\"kid\":\"ec-1\",\"x\":\"\xff\"}"}) {
    EXPECT_THAT(Refusal(ec().Written(header, Json(GoodClaims()))),
                HasSubstr("header is not one JSON object"))
        << header;
  }
}

TEST_F(TokenTest, NestingWithoutEnd) {
  std::string deep = std::string(2900, '[') + std::string(2900, ']');
  EXPECT_THAT(Refusal(ec().Token(With(ec().Header(), {{"deep", deep}}), GoodClaims())),
              HasSubstr("header is not one JSON object"));
  EXPECT_THAT(RefusalOf({{"deep", deep}}), HasSubstr("claims are not one JSON object"));
}

// ---- changed bytes ----

TEST_F(TokenTest, AnyChangedCharacter) {
  const std::string token = ec().Token(GoodClaims());
  for (size_t i = 0; i < token.size(); ++i) {
    for (char c : {'A', 'B', '.', '='}) {
      std::string changed = token;
      changed[i] = c;
      EXPECT_TRUE(changed == token || Refusal(changed) != "accepted") << i << c;
    }
    EXPECT_NE(Refusal(token.substr(0, i)), "accepted") << i;
  }
}

TEST_F(TokenTest, AChangedBitOfTheClaims) {
  for (const Pair* pair : {&rsa(), &pss(), &ec(), &ed()}) {
    std::string token = pair->Token(GoodClaims());
    std::string other = pair->Token(With(GoodClaims(), {{"sub", Quoted("admin")}}));
    size_t first = token.find('.'), last = token.rfind('.');
    std::string mixed = other.substr(0, other.rfind('.')) + token.substr(last);
    EXPECT_THAT(Refusal(mixed), HasSubstr("signature does not fit")) << pair->algorithm;
    std::string claims;
    ASSERT_TRUE(FromBase64Url(token.substr(first + 1, last - first - 1), &claims));
    claims[claims.size() / 2] = static_cast<char>(claims[claims.size() / 2] ^ 1);
    EXPECT_THAT(Refusal(token.substr(0, first + 1) + Base64Url(claims) + token.substr(last)),
                HasSubstr("signature does not fit"))
        << pair->algorithm;
  }
}

TEST_F(TokenTest, SignaturesOfAnotherLength) {
  for (const Pair* pair : {&rsa(), &pss(), &ec(), &ed()}) {
    std::string token = pair->Token(GoodClaims());
    std::string text = token.substr(0, token.rfind('.')), raw;
    ASSERT_TRUE(FromBase64Url(token.substr(text.size() + 1), &raw));
    for (const std::string& other :
         {raw + '\0', '\0' + raw, raw.substr(1), raw.substr(0, raw.size() - 1), raw + raw,
          std::string(1, '0')}) {
      EXPECT_THAT(Refusal(text + "." + Base64Url(other)), HasSubstr("signature does not fit"))
          << pair->algorithm << " " << other.size();
    }
    EXPECT_THAT(Refusal(text + "." + Base64Url(std::string(raw.size(), '\0'))),
                HasSubstr("signature does not fit"))
        << pair->algorithm << ": all zero, for ES256 r = s = 0";
  }
}

// A number that begins with a zero byte would be the same number without it.
TEST_F(TokenTest, ASignatureWithoutItsLeadingZero) {
  for (const auto& [pair, at] :
       {std::pair(&rsa(), 0), std::pair(&pss(), 0), std::pair(&ec(), 32)}) {
    std::string text, raw;
    for (int i = 0; raw.empty() || raw[at] != 0; ++i) {  // one in 256
      text = Base64Url(Json(pair->Header())) + "." +
             Base64Url(Json(With(GoodClaims(), {{"nonce", absl::StrCat(i)}})));
      raw = pair->Signature(text, pair->algorithm);
    }
    EXPECT_TRUE(Verify(text + "." + Base64Url(raw)).ok());
    EXPECT_THAT(Refusal(text + "." + Base64Url(raw.erase(at, 1))),
                HasSubstr("signature does not fit"))
        << pair->algorithm;
  }
}

// RFC 7518 3.5: the salt is as long as the digest.
TEST_F(TokenTest, APssSaltOfAnotherLength) {
  std::string text = Base64Url(Json(pss().Header())) + "." + Base64Url(Json(GoodClaims()));
  for (int salt : {0, 20, 31, 33, RSA_PSS_SALTLEN_MAX}) {
    EXPECT_THAT(Refusal(text + "." + Base64Url(pss().Signature(text, "PS256", salt))),
                HasSubstr("signature does not fit"))
        << salt;
  }
}

// ES256 in DER, as OpenSSL makes it and RFC 7518 does not.
TEST_F(TokenTest, AnEcdsaSignatureInDer) {
  std::string text = Base64Url(Json(ec().Header())) + "." + Base64Url(Json(GoodClaims()));
  Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, ec().key.get());
  std::string der(80, '\0');
  size_t size = der.size();
  ASSERT_EQ(EVP_DigestSign(context.get(), Out(der), &size, In(text), text.size()), 1);
  EXPECT_THAT(Refusal(text + "." + Base64Url(der.substr(0, size))),
              HasSubstr("signature does not fit"));
}

TEST_F(TokenTest, AnotherSpellingOfTheSameBytes) {
  std::string token = rsa().Token(GoodClaims());
  for (const std::string& spelled :
       {token + "=", token + "==", token + "\n", " " + token, token + ".", token + ".x",
        "Bearer " + token,
        token.substr(0, token.find('.')) + "=" + token.substr(token.find('.'))}) {
    EXPECT_THAT(Refusal(spelled), HasSubstr("three parts"));
  }
  // 256 bytes leave four unused bits in the last character.
  std::string loose = token;
  loose.back() = loose.back() == 'A' ? 'B' : static_cast<char>(loose.back() + 1);
  EXPECT_THAT(Refusal(loose), HasSubstr("three parts"));
}

TEST_F(TokenTest, NineKibibytes) {
  Members claims = With(GoodClaims(), {{"x", Quoted(std::string(5800, 'x'))}});
  EXPECT_TRUE(Verify(ec().Token(claims)).ok());
  claims["x"] = Quoted(std::string(9 * 1024 * 3 / 4, 'x'));
  EXPECT_GT(ec().Token(claims).size(), 9 * 1024u);
  EXPECT_THAT(Refusal(ec().Token(claims)), HasSubstr("longer than 8192 bytes"));
  EXPECT_THAT(Refusal(std::string(kMaxTokenBytes + 1, '.')), HasSubstr("longer than 8192 bytes"));
}

TEST_F(TokenTest, TheSentenceDoesNotRepeatTheToken) {
  const std::string mark = "zqxjk";
  for (const Members& header : {Members{{"alg", Quoted(mark)}}, Members{{"kid", Quoted(mark)}},
                                Members{{"typ", Quoted(mark)}}, Members{{"jku", Quoted(mark)}}}) {
    EXPECT_THAT(Refusal(ec().Token(With(ec().Header(), header), GoodClaims())),
                Not(HasSubstr(mark)));
  }
  for (const char* claim : {"iss", "aud", "exp", "nbf", "iat"}) {
    EXPECT_THAT(RefusalOf({{claim, Quoted(mark)}}), Not(HasSubstr(mark)));
  }
}

// ---- claims ----

TEST_F(TokenTest, WrongIssuer) {
  for (const char* iss : {"\"https://attacker.example\"", "\"\"", "", "null", "1",
                          "[\"https://login.council.example/realms/staff\"]",
                          "\"https://login.council.example/realms/staff/\""}) {
    EXPECT_THAT(RefusalOf({{"iss", iss}}), HasSubstr("iss is not")) << iss;
  }
  EXPECT_THAT(
      Sentence(keys().Verify(ec().Token(With(GoodClaims(), {{"iss", "\"\""}})), "", kMachineNow)),
      HasSubstr("iss is not"));
}

TEST_F(TokenTest, WrongAudience) {
  for (const char* aud :
       {"", "null", "\"\"", "\"account\"", "\"coproduction-hub \"", "\"Coproduction-Hub\"", "[]",
        "[\"account\"]", "[\"coproduction-hub\",\"account\"]",
        "[\"coproduction-hub\",\"coproduction-hub\"]", "[[\"coproduction-hub\"]]",
        "{\"coproduction-hub\":true}"}) {
    EXPECT_THAT(RefusalOf({{"aud", aud}}), HasSubstr("aud is not")) << aud;
  }
}

TEST_F(TokenTest, NoSubject) {
  for (const std::string& sub :
       {std::string(), std::string("null"), std::string("\"\""), std::string("7"),
        Quoted(std::string(256, 'a')), Quoted("Si\xc3\xa2n"), Quoted("a\\nb"), Quoted("a\\u0000b"),
        Quoted("a\\u007fb"), std::string("[\"a\"]")}) {
    EXPECT_THAT(RefusalOf({{"sub", sub}}), HasSubstr("sub is not")) << sub;
  }
  EXPECT_TRUE(VerifyClaims({{"sub", Quoted(std::string(255, 'a'))}}).ok());
}

TEST_F(TokenTest, Expired) {
  EXPECT_THAT(RefusalOf({{"exp", absl::StrCat(kNow - 3600)}}), HasSubstr("has expired"));
  EXPECT_THAT(RefusalOf({{"exp", "0"}}), HasSubstr("has expired"));
}

TEST_F(TokenTest, NotYetValid) {
  EXPECT_THAT(RefusalOf({{"nbf", absl::StrCat(kNow + 3600)}}), HasSubstr("not yet valid"));
}

TEST_F(TokenTest, TimesThatAreNotWholeSeconds) {
  for (const char* time : {"null", "\"1640000300\"", "1640000300.5", "-1", "-1e300", "1e300",
                           "true", "[1640000300]", "1640000300000", "253402300800"}) {
    for (const char* name : {"exp", "nbf", "iat"}) {
      EXPECT_THAT(RefusalOf({{name, time}}), HasSubstr(absl::StrCat(name, " is "))) << time;
    }
  }
  EXPECT_THAT(RefusalOf({{"exp", ""}}), HasSubstr("exp is missing"));
  EXPECT_TRUE(VerifyClaims({{"exp", "253402300799"}, {"nbf", "0"}, {"iat", "0"}}).ok());
}

TEST_F(TokenTest, ClaimsThatAreNotOneObject) {
  std::string twice = Json(GoodClaims());
  twice.insert(1, "\"sub\":\"admin\",");
  for (const std::string& claims :
       {std::string(), std::string("[]"), std::string("null"), Json(GoodClaims()) + "{}", twice}) {
    EXPECT_THAT(Refusal(ec().Written(Json(ec().Header()), claims)),
                HasSubstr("claims are not one JSON object"));
  }
}

TEST_F(TokenTest, TooManyClaimsOfText) {
  Members claims = GoodClaims();
  for (int i = 0; i < 32; ++i) claims[absl::StrCat("c", i)] = Quoted("x");
  auto verdict = Verify(ec().Token(claims));
  ASSERT_TRUE(verdict.ok());
  EXPECT_EQ(verdict->text.size(), 32u);
  claims["c32"] = Quoted("x");
  EXPECT_THAT(Refusal(ec().Token(claims)), HasSubstr("more than 32"));
}

// ---- key sets ----

class JwksTest : public TokenTest {
 protected:
  static std::string RefusalOfSet(const std::string& jwks) {
    auto keys = KeySet::FromJwks(jwks);
    if (keys.ok()) return "accepted";
    EXPECT_EQ(ReasonOf(keys.status()), errors::INVALID_FIELD);
    EXPECT_EQ(ERR_peek_error(), 0u);
    return MessageOf(keys.status());
  }
};

TEST_F(JwksTest, ANewKeyBesideTheOldAndThenAlone) {
  Pair next{"ec-2", "ES256", KeyHandle(EVP_EC_gen("P-256"))};
  std::string old_token = ec().Token(GoodClaims()), new_token = next.Token(GoodClaims());
  auto both = KeySet::FromJwks(SetOf({ec().Jwk(), next.Jwk()}));
  ASSERT_TRUE(both.ok());
  EXPECT_TRUE((*both)->Verify(old_token, kIssuer, kMachineNow).ok());
  EXPECT_TRUE((*both)->Verify(new_token, kIssuer, kMachineNow).ok());
  auto alone = KeySet::FromJwks(SetOf({next.Jwk()}));
  ASSERT_TRUE(alone.ok());
  EXPECT_THAT(Sentence((*alone)->Verify(old_token, kIssuer, kMachineNow)),
              HasSubstr("kid names no key"));
  EXPECT_TRUE((*alone)->Verify(new_token, kIssuer, kMachineNow).ok());
}

TEST_F(JwksTest, APrivateKeyInTheSet) {
  for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    EXPECT_THAT(RefusalOfSet(SetOf({rsa().Jwk(), With(ec().Jwk(), {{secret, Quoted("AQAB")}})})),
                HasSubstr("private or secret key"));
  }
  EXPECT_THAT(RefusalOfSet(SetOf({{{"kty", Quoted("oct")}, {"k", Quoted("c2VjcmV0")}}})),
              HasSubstr("private or secret key"));
}

TEST_F(JwksTest, KeysForOtherUsesAreLeftOut) {
  for (const Members& change :
       {Members{{"use", Quoted("enc")}}, Members{{"use", "1"}},
        Members{{"key_ops", "[\"wrapKey\"]"}}, Members{{"key_ops", Quoted("verify")}},
        Members{{"alg", Quoted("RSA-OAEP")}}, Members{{"alg", Quoted("RS512")}},
        Members{{"alg", Quoted("ES256")}}, Members{{"alg", "1"}}, Members{{"kty", Quoted("rsa")}},
        Members{{"kty", Quoted("AKP")}}, Members{{"kty", ""}}}) {
    std::string jwks = SetOf({ec().Jwk(), With(rsa().Jwk(), change)});
    auto keys = KeySet::FromJwks(jwks);
    ASSERT_TRUE(keys.ok()) << jwks;
    EXPECT_THAT(Sentence((*keys)->Verify(rsa().Token(GoodClaims()), kIssuer, kMachineNow)),
                HasSubstr("kid names no key"))
        << jwks;
    EXPECT_THAT(RefusalOfSet(SetOf({With(rsa().Jwk(), change)})), HasSubstr("has no key"));
  }
  EXPECT_THAT(RefusalOfSet(SetOf({With(ec().Jwk(), {{"crv", Quoted("P-384")}})})),
              HasSubstr("has no key"));
  EXPECT_THAT(RefusalOfSet(SetOf({With(ed().Jwk(), {{"crv", Quoted("X25519")}})})),
              HasSubstr("has no key"));
  EXPECT_EQ(RefusalOfSet(SetOf({With(
                rsa().Jwk(),
                {{"use", Quoted("sig")}, {"key_ops", "[\"verify\"]"}, {"alg", Quoted("RS256")}})})),
            "accepted");
}

TEST_F(JwksTest, KidsThatDoNotNameOneKey) {
  EXPECT_THAT(RefusalOfSet(SetOf({ec().Jwk(), With(rsa().Jwk(), {{"kid", Quoted("ec-1")}})})),
              HasSubstr("two keys have the kid 'ec-1'"));
  for (const char* kid : {"", "\"\"", "1"}) {
    EXPECT_THAT(RefusalOfSet(SetOf({With(ec().Jwk(), {{"kid", kid}})})), HasSubstr("no kid"));
  }
}

TEST_F(JwksTest, WeakOrMalformedKeys) {
  Pair small{"small", "RS256", KeyHandle(EVP_RSA_gen(1024))};
  std::string huge = '\xff' + std::string(1024, '\xff');
  std::string bytes;
  ASSERT_TRUE(FromBase64Url(Number(rsa().key.get(), OSSL_PKEY_PARAM_RSA_N, 0), &bytes));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::string x, y;  // of a good point, cut at another place
  ASSERT_TRUE(FromBase64Url(Number(ec().key.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32), &x));
  ASSERT_TRUE(FromBase64Url(Number(ec().key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32), &y));
  y.insert(y.begin(), x.back());
  x.pop_back();
  const std::vector<Members> bad = {
      small.Jwk(),
      With(rsa().Jwk(), {{"n", Quoted(Base64Url(huge))}}),
      With(rsa().Jwk(), {{"n", Quoted(Base64Url(bytes))}}),  // even
      With(rsa().Jwk(), {{"n", ""}}),
      With(rsa().Jwk(), {{"e", ""}}),
      With(rsa().Jwk(), {{"e", Quoted("AQ")}}),    // 1
      With(rsa().Jwk(), {{"e", Quoted("AAAC")}}),  // 2
      With(rsa().Jwk(), {{"e", Quoted("AQAB=")}}),
      With(rsa().Jwk(), {{"e", Quoted("AQAAAAAAAAAAAQ")}}),
      With(rsa().Jwk(), {{"e", "65537"}}),
      With(ec().Jwk(), {{"y", Quoted(Base64Url(std::string(32, '\1')))}}),  // off the curve
      With(ec().Jwk(), {{"x", Quoted(Base64Url(std::string(32, '\0')))},
                        {"y", Quoted(Base64Url(std::string(32, '\0')))}}),
      With(ec().Jwk(), {{"x", Quoted(Base64Url(std::string(33, '\1')))}}),
      With(ec().Jwk(), {{"x", Quoted(Base64Url(x))}, {"y", Quoted(Base64Url(y))}}),
      With(ec().Jwk(), {{"y", ""}}),
      With(ed().Jwk(), {{"x", Quoted(Base64Url(std::string(31, '\1')))}}),
      With(ed().Jwk(), {{"x", ""}}),
  };
  for (const Members& jwk : bad) {
    EXPECT_THAT(RefusalOfSet(SetOf({jwk})), HasSubstr("malformed or weak")) << Json(jwk);
  }
}

TEST_F(JwksTest, WhatIsNotAKeySet) {
  for (const char* json : {"", "null", "[]", "{}", "<html>"}) {
    EXPECT_THAT(RefusalOfSet(json), HasSubstr("not a JSON object")) << json;
  }
  for (const char* json : {"{\"keys\":[]}", "{\"keys\":{}}", "{\"keys\":[null,1,\"a\"]}"}) {
    EXPECT_THAT(RefusalOfSet(json), HasSubstr("has no key")) << json;
  }
  EXPECT_THAT(RefusalOfSet(SetOf({With(ec().Jwk(), {{"x5c", Quoted(std::string(65536, 'a'))}})})),
              HasSubstr("longer than 65536 bytes"));
}

// ---- IssuerOf ----

TEST_F(TokenTest, IssuerOfReadsWithoutBelieving) {
  auto issuer = IssuerOf(ec().Token(With(GoodClaims(), {{"iss", Quoted("https://b.example")}})));
  ASSERT_TRUE(issuer.ok());
  EXPECT_EQ(*issuer, "https://b.example");
  for (const std::string& bad :
       {std::string(), std::string("a"), std::string("a.b"), std::string("a.b.c.d"),
        std::string("e30.e30.=="), std::string(9216, 'a'), std::string("e30.e30.e30"),
        std::string("e30.W10.e30"), ec().Token(With(GoodClaims(), {{"iss", "1"}}))}) {
    EXPECT_EQ(ReasonOf(IssuerOf(bad).status()), errors::UNAUTHENTICATED) << bad;
  }
}

// ---- Signer ----

class SignerTest : public testing::Test {
 protected:
  SignerTest() : signer_(*Signer::Generate("scheduling-1")), keys_(SetFor(*signer_)) {}

  static std::shared_ptr<const KeySet> SetFor(const Signer& signer) {
    auto keys = KeySet::FromJwks(signer.Jwks());
    EXPECT_TRUE(keys.ok()) << keys.status();
    return *keys;
  }
  static std::string PemOf(EVP_PKEY* key, const EVP_CIPHER* cipher, const std::string& password) {
    Memory memory(BIO_new(BIO_s_mem()));
    EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(memory.get(), key, cipher, password.data(),
                                            static_cast<int>(password.size()), nullptr, nullptr),
              1);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &data);
    return std::string(data, size);
  }

  std::unique_ptr<Signer> signer_;
  std::shared_ptr<const KeySet> keys_;
};

TEST_F(SignerTest, WhatItSignsIsVerified) {
  for (int i = 0; i < 50; ++i) {  // r and s are now and then shorter than 32 bytes
    std::string token =
        signer_->Sign("hub", "scheduling", kMachineNow, 60,
                      {{"for", "people/42"}, {"note", "\"a\" <b>\n\\ Si\xc3\xa2n"}});
    auto claims = keys_->Verify(token, "hub", kMachineNow);
    ASSERT_TRUE(claims.ok()) << claims.status();
    EXPECT_EQ(claims->subject, "scheduling");
    EXPECT_EQ(claims->expires, (kNow + 60) * 1000000);
    EXPECT_EQ(claims->text.at("for"), "people/42");
    EXPECT_EQ(claims->text.at("note"), "\"a\" <b>\n\\ Si\xc3\xa2n");
  }
}

TEST_F(SignerTest, ItsTokensExpire) {
  std::string token = signer_->Sign("hub", "scheduling", kMachineNow, 60);
  EXPECT_TRUE(keys_->Verify(token, "hub", kMachineNow + 119000000).ok());
  EXPECT_FALSE(keys_->Verify(token, "hub", kMachineNow + 120000000).ok());
}

TEST_F(SignerTest, TextNeverReplacesAClaimOfItsOwn) {
  std::string token =
      signer_->Sign("hub", "scheduling", kMachineNow, 60,
                    {{"sub", "admin"}, {"iss", "x"}, {"aud", "x"}, {"exp", "x"}, {"iat", "x"}});
  auto claims = keys_->Verify(token, "hub", kMachineNow);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->subject, "scheduling");
  EXPECT_THAT(claims->text, IsEmpty());
}

TEST_F(SignerTest, ItsPemIsTheSameKey) {
  EXPECT_THAT(signer_->Pem(), HasSubstr("-----BEGIN PRIVATE KEY-----"));
  auto again = Signer::FromPem(signer_->Pem(), "scheduling-1");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->Pem(), signer_->Pem());
  EXPECT_TRUE(keys_->Verify((*again)->Sign("hub", "a", kMachineNow, 60), "hub", kMachineNow).ok());
}

TEST_F(SignerTest, TheJwksHoldsNothingPrivate) {
  EXPECT_THAT(signer_->Jwks(), Not(HasSubstr("\"d\"")));
}

TEST_F(SignerTest, AnotherSignerWithTheSameKidIsNotBelieved) {
  auto other = *Signer::Generate("scheduling-1");
  EXPECT_FALSE(keys_->Verify(other->Sign("hub", "a", kMachineNow, 60), "hub", kMachineNow).ok());
}

TEST_F(SignerTest, PemsThatAreNotASigningKey) {
  KeyHandle p256(EVP_EC_gen("P-256")), p384(EVP_EC_gen("P-384")), rsa(EVP_RSA_gen(2048));
  KeyHandle ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  for (const std::string& pem :
       {std::string(),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        PemOf(p384.get(), nullptr, ""), PemOf(rsa.get(), nullptr, ""), PemOf(ed.get(), nullptr, ""),
        PemOf(p256.get(), EVP_aes_256_cbc(), "password")}) {
    auto signer = Signer::FromPem(pem, "k");
    ASSERT_FALSE(signer.ok());
    EXPECT_EQ(ReasonOf(signer.status()), errors::INVALID_FIELD);
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
  EXPECT_TRUE(Signer::FromPem(PemOf(p256.get(), nullptr, ""), "k").ok());
}

}  // namespace
}  // namespace hub::auth
