#include "services/hubctl/call.h"

#include <chrono>
#include <thread>

#include "absl/strings/ascii.h"
#include "common/base/clock.h"
#include "common/rpc/peers.h"
#include "common/schema/schema.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

constexpr Micros kSecond = 1000000;
constexpr Micros kAnswerWithin = 30 * kSecond;
constexpr int kTokenSeconds = 600;
constexpr int kLongestMessage = 64 << 20;

}  // namespace

Tokens TokensOf(const Options& options) {
  if (!options.as.empty()) {
    return [options] { return DevelopmentToken(options.state, options.as, kTokenSeconds); };
  }
  if (options.token.empty() && !options.token_file.empty()) {
    return [path = options.token_file]() -> StatusOr<std::string> {
      ASSIGN_OR_RETURN(std::string text, ReadFile(path));
      absl::StripAsciiWhitespace(&text);
      return text;
    };
  }
  return [token = options.token]() -> StatusOr<std::string> { return token; };
}

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetMaxReceiveMessageSize(kLongestMessage);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

Status Client::Call(const std::string& path, const google::protobuf::Message& request,
                    google::protobuf::Message* response) const {
  const Micros until = MachineNow() + patience_ * kSecond;
  while (true) {
    ASSIGN_OR_RETURN(std::string token, tokens_());
    const Status status =
        CallMethod(*channel_, path, token, MachineNow() + kAnswerWithin, request, response);
    const bool away = status.code() == absl::StatusCode::kUnavailable;
    if (!away || MachineNow() >= until) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

std::string Client::PathOf(const google::protobuf::Message& request) {
  return schema::MethodOfRequest(request.GetDescriptor())->path;
}

}  // namespace hub::ctl
