// Statuses and messages as they travel: google.rpc.Status details in the trailer, as AIP-193 says.
#pragma once

#include "common/base/date.h"
#include "common/base/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

namespace hub {

// The same refusal, with the time after which to come again (RetryInfo).
Status RetryAfter(Status status, Micros delay);
// That time; 0 where the refusal says none.
Micros DelayOf(const Status& status);

grpc::Status ToWire(const Status& status);
Status FromWire(const grpc::Status& status);
grpc::ByteBuffer ToBuffer(const google::protobuf::Message& message);
bool FromBuffer(grpc::ByteBuffer* buffer, google::protobuf::Message* message);

}  // namespace hub
