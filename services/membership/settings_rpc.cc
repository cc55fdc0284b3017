// What a forum decides about its membership.
#include "common/rpc/door.h"
#include "coproduction/membership/v1/settings.pb.h"
#include "services/membership/module.h"

namespace hub::membership {
namespace {

namespace v1 = ::coproduction::membership::v1;

StatusOr<v1::MembershipSettings> UpdateMembershipSettings(
    Write& write, const v1::UpdateMembershipSettingsRequest& in) {
  const std::string& name = in.membership_settings().name();
  ASSIGN_OR_RETURN(auto known, write.Find<v1::MembershipSettings>(name));
  if (!known) {
    RETURN_IF_ERROR(write.Create(v1::MembershipSettings()).status());
  }
  ASSIGN_OR_RETURN(auto settings, write.Merge(in.membership_settings(), in.update_mask()));
  return write.Put(std::move(settings));
}

}  // namespace

void BindSettings(Door& door) {
  door.Bind("coproduction.membership.v1.MembershipSettingsService", "UpdateMembershipSettings",
            UpdateMembershipSettings);
}

}  // namespace hub::membership
