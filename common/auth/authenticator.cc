#include "common/auth/authenticator.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/privacy/seal.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace hub::auth {
namespace {

constexpr Micros kSecond = 1000000;
// How long a withdrawn grant may still act; no answer older than this decides anything.
constexpr Micros kGrantsAge = 5 * kSecond;
constexpr size_t kMostKnown = 10000;
constexpr int kInsideSeconds = 60;

StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return InvalidField("issuers", "the file '" + path + "' cannot be read");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Within(const Grant& grant, const std::string& organisation) {
  std::string own = "forums/" + grant.forum;
  if (!grant.partner.empty()) own += "/partners/" + grant.partner;
  return own == organisation;
}

Status Refused(const std::string& why) { return Refuse(errors::UNAUTHENTICATED, why); }

}  // namespace

StatusOr<std::vector<Issuer>> ReadIssuers(const std::string& path, bool production) {
  ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  google::protobuf::Struct file;
  if (!google::protobuf::util::JsonStringToMessage(text, &file).ok() ||
      file.fields().count("issuers") == 0) {
    return InvalidField("issuers", "'" + path + "' is no JSON of the form {\"issuers\": [...]}");
  }
  std::vector<Issuer> issuers;
  for (const auto& value : file.fields().at("issuers").list_value().values()) {
    const auto& entry = value.struct_value().fields();
    auto text_of = [&](const char* key) {
      auto it = entry.find(key);
      return it == entry.end() ? std::string() : it->second.string_value();
    };
    Issuer issuer{text_of("issuer"), text_of("organisation"), nullptr};
    if (issuer.issuer.empty() || issuer.issuer == kInsideIssuer || issuer.organisation.empty()) {
      return InvalidField("issuers", "every issuer in '" + path +
                                         "' needs an issuer (not 'hub') and an organisation");
    }
    auto development = entry.find("development");
    if (production && development != entry.end() && development->second.bool_value()) {
      return InvalidField("issuers", "'" + issuer.issuer + "' in '" + path +
                                         "' is a development issuer, which a production server "
                                         "refuses; name your organisations' own");
    }
    ASSIGN_OR_RETURN(
        std::string jwks,
        ReadFile((std::filesystem::path(path).parent_path() / text_of("jwks")).string()));
    ASSIGN_OR_RETURN(issuer.keys, KeySet::FromJwks(jwks));
    issuers.push_back(std::move(issuer));
  }
  return issuers;
}

Authenticator::Authenticator(std::vector<Issuer> issuers, std::shared_ptr<const Signer> inside)
    : issuers_(std::move(issuers)), inside_(std::move(inside)) {
  auto keys = KeySet::FromJwks(inside_->Jwks());
  if (keys.ok()) inside_keys_ = *keys;
}

std::shared_ptr<const Principal> Authenticator::Known(const std::string& token) {
  const Micros now = MachineNow();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = known_.find(privacy::Sha256(token));
    if (it != known_.end() && it->second.holds(now)) return it->second.principal;
  }
  auto issuer = IssuerOf(token);
  if (!issuer.ok() || *issuer != kInsideIssuer) return nullptr;
  auto claims = inside_keys_->Verify(token, *issuer, now);
  if (!claims.ok() || claims->text["act_iss"] != kInsideIssuer) return nullptr;
  Principal principal = ServicePrincipal(claims->text["act_sub"]);
  principal.service = claims->subject;
  return Keep(token, std::move(principal), now, claims->expires);
}

std::shared_ptr<const Principal> Authenticator::Keep(const std::string& token, Principal principal,
                                                     Micros now, Micros expires) {
  auto shared = std::make_shared<const Principal>(std::move(principal));
  std::lock_guard<std::mutex> lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_[privacy::Sha256(token)] = {shared, now, std::min(expires, now + kGrantsAge)};
  return shared;
}

StatusOr<Principal> Authenticator::PrincipalOf(const std::string& issuer,
                                               const std::string& subject) {
  for (const auto& known : issuers_) {
    if (known.issuer != issuer) continue;
    Principal principal;
    principal.issuer = issuer;
    principal.subject = subject;
    if (known.organisation == "operator") {
      principal.side = options::HUB;
      principal.grants.push_back({options::OPERATOR, "*", "", ""});
      return principal;
    }
    principal.side = known.organisation.find("/partners/") == std::string::npos ? options::FORUM
                                                                                : options::PARTNER;
    ASSIGN_OR_RETURN(std::vector<Grant> grants, directory_(issuer, subject));
    for (auto& grant : grants) {
      if (Within(grant, known.organisation)) principal.grants.push_back(std::move(grant));
    }
    return principal;
  }
  return Refused("the token's issuer is not one that this hub knows");
}

StatusOr<std::shared_ptr<const Principal>> Authenticator::Verify(const std::string& token) {
  if (auto known = Known(token)) return known;
  const Micros now = MachineNow();
  ASSIGN_OR_RETURN(std::string issuer, IssuerOf(token));
  if (issuer == kInsideIssuer) {
    ASSIGN_OR_RETURN(Claims claims, inside_keys_->Verify(token, issuer, now));
    ASSIGN_OR_RETURN(Principal principal,
                     PrincipalOf(claims.text["act_iss"], claims.text["act_sub"]));
    principal.service = claims.subject;
    return Keep(token, std::move(principal), now, claims.expires);
  }
  for (const auto& known : issuers_) {
    if (known.issuer != issuer) continue;
    ASSIGN_OR_RETURN(Claims claims, known.keys->Verify(token, issuer, now));
    ASSIGN_OR_RETURN(Principal principal, PrincipalOf(issuer, claims.subject));
    return Keep(token, std::move(principal), now, claims.expires);
  }
  return Refused("the token's issuer is not one that this hub knows");
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
