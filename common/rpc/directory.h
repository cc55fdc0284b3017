// How a door learns the roles of a caller: it asks membership, which holds the grants, as any
// service asks another: `service` is who asks.
#pragma once

#include "common/auth/authenticator.h"
#include "common/rpc/peers.h"

namespace hub {

StatusOr<std::vector<auth::Grant>> AskGrants(auth::Authenticator& authenticator, const Peers& peers,
                                             const std::string& service, const std::string& issuer,
                                             const std::string& subject);

}  // namespace hub
