// The verifier of tokens, fed by libFuzzer: whatever comes, it neither falls nor believes what it
// must not. The first byte says what the rest is: a token as it stands; a header and claims, which
// are then signed well; a change of a good token; a key set.
#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/auth/token.h"
#include "common/base/id.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace hub::auth {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr char kIssuer[] = "https://login.council.example";
constexpr int64_t kNow = 1640000000;
constexpr int64_t kSkew = 60;
constexpr char kOurSecret[33] = "an Ed25519 key that is no secret";
constexpr char kModulus[] =
    "vozPJ98dVqeKUvxV7qO3uMp4NRlOZwfALEsmGbkClQ_gd_wRXCEa3JapAqcd3hfODOaGbSCchbOnrVhvDe5j"
    "fFlJT7lhW5k_HfYQUILabXnjz2ku6YZpcMwlCsHenlmQHHXAVjnWsCy6wYmhUAO7eY9liKX6wya2bHWM8RLj"
    "7TkPKEqpdv26jx40_0m2mOdp9H3oCwT6GmaNd5ngnzqItzjA1yTJQwSkfKZ3z0EzrSuvkNMKt6WJYRBEQ3IY"
    "S3G_Hdl0vGgCHxLcA-HXDLTMoXdTnnzBFtVx7NyICWmycqMggnIAwErcJFDePHzwiYyTnoRi1gHY9kC9edVG"
    "Bqj9mw";

[[noreturn]] void Found(const char* what, const std::string& token) {
  std::fprintf(stderr, "%s: %s\n", what, token.c_str());
  std::abort();
}

void Must(bool holds) {
  if (!holds) Found("set-up", "");
}

// What all runs share: an issuer with a key of each kind.
struct Issuer {
  Issuer() : ec(*Signer::Generate("ec")) {
    ed = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                      reinterpret_cast<const unsigned char*>(kOurSecret), 32);
    Must(ed != nullptr);
    std::string x(32, 0);
    size_t size = x.size();
    Must(EVP_PKEY_get_raw_public_key(ed, reinterpret_cast<unsigned char*>(x.data()), &size) == 1);
    const std::string ours = ec->Jwks();
    const size_t from = ours.find('[') + 1;
    auto set =
        KeySet::FromJwks("{\"keys\":[" + ours.substr(from, ours.rfind(']') - from) +
                         R"(,{"kty":"OKP","crv":"Ed25519","kid":"ed","x":")" + Base64Url(x) +
                         R"("},{"kty":"RSA","kid":"rsa","e":"AQAB","n":")" + kModulus + "\"}]}");
    Must(set.ok());
    keys = *set;
    good = ec->Sign(kIssuer, "officer", kNow * 1000000, 600, {{"name", "x"}});
    Must(keys->Verify(good, kIssuer, kNow * 1000000).ok());
  }

  std::string Signed(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string signature(64, 0);
    size_t size = signature.size();
    Must(EVP_DigestSignInit(context, nullptr, nullptr, nullptr, ed) == 1 &&
         EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                        reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
    EVP_MD_CTX_free(context);
    return text + "." + Base64Url(signature);
  }

  std::unique_ptr<Signer> ec;
  EVP_PKEY* ed = nullptr;
  std::shared_ptr<const KeySet> keys;
  std::string good;
};

// The rules of RFC 8725 and ours, once more and in other words than token.cc has them.
bool Deserved(const std::string& header_json, const std::string& claims_json) {
  Struct header, claims;
  if (!google::protobuf::util::JsonStringToMessage(header_json, &header).ok() ||
      !google::protobuf::util::JsonStringToMessage(claims_json, &claims).ok()) {
    return false;
  }
  auto& named = *header.mutable_fields();
  for (const char* never : {"jwk", "jku", "x5u", "x5c", "crit"}) {
    if (named.contains(never)) return false;
  }
  if (named["alg"].string_value() != "EdDSA" || named["kid"].string_value() != "ed") return false;
  auto& said = *claims.mutable_fields();
  const Value& audience = said["aud"];
  const auto& list = audience.list_value().values();
  if (audience.string_value() != "coproduction-hub" &&
      (list.size() != 1 || list[0].string_value() != "coproduction-hub")) {
    return false;
  }
  const std::string& subject = said["sub"].string_value();
  if (subject.empty() || subject.size() > 255) return false;
  for (const char c : subject) {
    if (c < 32 || c > 126) return false;
  }
  const double expires = said["exp"].number_value();
  return said["iss"].string_value() == kIssuer && expires > kNow - kSkew &&
         said["nbf"].number_value() <= kNow + kSkew && said["iat"].number_value() <= kNow + kSkew;
}

StatusOr<Claims> Verify(const Issuer& issuer, const std::string& token) {
  IssuerOf(token).IgnoreError();
  auto claims = issuer.keys->Verify(token, kIssuer, kNow * 1000000);
  if (claims.ok() && !issuer.keys->Names(token)) Found("believed, but its key is not named", token);
  return claims;
}

void Try(const Issuer& issuer, char how, const std::string& rest) {
  switch (how) {
    case 't':
      if (Verify(issuer, rest).ok() && rest != issuer.good) Found("a forged token", rest);
      return;
    case 's': {
      const size_t end = rest.find('\n');
      if (end == std::string::npos) return;
      const std::string header = rest.substr(0, end), claims = rest.substr(end + 1);
      const std::string token = issuer.Signed(Base64Url(header) + "." + Base64Url(claims));
      if (Verify(issuer, token).ok() && !Deserved(header, claims)) {
        Found("believed", header + " " + claims);
      }
      return;
    }
    case 'c': {  // pairs: where, and what is put there
      std::string token = issuer.good;
      for (size_t i = 0; i + 2 < rest.size(); i += 3) {
        const size_t at =
            (static_cast<unsigned char>(rest[i]) * 256u + static_cast<unsigned char>(rest[i + 1])) %
            token.size();
        token[at] = rest[i + 2];
      }
      if (token != issuer.good && Verify(issuer, token).ok()) Found("a changed token", token);
      return;
    }
    case 'k': {
      auto keys = KeySet::FromJwks(rest);
      if (keys.ok() && (*keys)->Verify(issuer.good, kIssuer, kNow * 1000000).ok()) {
        Found("a set with a key that it cannot have", rest);
      }
      return;
    }
    default:
      return;
  }
}

}  // namespace
}  // namespace hub::auth

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* issuer = new hub::auth::Issuer;
  if (size < 1) return 0;
  hub::auth::Try(*issuer, static_cast<char>(data[0]),
                 std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
