#include "common/rpc/door.h"
#include "coproduction/engagement/v1/settings.pb.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;

static StatusOr<v1::EngagementSettings> GetEngagementSettings(
    Read& read, const v1::GetEngagementSettingsRequest& in) {
  return read.Settings<v1::EngagementSettings>();
}

static StatusOr<v1::EngagementSettings> UpdateEngagementSettings(
    Write& write, const v1::UpdateEngagementSettingsRequest& in) {
  ASSIGN_OR_RETURN(auto stored, write.Find<v1::EngagementSettings>(in.settings().name()));
  if (!stored) RETURN_IF_ERROR(write.Create(v1::EngagementSettings()).status());
  ASSIGN_OR_RETURN(auto settings, write.Merge(in.settings(), in.update_mask()));
  RETURN_IF_ERROR(write.Put(std::move(settings)).status());
  return write.Settings<v1::EngagementSettings>();
}

void BindSettings(Door& door) {
  const char service[] = "coproduction.engagement.v1.Settings";
  door.Bind(service, "GetEngagementSettings", GetEngagementSettings);
  door.Bind(service, "UpdateEngagementSettings", UpdateEngagementSettings);
}

}  // namespace hub::engagement
