// Development identities of one state folder: issuers whose keys lie beside the hub's data, so that
// a local hub can be called in any role. A server started for production refuses all of them.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/options/v1/options.pb.h"

namespace hub::ctl {

inline constexpr char kDevelopmentForum[] = "warwickshire";
inline constexpr char kCouncil[] = "wcc";
inline constexpr char kHealthBody[] = "coventry-warwickshire-ccg";

// A word for --as: a role, and the issuer that makes it.
struct RoleWord {
  std::string word;  // 'health_requestor'
  coproduction::options::v1::Role role;
  std::string issuer;   // 'health': STATE/issuers/health.pem, https://health.dev.example
  std::string partner;  // id of the partner whose side it is; empty on the forum's
};
const std::vector<RoleWord>& RoleWords();

// Makes what is missing in the state folder, and changes nothing that is there: the issuers' keys
// and issuers.json, the services' own key inside.pem, and master.key; keys for their owner's eyes
// only.
Status InitState(const std::string& state, const std::string& forum);

// 'chair', or 'rep:R03' for a certain person with that role.
std::string SubjectOf(const std::string& word, const std::string& key);
std::string IssuerUrl(const std::string& issuer);

// A signed token for `as`: a role word or 'word:key'. The word 'service' is a service of the hub
// itself. A usage error for another word or a folder without the keys.
StatusOr<std::string> DevelopmentToken(const std::string& state, const std::string& as,
                                       int seconds);

// The public halves of private keys (PEM on P-256) as a key set, each named as its file is without
// '.pem': what hubd's --services lists.
StatusOr<std::string> KeySetOf(const std::vector<std::string>& paths);

// An id made of what it is for: the same every time, as a UUID (version 8 of RFC 9562).
std::string DerivedId(const std::string& what);

StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace hub::ctl
