#include "common/rpc/door.h"
#include "coproduction/remuneration/v1/entitlements.pb.h"
#include "services/remuneration/rates_rpc.h"

namespace hub::remuneration {

static Status FillEntitlement(Read& read, v1::Entitlement* entitlement) {
  ASSIGN_OR_RETURN(auto rates, RatesFor(read, entitlement->session_date()));
  entitlement->set_fee_pence(FeePence(rates, entitlement->session_date(), entitlement->minutes()));
  ASSIGN_OR_RETURN(int64_t lines,
                   read.Number("SELECT COUNT(*) FROM claim_lines WHERE forum = $1"
                               " AND entitlement_id = $2 AND kind = 'TIME' AND state = 'CLAIMED'",
                               {read.forum(), IdOf(entitlement->name())}));
  entitlement->set_claimed(lines > 0);
  return absl::OkStatus();
}

void BindEntitlements(Door& door) { door.Computed<v1::Entitlement>(FillEntitlement); }

}  // namespace hub::remuneration
