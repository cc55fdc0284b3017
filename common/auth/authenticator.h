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
#include "common/auth/trust.h"

namespace hub::auth {

class Authenticator {
 public:
  // Asks membership for the grants of (issuer, subject). May wait.
  using Directory = std::function<StatusOr<std::vector<Grant>>(const std::string& issuer,
                                                               const std::string& subject)>;
  // `inside` signs the services' own tokens. Where there is no list of services, all processes
  // share it and it checks them too.
  Authenticator(std::shared_ptr<Trust> trust, std::shared_ptr<const Signer> inside);
  void SetDirectory(Directory directory) { directory_ = std::move(directory); }
  // Today's, of whomever. May wait.
  StatusOr<std::vector<Grant>> GrantsOf(const std::string& issuer, const std::string& subject) {
    return directory_(issuer, subject);
  }

  // Without waiting: a principal known from a moment ago, or a service that speaks for itself, whom
  // its token alone tells. (So whoever waits for grants holds up nobody who answers for them,
  // though it be the same service.) Null if Verify() must be asked.
  std::shared_ptr<const Principal> Known(const std::string& token);
  // Checks the token and looks the grants up. May wait: not for gRPC's own threads.
  StatusOr<std::shared_ptr<const Principal>> Verify(const std::string& token);

  // A token for a call to another service on behalf of `acting`.
  StatusOr<std::string> InsideToken(const std::string& service, const Principal& acting);

 private:
  // In the time from `since` to `until`, so not after the machine's clock went back, nor after
  // somebody was taken off a list.
  struct Entry {
    std::shared_ptr<const Principal> principal;
    Micros since, until;
    int64_t change;
  };
  struct InsideEntry {
    std::string token;
    Micros made = 0;
  };
  StatusOr<Principal> PrincipalOf(const Trusted& trusted, const std::string& issuer,
                                  const std::string& subject);
  StatusOr<Claims> Check(const Trusted& trusted, const std::string& issuer,
                         const std::string& token, Micros now) const;
  std::shared_ptr<const Principal> Keep(const std::string& token, Principal principal, Micros now,
                                        Micros expires, int64_t change);

  const std::shared_ptr<Trust> trust_;
  const std::shared_ptr<const Signer> inside_;
  std::shared_ptr<const KeySet> inside_keys_;
  Directory directory_;
  std::mutex mutex_;
  std::map<std::string, Entry> known_;                // by hash of the token
  std::map<std::string, InsideEntry> inside_tokens_;  // service|issuer|subject
};

}  // namespace hub::auth
