#include "common/rpc/directory.h"

#include "common/base/clock.h"
#include "coproduction/hub/v1/directory.pb.h"

namespace hub {

StatusOr<std::vector<auth::Grant>> AskGrants(auth::Authenticator& authenticator, const Peers& peers,
                                             const std::string& service, const std::string& issuer,
                                             const std::string& subject) {
  constexpr Micros kPatience = 5 * 1000000ll;
  coproduction::hub::v1::ResolveGrantsRequest request;
  request.set_issuer(issuer);
  request.set_subject(subject);
  coproduction::hub::v1::ResolveGrantsResponse response;
  ASSIGN_OR_RETURN(std::string token,
                   authenticator.InsideToken(service, auth::ServicePrincipal(service)));
  const Status answered =
      peers.CallService("membership", token, MachineNow() + kPatience, request, &response);
  if (ReasonOf(answered) == errors::UNAUTHENTICATED) {  // the service is, not its caller
    return Refuse(
        errors::TEMPORARILY_UNAVAILABLE,
        "your roles cannot be looked up now, since membership does not take the word of '" +
            service + "'; try again");
  }
  RETURN_IF_ERROR(answered);
  std::vector<auth::Grant> grants;
  for (const auto& held : response.held()) {
    grants.push_back({held.role(), held.forum(), held.partner_id(), held.person()});
  }
  return grants;
}

}  // namespace hub
