// Who may give whom which role. Pure rules.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/forums.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;
namespace options = ::coproduction::options::v1;

// The side that a role belongs to.
options::Side SideOf(options::Role role);

// No forum is named as all forums together are.
Status CheckForumId(const std::string& id);

// A chair gives roles of the forum's side, a partner's lead those of the own partner
// (`giver_partner` is its id), the operator any; a partner's role names its partner and a forum's
// role none. Source: domain (an issuer cannot make roles of the other side).
Status CheckGrant(const std::string& forum, const v1::Grant& grant, options::Side giver,
                  const std::string& giver_partner);

}  // namespace hub::membership
