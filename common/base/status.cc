#include "common/base/status.h"

#include "absl/strings/cord.h"

namespace hub {
namespace {

constexpr char kErrorInfoType[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kDomain[] = "coproduction-hub";

const char* AboutKey(errors::ErrorReason reason) {
  switch (reason) {
    case errors::RULE_REFUSED:
      return "rule";
    case errors::STATE_NOT_ALLOWED:
      return "state";
    case errors::ALREADY_DONE:
    case errors::RESOURCE_NOT_FOUND:
    case errors::RESOURCE_EXISTS:
      return "resource";
    default:
      return "field";
  }
}

}  // namespace

Status Refuse(errors::ErrorReason reason, const std::string& message, const std::string& about) {
  const auto* value = errors::ErrorReason_descriptor()->FindValueByNumber(reason);
  Status status(static_cast<absl::StatusCode>(value->options().GetExtension(errors::code)),
                message);
  errors::ErrorInfo info;
  info.set_reason(value->name());
  info.set_domain(kDomain);
  if (!about.empty()) (*info.mutable_metadata())[AboutKey(reason)] = about;
  status.SetPayload(kErrorInfoType, absl::Cord(info.SerializeAsString()));
  return status;
}

errors::ErrorInfo ErrorInfoOf(const Status& status) {
  errors::ErrorInfo info;
  auto payload = status.GetPayload(kErrorInfoType);
  if (payload.has_value() && info.ParseFromString(std::string(*payload))) return info;
  info.set_reason(errors::ErrorReason_Name(errors::INTERNAL_FAULT));
  info.set_domain(kDomain);
  return info;
}

errors::ErrorReason ReasonOf(const Status& status) {
  errors::ErrorReason reason = errors::ERROR_REASON_UNSPECIFIED;
  errors::ErrorReason_Parse(ErrorInfoOf(status).reason(), &reason);
  return reason;
}

std::string MessageOf(const Status& status) {
  return std::string(status.message().data(), status.message().size());
}

}  // namespace hub
