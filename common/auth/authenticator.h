// From a token to a principal. An issuer belongs to an organisation, and its tokens yield only
// roles of that organisation; roles are grants held in the hub. Between services a 60-second token
// carries the calling service and the person it acts for, whose own rights hold at the asked
// service.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/auth/principal.h"
#include "common/auth/token.h"

namespace hub::auth {

inline constexpr char kInsideIssuer[] = "hub";

// {"issuers": [{"issuer": "https://login.example", "organisation": "forums/warwickshire",
//   "jwks": "forum.jwks", "development": false}]}; paths are relative to the file. The organisation
// is a forum, a partner ('forums/warwickshire/partners/wcc') or 'operator'.
struct Issuer {
  std::string issuer;
  std::string organisation;
  std::shared_ptr<const KeySet> keys;
};
// Refuses a development issuer when `production`.
StatusOr<std::vector<Issuer>> ReadIssuers(const std::string& path, bool production);

class Authenticator {
 public:
  // Asks membership for the grants of (issuer, subject). May wait.
  using Directory = std::function<StatusOr<std::vector<Grant>>(const std::string& issuer,
                                                               const std::string& subject)>;
  // `inside` signs and checks the services' own tokens; shared by all processes.
  Authenticator(std::vector<Issuer> issuers, std::shared_ptr<const Signer> inside);
  void SetDirectory(Directory directory) { directory_ = std::move(directory); }

  // Without waiting: a principal known from a moment ago, or a service that speaks for itself, whom
  // its token alone tells. (So whoever waits for grants holds up nobody who answers for them,
  // though it be the same service.) Null if Verify() must be asked.
  std::shared_ptr<const Principal> Known(const std::string& token);
  // Checks the token and looks the grants up. May wait: not for gRPC's own threads.
  StatusOr<std::shared_ptr<const Principal>> Verify(const std::string& token);

  // A token for a call to another service on behalf of `acting`.
  StatusOr<std::string> InsideToken(const std::string& service, const Principal& acting);

 private:
  // In the time from `since` to `until`, so not after the machine's clock went back.
  struct Entry {
    std::shared_ptr<const Principal> principal;
    Micros since, until;
    bool holds(Micros now) const { return since <= now && now < until; }
  };
  struct InsideEntry {
    std::string token;
    Micros made = 0;
  };
  StatusOr<Principal> PrincipalOf(const std::string& issuer, const std::string& subject);
  std::shared_ptr<const Principal> Keep(const std::string& token, Principal principal, Micros now,
                                        Micros expires);

  const std::vector<Issuer> issuers_;
  const std::shared_ptr<const Signer> inside_;
  std::shared_ptr<const KeySet> inside_keys_;
  Directory directory_;
  std::mutex mutex_;
  std::map<std::string, Entry> known_;                // by hash of the token
  std::map<std::string, InsideEntry> inside_tokens_;  // service|issuer|subject
};

}  // namespace hub::auth
