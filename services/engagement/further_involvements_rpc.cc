#include "common/rpc/door.h"
#include "coproduction/engagement/events/v1/further_involvements.pb.h"
#include "services/engagement/further_involvements_rules.h"
#include "services/engagement/influence_rules.h"

namespace hub::engagement {

namespace events = ::coproduction::engagement::events::v1;

static StatusOr<v1::FurtherInvolvement> DecideFurtherInvolvement(
    Write& write, const v1::DecideFurtherInvolvementRequest& in) {
  ASSIGN_OR_RETURN(auto account, write.Find<v1::InfluenceAccount>(AccountName(in.item())));
  RETURN_IF_ERROR(MayDecide(in, account));
  ASSIGN_OR_RETURN(auto decision, write.Create(NewFurtherInvolvement(in, *account, write.today()),
                                               IdOf(in.item())));
  write.Emit<events::FurtherInvolvementDecided>(decision);
  return decision;
}

void BindFurtherInvolvements(Door& door) {
  const char service[] = "coproduction.engagement.v1.FurtherInvolvements";
  door.Bind(service, "DecideFurtherInvolvement", DecideFurtherInvolvement);
}

}  // namespace hub::engagement
