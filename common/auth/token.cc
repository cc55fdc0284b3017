#include "common/auth/token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace hub::auth {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using privacy::Handle;

using BigNumber = Handle<BIGNUM, BN_free>;
using EcdsaSignature = Handle<ECDSA_SIG, ECDSA_SIG_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using Memory = Handle<BIO, BIO_free_all>;
using ParamBuilder = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = Handle<OSSL_PARAM, OSSL_PARAM_free>;

constexpr int kSkewSeconds = 60;
constexpr double kLastSecond = 253402300799;  // of the year 9999
constexpr size_t kMaxSubjectBytes = 255;
constexpr size_t kMaxTextClaims = 32;
constexpr int kP256Bytes = 32;  // of a coordinate, of r and of s
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;

// What a failed call leaves in the thread's queue, the next call of TLS on this thread would take
// for its own failure.
struct ErrorsCleared {
  ~ErrorsCleared() { ERR_clear_error(); }
};

Status Refused(const std::string& sentence) { return Refuse(errors::UNAUTHENTICATED, sentence); }

const unsigned char* In(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Out(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// ---- JSON ----

// One object, each name once (protobuf's parser refuses a second).
bool ParseObject(const std::string& json, Struct* object) {
  return google::protobuf::util::JsonStringToMessage(json, object).ok();
}

std::string ToJson(const Struct& object) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(object, &json).ok()) std::abort();
  return json;
}

// The member of that name, or nullptr.
const Value* Member(const Struct& object, const char* name) {
  auto it = object.fields().find(name);
  return it == object.fields().end() ? nullptr : &it->second;
}

// The member of that name if it is a string, or nullptr.
const std::string* Text(const Struct& object, const char* name) {
  const Value* value = Member(object, name);
  return value != nullptr && value->has_string_value() ? &value->string_value() : nullptr;
}

bool HasText(const Struct& object, const char* name, const std::string& expected) {
  const std::string* text = Text(object, name);
  return text != nullptr && *text == expected;
}

void SetText(Struct* object, const char* name, const std::string& text) {
  (*object->mutable_fields())[name].set_string_value(text);
}

// ---- the three parts ----

struct Parts {
  std::string header;
  std::string payload;
  std::string signature;
  std::string signed_text;  // the first two as they stand in the token
};

StatusOr<Parts> Split(const std::string& token) {
  if (token.size() > kMaxTokenBytes) {
    return Refused(absl::StrCat("the token is longer than ", kMaxTokenBytes, " bytes"));
  }
  const size_t first = token.find('.');
  const size_t second = first == std::string::npos ? first : token.find('.', first + 1);
  Parts parts;
  if (second == std::string::npos || !FromBase64Url(token.substr(0, first), &parts.header) ||
      !FromBase64Url(token.substr(first + 1, second - first - 1), &parts.payload) ||
      !FromBase64Url(token.substr(second + 1), &parts.signature)) {
    return Refused("the token is not three parts in base64url without padding");
  }
  parts.signed_text = token.substr(0, second);
  return parts;
}

// ---- keys ----

struct Key {
  std::string kid;
  std::string algorithm;
  KeyHandle handle;
};

BigNumber ToNumber(const std::string& big_endian) {
  return BigNumber(BN_bin2bn(In(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

std::string FromNumber(const BIGNUM* number) {
  std::string bytes(kP256Bytes, '\0');
  if (BN_bn2binpad(number, Out(bytes), kP256Bytes) != kP256Bytes) std::abort();
  return bytes;
}

KeyHandle PublicKey(const char* type, const ParamBuilder& builder) {
  Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return KeyHandle(key);
}

// The bytes of a member in base64url, or empty.
std::string BytesOf(const Struct& jwk, const char* name) {
  const std::string* text = Text(jwk, name);
  std::string bytes;
  if (text == nullptr || !FromBase64Url(*text, &bytes)) bytes.clear();
  return bytes;
}

// The three kinds of key. nullptr if the key is malformed or weak.
KeyHandle RsaKey(const Struct& jwk) {
  BigNumber n = ToNumber(BytesOf(jwk, "n"));
  BigNumber e = ToNumber(BytesOf(jwk, "e"));
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr) return nullptr;
  if (BN_num_bits(n.get()) < kMinRsaBits || BN_num_bits(n.get()) > kMaxRsaBits) return nullptr;
  // With e = 1 everyone can sign; a long e makes checking slow.
  if (!BN_is_odd(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get()) ||
      BN_num_bits(e.get()) > 64) {
    return nullptr;
  }
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return PublicKey("RSA", builder);
}

KeyHandle P256Key(const Struct& jwk) {
  const std::string x = BytesOf(jwk, "x"), y = BytesOf(jwk, "y");
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return nullptr;
  const std::string point = '\4' + x + y;  // uncompressed; OpenSSL refuses one off the curve
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      SN_X9_62_prime256v1, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return PublicKey("EC", builder);
}

KeyHandle Ed25519Key(const Struct& jwk) {
  const std::string x = BytesOf(jwk, "x");
  return KeyHandle(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, In(x), x.size()));
}

// The algorithm that the key is for, or empty if it is none of ours. Source: RFC 7518 6, RFC
// 8037 2.
std::string AlgorithmOf(const Struct& jwk) {
  if (const Value* use = Member(jwk, "use"); use != nullptr && use->string_value() != "sig") {
    return "";
  }
  if (const Value* operations = Member(jwk, "key_ops")) {
    bool verifies = false;
    for (const Value& operation : operations->list_value().values()) {
      verifies = verifies || operation.string_value() == "verify";
    }
    if (!verifies) return "";
  }
  std::string of_the_kind;
  if (HasText(jwk, "kty", "RSA")) {
    of_the_kind = HasText(jwk, "alg", "PS256") ? "PS256" : "RS256";
  } else if (HasText(jwk, "kty", "EC") && HasText(jwk, "crv", "P-256")) {
    of_the_kind = "ES256";
  } else if (HasText(jwk, "kty", "OKP") && HasText(jwk, "crv", "Ed25519")) {
    of_the_kind = "EdDSA";
  }
  return Member(jwk, "alg") == nullptr || HasText(jwk, "alg", of_the_kind) ? of_the_kind : "";
}

KeyHandle KeyFor(const std::string& algorithm, const Struct& jwk) {
  if (algorithm == "ES256") return P256Key(jwk);
  if (algorithm == "EdDSA") return Ed25519Key(jwk);
  return RsaKey(jwk);
}

// ---- signatures ----

// r||s of RFC 7518 3.4 to the DER that OpenSSL reads. Empty if it is not 64 bytes.
std::string ToDer(const std::string& raw) {
  if (raw.size() != size_t{2} * kP256Bytes) return "";
  EcdsaSignature signature(ECDSA_SIG_new());
  BigNumber r = ToNumber(raw.substr(0, kP256Bytes)), s = ToNumber(raw.substr(kP256Bytes));
  if (signature == nullptr || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return "";
  r.release(), s.release();  // the signature owns them now
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return "";
  std::string bytes(reinterpret_cast<char*>(der), size);
  OPENSSL_free(der);
  return bytes;
}

std::string FromDer(const std::string& der) {
  const unsigned char* at = In(der);
  EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<int64_t>(der.size())));
  if (signature == nullptr) std::abort();
  return FromNumber(ECDSA_SIG_get0_r(signature.get())) +
         FromNumber(ECDSA_SIG_get0_s(signature.get()));
}

bool Fits(const Key& key, const std::string& text, const std::string& raw) {
  const ErrorsCleared cleared;
  std::string signature = raw;
  if (key.algorithm == "ES256") {
    signature = ToDer(raw);
    if (signature.empty()) return false;
  } else if (raw.size() != static_cast<size_t>(EVP_PKEY_get_size(key.handle.get()))) {
    return false;  // one spelling a signature: leading zeros are not dropped
  }
  DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // the context owns it
  const char* digest = key.algorithm == "EdDSA" ? nullptr : "SHA256";
  if (context == nullptr || EVP_DigestVerifyInit_ex(context.get(), &options, digest, nullptr,
                                                    nullptr, key.handle.get(), nullptr) != 1) {
    return false;
  }
  if (key.algorithm == "PS256" &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), In(signature), signature.size(), In(text), text.size()) ==
         1;
}

// ---- claims ----

// kAudience and nothing else: a token for several audiences could be replayed by any of them.
bool ForUsAlone(const Struct& payload) {
  if (HasText(payload, "aud", kAudience)) return true;
  const Value* audience = Member(payload, "aud");
  return audience != nullptr && audience->list_value().values_size() == 1 &&
         audience->list_value().values(0).string_value() == kAudience;
}

// Whole seconds since 1970, `if_absent` without the claim, -1 if it is anything else.
int64_t Seconds(const Struct& payload, const char* name, int64_t if_absent) {
  const Value* value = Member(payload, name);
  if (value == nullptr) return if_absent;
  const double number = value->has_number_value() ? value->number_value() : -1;
  return number >= 0 && number <= kLastSecond && number == std::floor(number)
             ? static_cast<int64_t>(number)
             : -1;
}

bool IsSubject(const std::string& subject) {
  if (subject.empty() || subject.size() > kMaxSubjectBytes) return false;
  for (unsigned char c : subject) {
    if (!absl::ascii_isprint(c)) return false;
  }
  return true;
}

StatusOr<Claims> ReadClaims(const std::string& json, const std::string& issuer, Micros now) {
  Struct payload;
  if (!ParseObject(json, &payload)) return Refused("the token's claims are not one JSON object");
  if (issuer.empty() || !HasText(payload, "iss", issuer)) {
    return Refused("the token's iss is not the issuer whose keys it was checked with");
  }
  if (!ForUsAlone(payload)) {
    return Refused(absl::StrCat("the token's aud is not ", kAudience, " alone"));
  }
  const std::string* subject = Text(payload, "sub");
  if (subject == nullptr || !IsSubject(*subject)) {
    return Refused(absl::StrCat("the token's sub is not a text of 1 to ", kMaxSubjectBytes,
                                " printable ASCII characters"));
  }
  const int64_t expires = Seconds(payload, "exp", -1);
  const int64_t not_before = Seconds(payload, "nbf", 0);
  const int64_t issued = Seconds(payload, "iat", 0);
  if (expires < 0) return Refused("the token's exp is missing or not a whole number of seconds");
  if (not_before < 0) return Refused("the token's nbf is not a whole number of seconds");
  if (issued < 0) return Refused("the token's iat is not a whole number of seconds");
  constexpr Micros kSecond = 1000000;
  if (now >= (expires + kSkewSeconds) * kSecond) return Refused("the token has expired");
  if (now < (not_before - kSkewSeconds) * kSecond) return Refused("the token is not yet valid");
  if (now < (issued - kSkewSeconds) * kSecond) return Refused("the token was issued in the future");

  Claims claims;
  claims.issuer = issuer;
  claims.subject = *subject;
  claims.expires = expires * kSecond;
  for (const auto& [name, value] : payload.fields()) {
    if (value.has_string_value() && name != "iss" && name != "sub" && name != "aud") {
      claims.text.emplace(name, value.string_value());
    }
  }
  if (claims.text.size() > kMaxTextClaims) {
    return Refused(absl::StrCat("the token has more than ", kMaxTextClaims, " claims of text"));
  }
  return claims;
}

// ---- the key set ----

class Keys : public KeySet {
 public:
  Status Add(const Struct& jwk);
  bool empty() const { return keys_.empty(); }
  StatusOr<Claims> Verify(const std::string& token, const std::string& issuer,
                          Micros machine_now) const override;
  bool Names(const std::string& token) const override;

 private:
  StatusOr<const Key*> Choose(const std::string& header) const;

  std::map<std::string, Key> keys_;  // by kid
};

Status Keys::Add(const Struct& jwk) {
  for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    if (Member(jwk, secret) != nullptr) {
      return InvalidField("jwks", "the key set holds a private or secret key: it is no longer one");
    }
  }
  const std::string algorithm = AlgorithmOf(jwk);
  if (algorithm.empty()) return absl::OkStatus();
  const std::string* kid = Text(jwk, "kid");
  if (kid == nullptr || kid->empty()) {
    return InvalidField("jwks", "a key has no kid, so that no token can name it");
  }
  KeyHandle handle = KeyFor(algorithm, jwk);
  if (handle == nullptr) {
    return InvalidField(
        "jwks", absl::StrCat("the key with the kid '", *kid, "' is malformed or ",
                             "weak; RSA keys have ", kMinRsaBits, " to ", kMaxRsaBits, " bits"));
  }
  if (!keys_.try_emplace(*kid, Key{*kid, algorithm, std::move(handle)}).second) {
    return InvalidField("jwks", absl::StrCat("two keys have the kid '", *kid, "'"));
  }
  return absl::OkStatus();
}

// The key that the header names, if the header asks for nothing that the key does not say.
StatusOr<const Key*> Keys::Choose(const std::string& header) const {
  Struct fields;
  if (!ParseObject(header, &fields)) return Refused("the token's header is not one JSON object");
  for (const char* name : {"jwk", "jku", "x5u", "x5c", "crit"}) {
    if (Member(fields, name) != nullptr) {
      return Refused(absl::StrCat("the token's header has ", name, ", which is never followed"));
    }
  }
  if (const Value* type = Member(fields, "typ")) {  // other kinds of JWT are not for calling us
    const std::string lower = absl::AsciiStrToLower(type->string_value());
    if (lower != "jwt" && lower != "at+jwt" && lower != "application/at+jwt") {
      return Refused("the token's typ is not JWT or at+jwt");
    }
  }
  const std::string* kid = Text(fields, "kid");
  const auto it = kid == nullptr ? keys_.end() : keys_.find(*kid);
  if (it == keys_.end()) return Refused("the token's kid names no key of its issuer");
  if (!HasText(fields, "alg", it->second.algorithm)) {
    return Refused("the token's alg is not the algorithm of its key");
  }
  return &it->second;
}

StatusOr<Claims> Keys::Verify(const std::string& token, const std::string& issuer,
                              Micros machine_now) const {
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  ASSIGN_OR_RETURN(const Key* key, Choose(parts.header));
  if (!Fits(*key, parts.signed_text, parts.signature)) {
    return Refused("the token's signature does not fit");
  }
  ASSIGN_OR_RETURN(Claims claims, ReadClaims(parts.payload, issuer, machine_now));
  claims.kid = key->kid;
  return claims;
}

bool Keys::Names(const std::string& token) const {
  const auto parts = Split(token);
  Struct header;
  if (!parts.ok() || !ParseObject(parts->header, &header)) return false;
  const std::string* kid = Text(header, "kid");
  return kid != nullptr && keys_.count(*kid) > 0;
}

// ---- signing ----

class P256Signer : public Signer {
 public:
  P256Signer(KeyHandle key, const std::string& kid) : key_(std::move(key)), kid_(kid) {}

  const std::string& kid() const override { return kid_; }

  std::string Pem() const override {
    Memory memory(BIO_new(BIO_s_mem()));
    char* text = nullptr;
    if (memory == nullptr || PEM_write_bio_PKCS8PrivateKey(memory.get(), key_.get(), nullptr,
                                                           nullptr, 0, nullptr, nullptr) != 1) {
      std::abort();
    }
    const auto size = BIO_get_mem_data(memory.get(), &text);
    return std::string(text, size);
  }

  std::string Jwks() const override {
    Struct set;
    Struct* jwk =
        (*set.mutable_fields())["keys"].mutable_list_value()->add_values()->mutable_struct_value();
    SetText(jwk, "kty", "EC");
    SetText(jwk, "crv", "P-256");
    SetText(jwk, "alg", "ES256");
    SetText(jwk, "use", "sig");
    SetText(jwk, "kid", kid_);
    SetText(jwk, "x", Coordinate(OSSL_PKEY_PARAM_EC_PUB_X));
    SetText(jwk, "y", Coordinate(OSSL_PKEY_PARAM_EC_PUB_Y));
    return ToJson(set);
  }

  std::string Sign(const std::string& issuer, const std::string& subject, Micros machine_now,
                   int seconds, const std::map<std::string, std::string>& text) const override {
    Struct header;
    SetText(&header, "alg", "ES256");
    SetText(&header, "kid", kid_);
    SetText(&header, "typ", "JWT");
    Struct payload;
    for (const auto& [name, value] : text) SetText(&payload, name.c_str(), value);
    SetText(&payload, "iss", issuer);
    SetText(&payload, "sub", subject);
    SetText(&payload, "aud", kAudience);
    const int64_t now = machine_now / 1000000;
    (*payload.mutable_fields())["iat"].set_number_value(static_cast<double>(now));
    (*payload.mutable_fields())["exp"].set_number_value(static_cast<double>(now + seconds));
    const std::string signed_text = Base64Url(ToJson(header)) + "." + Base64Url(ToJson(payload));
    return signed_text + "." + Base64Url(FromDer(SignDer(signed_text)));
  }

 private:
  std::string Coordinate(const char* name) const {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key_.get(), name, &number) != 1) std::abort();
    return Base64Url(FromNumber(BigNumber(number).get()));
  }

  std::string SignDer(const std::string& text) const {
    DigestContext context(EVP_MD_CTX_new());
    std::string der(EVP_PKEY_get_size(key_.get()), '\0');
    size_t size = der.size();
    if (context == nullptr ||
        EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(),
                              nullptr) != 1 ||
        EVP_DigestSign(context.get(), Out(der), &size, In(text), text.size()) != 1) {
      std::abort();  // no randomness or no memory: nothing that a caller could cure
    }
    der.resize(size);
    return der;
  }

  const KeyHandle key_;
  const std::string kid_;
};

// Never asks at a terminal for the password of an encrypted key.
int NoPassword(char*, int, int, void*) { return -1; }

bool IsOnP256(const EVP_PKEY* key) {
  char group[64] = "";
  return EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string(group) == SN_X9_62_prime256v1;
}

}  // namespace

StatusOr<std::shared_ptr<const KeySet>> KeySet::FromJwks(const std::string& json) {
  const ErrorsCleared cleared;
  if (json.size() > kMaxJwksBytes) {
    return InvalidField("jwks",
                        absl::StrCat("the key set is longer than ", kMaxJwksBytes, " bytes"));
  }
  Struct set;
  const Value* list = ParseObject(json, &set) ? Member(set, "keys") : nullptr;
  if (list == nullptr) return InvalidField("jwks", "the key set is not a JSON object with keys");
  auto keys = std::make_shared<Keys>();
  for (const Value& jwk : list->list_value().values()) {
    RETURN_IF_ERROR(keys->Add(jwk.struct_value()));
  }
  if (keys->empty()) {
    return InvalidField("jwks",
                        "the key set has no key to check RS256, PS256, ES256 or EdDSA with");
  }
  return std::shared_ptr<const KeySet>(std::move(keys));
}

StatusOr<std::string> IssuerOf(const std::string& token) {
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  Struct payload;
  const std::string* issuer = ParseObject(parts.payload, &payload) ? Text(payload, "iss") : nullptr;
  if (issuer == nullptr) return Refused("the token names no issuer");
  return *issuer;
}

StatusOr<std::unique_ptr<Signer>> Signer::Generate(const std::string& kid) {
  KeyHandle key(EVP_EC_gen(SN_X9_62_prime256v1));
  if (key == nullptr) return Internal("no signing key could be made");
  return std::unique_ptr<Signer>(new P256Signer(std::move(key), kid));
}

StatusOr<std::unique_ptr<Signer>> Signer::FromPem(const std::string& pem, const std::string& kid) {
  const ErrorsCleared cleared;
  Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  KeyHandle key(memory == nullptr
                    ? nullptr
                    : PEM_read_bio_PrivateKey(memory.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr || !IsOnP256(key.get())) {
    return InvalidField("pem", "the signing key is not an unencrypted private key on P-256 in PEM");
  }
  return std::unique_ptr<Signer>(new P256Signer(std::move(key), kid));
}

}  // namespace hub::auth
