#include "common/rpc/peers.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/rpc/wire.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/impl/rpc_method.h"

namespace hub {
namespace {

constexpr int kAttempts = 3;  // at a service, where none of its processes answers
constexpr Micros kPause = 20'000;

// What changes something is named before it is sent, so that it is done once even if it is sent
// again. Null: it needs no name, or has one.
std::unique_ptr<google::protobuf::Message> Named(const google::protobuf::Message& request) {
  const auto* id = request.GetDescriptor()->FindFieldByName("request_id");
  if (id == nullptr || !schema::TextOf(request, "request_id").empty()) return nullptr;
  std::unique_ptr<google::protobuf::Message> named(request.New());
  named->CopyFrom(request);
  named->GetReflection()->SetString(named.get(), id, NewRandomId());
  return named;
}

}  // namespace

Status CallMethod(grpc::Channel& channel, const std::string& path, const std::string& token,
                  Micros deadline, const google::protobuf::Message& request,
                  google::protobuf::Message* response) {
  grpc::ClientContext context;
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  context.set_deadline(std::chrono::system_clock::time_point(std::chrono::microseconds(deadline)));
  const grpc::ByteBuffer sent = ToBuffer(request);
  grpc::ByteBuffer received;
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      &channel,
      grpc::internal::RpcMethod(path.c_str(), nullptr, grpc::internal::RpcMethod::NORMAL_RPC),
      &context, sent, &received);
  if (!status.ok()) return FromWire(status);
  return FromBuffer(&received, response) ? Status() : Internal("the answer cannot be read");
}

StatusOr<std::map<std::string, std::string>> TargetsOf(const std::vector<std::string>& entries) {
  std::map<std::string, std::string> targets;
  for (const std::string& entry : entries) {
    const size_t at = entry.find('=');
    if (at == std::string::npos) {
      return InvalidField("peers", "'" + entry + "' is not of the form service=address");
    }
    std::string& target = targets[entry.substr(0, at)];
    if (!target.empty() && target.rfind("ipv4:", 0) != 0) target = "ipv4:" + target;
    target += (target.empty() ? "" : ",") + entry.substr(at + 1);
  }
  return targets;
}

std::shared_ptr<grpc::Channel> ChannelTo(
    const std::string& target, grpc::ChannelArguments arguments,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  // gRPC looks after a connection while a call waits on it, and else as often as this says: without
  // it, where all calls fail at once, a process that is back is found after 5 seconds.
  [[maybe_unused]] static const int looked_after =
      setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 0);
  arguments.SetLoadBalancingPolicyName("round_robin");
  // A process that is about to stop says so by its health, and gets no calls any more.
  arguments.SetServiceConfigJSON(R"({"healthCheckConfig": {"serviceName": ""}})");
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(
      target, credentials ? credentials : grpc::InsecureChannelCredentials(), arguments);
}

Status Peers::Call(const std::string& token, Micros deadline,
                   const google::protobuf::Message& request,
                   google::protobuf::Message* response) const {
  const schema::Method* method = schema::MethodOfRequest(request.GetDescriptor());
  return CallService(method ? method->service : "", token, deadline, request, response);
}

Status Peers::CallService(const std::string& service, const std::string& token, Micros deadline,
                          const google::protobuf::Message& request,
                          google::protobuf::Message* response) const {
  const schema::Method* method = schema::MethodOfRequest(request.GetDescriptor());
  if (method == nullptr || method->descriptor->output_type() != response->GetDescriptor()) {
    return Internal(request.GetDescriptor()->full_name() + " is no request for " +
                    response->GetDescriptor()->full_name());
  }
  auto channel = channels_.find(service);
  if (channel == channels_.end()) return Internal("no channel to '" + service + "'");
  const auto named = Named(request);
  for (int attempt = 1;; ++attempt) {
    const Status status = CallMethod(*channel->second, method->path, token, deadline,
                                     named ? *named : request, response);
    const bool again = status.code() == absl::StatusCode::kUnavailable && attempt < kAttempts &&
                       MachineNow() + kPause < deadline;
    if (!again) return status;
    std::this_thread::sleep_for(std::chrono::microseconds(kPause));
  }
}

}  // namespace hub
