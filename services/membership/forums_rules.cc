#include "services/membership/forums_rules.h"

namespace hub::membership {
namespace {
constexpr char kNational[] = "national";  // the tenant of all forums together
}  // namespace

options::Side SideOf(options::Role role) {
  if (role >= options::MEMBER && role <= options::MEMBERSHIP_PLATFORM) return options::FORUM;
  if (role >= options::FACILITATOR && role <= options::CASE_SYSTEM) return options::PARTNER;
  return options::HUB;
}

Status CheckForumId(const std::string& id) {
  if (id != kNational) return Status();
  return InvalidField(
      "forum_id", "forum_id is 'national', by which all forums together are named; take another");
}

Status CheckGrant(const std::string& forum, const v1::Grant& grant, options::Side giver,
                  const std::string& giver_partner) {
  const options::Side side = SideOf(grant.role());
  const std::string role = options::Role_Name(grant.role());
  const bool national = grant.role() == options::NATIONAL_READER;
  if (national != (forum == kNational) || (side == options::HUB && !national)) {
    return InvalidField("grant.role", "role " + role + " is not granted in forums/" + forum);
  }
  const std::string partner = grant.partner().substr(grant.partner().rfind('/') + 1);
  if ((side == options::PARTNER) == partner.empty()) {
    return InvalidField("grant.partner",
                        side == options::PARTNER
                            ? "role " + role + " is a partner's: name the partner"
                            : "role " + role + " is the forum's own: name no partner");
  }
  if (giver == options::HUB) return Status();
  if (giver != side || (giver == options::PARTNER && giver_partner != partner)) {
    return RuleRefused("grant_other_side", "role " + role +
                                               " is another organisation's to give; each side "
                                               "grants its own roles");
  }
  return Status();
}

}  // namespace hub::membership
