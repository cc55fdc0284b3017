#include "services/engagement/further_involvements_rules.h"

namespace hub::engagement {

Status MayDecide(const v1::DecideFurtherInvolvementRequest& in,
                 const std::optional<v1::InfluenceAccount>& account) {
  if (account && in.item().rfind(in.parent() + "/", 0) == 0) return Status();
  return RuleRefused("not_presented", in.item() +
                                          " is not known as presented; decide once it was, "
                                          "and if it just was, try again in a moment");
}

v1::FurtherInvolvement NewFurtherInvolvement(const v1::DecideFurtherInvolvementRequest& in,
                                             const v1::InfluenceAccount& account,
                                             const std::string& today) {
  v1::FurtherInvolvement decision;
  decision.set_item(account.item());
  decision.set_request(account.request());
  decision.set_session(account.session());
  decision.set_partner(account.partner());
  decision.set_session_date(account.session_date());
  decision.set_title(account.title());
  decision.set_influence_account(account.name());
  decision.set_decision(in.decision());
  decision.set_wish(in.wish());
  decision.set_decided_on(today);
  return decision;
}

}  // namespace hub::engagement
