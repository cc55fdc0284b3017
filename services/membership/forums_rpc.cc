// Forums, partners and grants.
#include "common/rpc/door.h"
#include "coproduction/hub/v1/directory.pb.h"
#include "services/membership/forums_rules.h"

namespace hub::membership {
namespace {

constexpr char kForums[] = "coproduction.membership.v1.Forums";
constexpr char kPartners[] = "coproduction.membership.v1.Partners";
constexpr char kGrants[] = "coproduction.membership.v1.Grants";

StatusOr<v1::Forum> CreateForum(Write& write, const v1::CreateForumRequest& in) {
  RETURN_IF_ERROR(CheckForumId(in.forum_id()));
  return write.Create(in.forum(), in.forum_id());
}

StatusOr<v1::Partner> CreatePartner(Write& write, const v1::CreatePartnerRequest& in) {
  return write.Create(in.partner(), in.partner_id());
}

StatusOr<v1::Grant> CreateGrant(Write& write, const v1::CreateGrantRequest& in) {
  v1::Grant grant = in.grant();
  RETURN_IF_ERROR(CheckGrant(write.forum(), grant, write.side(), write.partner()));
  if (!grant.partner().empty()) {
    ASSIGN_OR_RETURN(auto partner, write.Find<v1::Partner>(grant.partner()));
    if (!partner) {
      return InvalidField("grant.partner", "there is no partner '" + grant.partner() + "'");
    }
  }
  if (grant.from_on().empty()) grant.set_from_on(write.today());
  return write.Create(std::move(grant));
}

StatusOr<v1::Grant> EndGrant(Write& write, const v1::EndGrantRequest& in) {
  ASSIGN_OR_RETURN(auto grant, write.Get<v1::Grant>(in.name(), in.etag()));
  RETURN_IF_ERROR(CheckGrant(write.forum(), grant, write.side(), write.partner()));
  grant.set_until_on(AddDays(write.today(), -1));
  return write.Put(std::move(grant));
}

StatusOr<coproduction::hub::v1::ResolveGrantsResponse> ResolveGrants(
    Read& read, const coproduction::hub::v1::ResolveGrantsRequest& in) {
  coproduction::hub::v1::ResolveGrantsResponse out;
  RETURN_IF_ERROR(read.sql().Query(
      "SELECT role, forum, partner_id, person FROM grants WHERE issuer = $1 AND subject = $2 "
      "AND from_on <= $3 AND (until_on = '' OR until_on >= $3) ORDER BY forum, id",
      {in.issuer(), in.subject(), read.today()}, [&](const db::Row& row) -> Status {
        auto* held = out.add_held();
        options::Role role;
        if (!options::Role_Parse(std::string(row.Text(0)), &role)) {
          return Internal("a grant of a role that this version does not know");
        }
        held->set_role(role);
        held->set_forum(std::string(row.Text(1)));
        held->set_partner_id(std::string(row.Text(2)));
        held->set_person(std::string(row.Text(3)));
        return Status();
      }));
  return out;
}

}  // namespace

void BindForums(Door& door) {
  door.Bind(kForums, "CreateForum", CreateForum);
  door.Bind(kPartners, "CreatePartner", CreatePartner);
  door.Bind(kGrants, "CreateGrant", CreateGrant);
  door.Bind(kGrants, "EndGrant", EndGrant);
  door.Bind("coproduction.hub.v1.Directory", "ResolveGrants", ResolveGrants);
}

}  // namespace hub::membership
