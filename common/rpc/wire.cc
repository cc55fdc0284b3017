#include "common/rpc/wire.h"

#include "grpcpp/impl/codegen/proto_utils.h"

namespace hub {
namespace {

constexpr char kType[] = "type.googleapis.com/google.rpc.";
constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";

}  // namespace

Status RetryAfter(Status status, Micros delay) {
  errors::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(delay / 1000000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay % 1000000 * 1000));
  status.SetPayload(kRetryInfo, absl::Cord(retry.SerializeAsString()));
  return status;
}

Micros DelayOf(const Status& status) {
  errors::RetryInfo retry;
  const auto payload = status.GetPayload(kRetryInfo);
  if (!payload || !retry.ParseFromString(std::string(*payload))) return 0;
  return retry.retry_delay().seconds() * 1000000 + retry.retry_delay().nanos() / 1000;
}

grpc::Status ToWire(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const errors::ErrorInfo info = ErrorInfoOf(status);
  // What did not come from Refuse() is a fault of ours, whose words are not for the caller.
  const bool ours = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo").has_value();
  errors::RpcStatus details;
  details.set_code(ours ? static_cast<int>(status.code()) : grpc::StatusCode::INTERNAL);
  details.set_message(ours ? MessageOf(status) : "the hub met a fault of its own");
  auto add = [&](const char* name, const google::protobuf::Message& detail) {
    auto* any = details.add_details();
    any->set_type_url(std::string(kType) + name);
    any->set_value(detail.SerializeAsString());
  };
  add("ErrorInfo", info);
  auto field = info.metadata().find("field");
  if (field != info.metadata().end() && details.code() == grpc::StatusCode::INVALID_ARGUMENT) {
    errors::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field(field->second);
    violation->set_description(details.message());
    add("BadRequest", bad);
  }
  errors::RetryInfo retry;
  if (const auto delay = status.GetPayload(kRetryInfo)) {
    retry.ParseFromString(std::string(*delay));
    add("RetryInfo", retry);
  } else if (details.code() == grpc::StatusCode::UNAVAILABLE) {
    retry.mutable_retry_delay()->set_seconds(1);
    add("RetryInfo", retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(details.code()), details.message(),
                      details.SerializeAsString());
}

Status FromWire(const grpc::Status& status) {
  if (status.ok()) return Status();
  errors::RpcStatus details;
  if (details.ParseFromString(status.error_details())) {
    Status same(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
    bool ours = false;
    for (const auto& any : details.details()) {
      const bool info = any.type_url() == std::string(kType) + "ErrorInfo";
      if (info || any.type_url() == kRetryInfo) {
        same.SetPayload(any.type_url(), absl::Cord(any.value()));
      }
      ours |= info;
    }
    if (ours) return same;
  }
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Refuse(errors::DEADLINE_PASSED, "no answer came before the deadline");
    case grpc::StatusCode::UNAVAILABLE:
      return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                    "the service cannot be reached now; try again: " + status.error_message());
    case grpc::StatusCode::UNIMPLEMENTED:
      return Refuse(errors::METHOD_UNKNOWN, "the server does not know this method");
    default:
      return Internal("the call failed: " + status.error_message());
  }
}

grpc::ByteBuffer ToBuffer(const google::protobuf::Message& message) {
  grpc::ByteBuffer buffer;
  bool own = false;
  grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(message, &buffer,
                                                                             &own);
  return buffer;
}

bool FromBuffer(grpc::ByteBuffer* buffer, google::protobuf::Message* message) {
  return grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(buffer,
                                                                                      message)
      .ok();
}

}  // namespace hub
