// Who calls: a person or a system, for one organisation, with roles per forum.
#pragma once

#include <string>
#include <vector>

#include "coproduction/options/v1/options.pb.h"

namespace hub::auth {

namespace options = ::coproduction::options::v1;
using options::Role;
using options::Side;

// The tenant of what is of all forums together; its readers act for no forum and no partner.
inline constexpr char kNational[] = "national";

struct Grant {
  Role role;
  std::string forum;    // id, 'warwickshire'
  std::string partner;  // id, 'wcc'; empty on the forum's side and the hub's
  std::string person;   // id of the human; the same behind grants of both sides
};

struct Principal {
  std::string issuer;
  std::string subject;
  Side side = options::HUB;
  std::string service;  // the calling service of an inside call; empty from outside
  std::vector<Grant> grants;

  // What idempotency keys and the journal know the caller by.
  std::string key() const { return issuer + "|" + subject; }
  bool Has(Role role, const std::string& forum) const {
    for (const auto& grant : grants) {
      if (grant.role == role && (grant.forum == forum || grant.forum == "*")) return true;
    }
    return false;
  }
  // The caller's partner in a forum; empty for the forum's side.
  std::string partner(const std::string& forum) const {
    for (const auto& grant : grants) {
      if (grant.forum == forum && !grant.partner.empty()) return grant.partner;
    }
    return "";
  }
  std::string person(const std::string& forum) const {
    for (const auto& grant : grants) {
      if (grant.forum == forum && !grant.person.empty()) return grant.person;
    }
    return "";
  }
};

// A service acting on its own: a timer, a consumed event.
inline Principal ServicePrincipal(const std::string& service) {
  Principal principal;
  principal.issuer = "hub";
  principal.subject = service;
  principal.service = service;
  principal.grants.push_back({options::SERVICE, "*", "", ""});
  return principal;
}

}  // namespace hub::auth
