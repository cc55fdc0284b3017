// Tokens: OIDC JWTs of known issuers from outside, signed 60-second tokens between services inside.
// The algorithm comes from the key, never from the token: RS256, PS256, ES256 and EdDSA only.
// Checked on OpenSSL's EVP in token.cc alone. Source: RFC 7515, 7517, 7518, 7519, 8037, 8725.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/base/date.h"
#include "common/base/status.h"

namespace hub::auth {

inline constexpr char kAudience[] = "coproduction-hub";
inline constexpr size_t kMaxTokenBytes = 8192;
inline constexpr size_t kMaxJwksBytes = 65536;

struct Claims {
  std::string kid;  // of the key that it was checked with
  std::string issuer;
  std::string subject;  // 1 to 255 printable characters of ASCII
  Micros expires = 0;
  std::map<std::string, std::string> text;  // other claims with a string value, at most 32
};

// The public keys of one issuer: a JWK Set (RFC 7517). Immutable: any thread may verify.
class KeySet {
 public:
  // Keys for another use or of another algorithm are left out, as RFC 7517 asks. INVALID_FIELD if
  // no key is left, or one is weak or malformed, has no kid, or a kid that another has, or if the
  // set holds anything private: its issuer then gave away more than it knows.
  static StatusOr<std::shared_ptr<const KeySet>> FromJwks(const std::string& json);
  virtual ~KeySet() = default;
  // Checks signature, issuer, exp, nbf and iat (60 s of skew), aud (kAudience alone), sub; refuses
  // everything else with UNAUTHENTICATED and a sentence that says which, without repeating the
  // token.
  virtual StatusOr<Claims> Verify(const std::string& token, const std::string& issuer,
                                  Micros machine_now) const = 0;
  // Whether the token's header names a key of this set; an issuer that changed its keys has others.
  virtual bool Names(const std::string& token) const = 0;
};

// The issuer that a token claims, unverified, to choose the key set by. UNAUTHENTICATED if the
// token is not three base64url parts, too long, or names no issuer.
StatusOr<std::string> IssuerOf(const std::string& token);

// A signing key: of a development issuer, or of the services among each other (ES256). Immutable.
class Signer {
 public:
  static StatusOr<std::unique_ptr<Signer>> Generate(const std::string& kid);
  // `pem` is an unencrypted private key on P-256, as Pem() gives it (PKCS #8).
  static StatusOr<std::unique_ptr<Signer>> FromPem(const std::string& pem, const std::string& kid);
  virtual ~Signer() = default;
  virtual const std::string& kid() const = 0;
  virtual std::string Pem() const = 0;
  virtual std::string Jwks() const = 0;  // the public half as a JWK Set
  // `text` adds claims; it never replaces iss, sub, aud, iat or exp.
  virtual std::string Sign(const std::string& issuer, const std::string& subject,
                           Micros machine_now, int seconds,
                           const std::map<std::string, std::string>& text = {}) const = 0;
};

}  // namespace hub::auth
