#include "common/rpc/door.h"
#include "coproduction/remuneration/v1/settings.pb.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;

static StatusOr<v1::RemunerationSettings> GetRemunerationSettings(
    Read& read, const v1::GetRemunerationSettingsRequest& in) {
  return read.Settings<v1::RemunerationSettings>();
}

static StatusOr<v1::RemunerationSettings> UpdateRemunerationSettings(
    Write& write, const v1::UpdateRemunerationSettingsRequest& in) {
  const v1::RemunerationSettings& body = in.remuneration_settings();
  ASSIGN_OR_RETURN(auto there, write.Find<v1::RemunerationSettings>(body.name()));
  if (!there.has_value()) {
    RETURN_IF_ERROR(write.Create(v1::RemunerationSettings()).status());
  }
  ASSIGN_OR_RETURN(auto settings, write.Merge(body, in.update_mask()));
  RETURN_IF_ERROR(write.Put(std::move(settings)).status());
  return write.Settings<v1::RemunerationSettings>();
}

void BindSettings(Door& door) {
  const char service[] = "coproduction.remuneration.v1.Settings";
  door.Bind(service, "GetRemunerationSettings", GetRemunerationSettings);
  door.Bind(service, "UpdateRemunerationSettings", UpdateRemunerationSettings);
}

}  // namespace hub::remuneration
