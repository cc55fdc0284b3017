#include "common/auth/authenticator.h"

#include <algorithm>

#include "common/base/clock.h"
#include "common/privacy/seal.h"

namespace hub::auth {
namespace {

constexpr Micros kSecond = 1000000;
// How long a withdrawn grant may still act; no answer older than this decides anything.
constexpr Micros kGrantsAge = 5 * kSecond;
constexpr size_t kMostKnown = 10000;
constexpr int kInsideSeconds = 60;

bool Within(const Grant& grant, const std::string& organisation) {
  std::string own = "forums/" + grant.forum;
  if (!grant.partner.empty()) own += "/partners/" + grant.partner;
  return own == organisation;
}

const Issuer* Find(const Trusted& trusted, const std::string& issuer) {
  for (const Issuer& known : trusted.issuers) {
    if (known.issuer == issuer) return &known;
  }
  return nullptr;
}

bool Holds(const Issuer& issuer, Micros now) {
  return issuer.keys != nullptr && (issuer.until == 0 || now < issuer.until);
}

StatusOr<Claims> CheckBy(const Issuer& issuer, const std::string& token, Micros now) {
  if (Holds(issuer, now)) return issuer.keys->Verify(token, issuer.issuer, now);
  return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                "the keys of the token's issuer cannot be had from its address now; try again");
}

Status Refused(const std::string& why) { return Refuse(errors::UNAUTHENTICATED, why); }

}  // namespace

Authenticator::Authenticator(std::shared_ptr<Trust> trust, std::shared_ptr<const Signer> inside)
    : trust_(std::move(trust)), inside_(std::move(inside)) {
  auto keys = KeySet::FromJwks(inside_->Jwks());
  if (keys.ok()) inside_keys_ = *keys;
}

// What the token says, by the keys of whom it names as its issuer.
StatusOr<Claims> Authenticator::Check(const Trusted& trusted, const std::string& issuer,
                                      const std::string& token, Micros now) const {
  if (issuer == kInsideIssuer) {
    if (trusted.services == nullptr) return inside_keys_->Verify(token, issuer, now);
    ASSIGN_OR_RETURN(Claims claims, trusted.services->Verify(token, issuer, now));
    // A service speaks for itself alone; 'hub' is a process of all.
    const std::string holder = claims.kid.substr(0, claims.kid.find('.'));
    if (holder == kInsideIssuer || holder == claims.subject) return claims;
    return Refused("the token's sub is not the service whose key signed it");
  }
  const Issuer* known = Find(trusted, issuer);
  if (known == nullptr) return Refused("the token's issuer is not one that this hub knows");
  auto claims = CheckBy(*known, token, now);
  if (claims.ok() || (Holds(*known, now) && known->keys->Names(token))) return claims;
  ASSIGN_OR_RETURN(const bool asked, trust_->AskAgain(issuer));
  if (!asked) return claims;
  const auto anew = trust_->Now();
  known = Find(*anew, issuer);
  return known == nullptr ? claims : CheckBy(*known, token, now);
}

std::shared_ptr<const Principal> Authenticator::Known(const std::string& token) {
  const Micros now = MachineNow();
  const int64_t change = trust_->changes();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = known_.find(privacy::Sha256(token));
    if (it != known_.end() && it->second.since <= now && now < it->second.until &&
        it->second.change == change) {
      return it->second.principal;
    }
  }
  auto issuer = IssuerOf(token);
  if (!issuer.ok() || *issuer != kInsideIssuer) return nullptr;
  auto claims = Check(*trust_->Now(), *issuer, token, now);
  if (!claims.ok() || claims->text["act_iss"] != kInsideIssuer) return nullptr;
  Principal principal = ServicePrincipal(claims->text["act_sub"]);
  principal.service = claims->subject;
  return Keep(token, std::move(principal), now, claims->expires, change);
}

std::shared_ptr<const Principal> Authenticator::Keep(const std::string& token, Principal principal,
                                                     Micros now, Micros expires, int64_t change) {
  auto shared = std::make_shared<const Principal>(std::move(principal));
  std::lock_guard<std::mutex> lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_[privacy::Sha256(token)] = {shared, now, std::min(expires, now + kGrantsAge), change};
  return shared;
}

StatusOr<Principal> Authenticator::PrincipalOf(const Trusted& trusted, const std::string& issuer,
                                               const std::string& subject) {
  const Issuer* known = Find(trusted, issuer);
  if (known == nullptr) return Refused("the token's issuer is not one that this hub knows");
  Principal principal;
  principal.issuer = issuer;
  principal.subject = subject;
  if (known->organisation == "operator") {
    principal.side = options::HUB;
    principal.grants.push_back({options::OPERATOR, "*", "", ""});
    return principal;
  }
  principal.side = known->organisation == std::string("forums/") + kNational     ? options::HUB
                   : known->organisation.find("/partners/") == std::string::npos ? options::FORUM
                                                                                 : options::PARTNER;
  ASSIGN_OR_RETURN(std::vector<Grant> grants, directory_(issuer, subject));
  for (auto& grant : grants) {
    if (Within(grant, known->organisation)) principal.grants.push_back(std::move(grant));
  }
  return principal;
}

StatusOr<std::shared_ptr<const Principal>> Authenticator::Verify(const std::string& token) {
  if (auto known = Known(token)) return known;
  const Micros now = MachineNow();
  const int64_t change = trust_->changes();
  const auto trusted = trust_->Now();
  ASSIGN_OR_RETURN(std::string issuer, IssuerOf(token));
  ASSIGN_OR_RETURN(Claims claims, Check(*trusted, issuer, token, now));
  const bool inside = issuer == kInsideIssuer;
  ASSIGN_OR_RETURN(Principal principal,
                   PrincipalOf(*trusted, inside ? claims.text["act_iss"] : issuer,
                               inside ? claims.text["act_sub"] : claims.subject));
  if (inside) principal.service = claims.subject;
  return Keep(token, std::move(principal), now, claims.expires, change);
}

StatusOr<std::string> Authenticator::InsideToken(const std::string& service,
                                                 const Principal& acting) {
  const Micros now = MachineNow();
  const std::string key = service + "|" + acting.key();
  std::lock_guard<std::mutex> lock(mutex_);
  if (inside_tokens_.size() > kMostKnown) inside_tokens_.clear();
  auto& entry = inside_tokens_[key];
  // Renewed at half its life, and where the machine's clock went back: who is asked would take it
  // for one of the future.
  if (entry.token.empty() || now < entry.made || now >= entry.made + kInsideSeconds / 2 * kSecond) {
    entry = {inside_->Sign(kInsideIssuer, service, now, kInsideSeconds,
                           {{"act_iss", acting.issuer}, {"act_sub", acting.subject}}),
             now};
  }
  return entry.token;
}

}  // namespace hub::auth
