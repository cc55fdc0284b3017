// Statuses and messages as they travel: google.rpc.Status details in the trailer, as AIP-193 says.
#pragma once

#include "common/base/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

namespace hub {

grpc::Status ToWire(const Status& status);
Status FromWire(const grpc::Status& status);
grpc::ByteBuffer ToBuffer(const google::protobuf::Message& message);
bool FromBuffer(grpc::ByteBuffer* buffer, google::protobuf::Message* message);

}  // namespace hub
