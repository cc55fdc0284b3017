// The way to the hub: one channel, and a token for each call from whoever speaks.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"

namespace hub::ctl {

// What every command takes.
struct Options {
  std::string server = "127.0.0.1:7400";
  std::string token;
  std::string token_file;
  std::string as;     // 'chair', 'rep:R03': signed with the state's development issuer
  std::string state;  // the hub's folder
  std::string forum;  // 'warwickshire'
  std::string format;
};

// The token of this moment.
using Tokens = std::function<StatusOr<std::string>()>;
// From --as, --token, --token-file or HUB_TOKEN; no token at all where none is given.
Tokens TokensOf(const Options& options);

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& server);

class Client {
 public:
  // A call that cannot reach the hub is tried again until `patience` has passed: only for callers
  // whose requests carry a request_id.
  Client(std::shared_ptr<grpc::Channel> channel, Tokens tokens, int patience_seconds = 0)
      : channel_(std::move(channel)), tokens_(std::move(tokens)), patience_(patience_seconds) {}
  explicit Client(const Options& options, int patience_seconds = 0)
      : Client(ChannelTo(options.server), TokensOf(options), patience_seconds) {}

  Status Call(const std::string& path, const google::protobuf::Message& request,
              google::protobuf::Message* response) const;
  // The method whose request this is.
  template <class Response, class Request>
  StatusOr<Response> Call(const Request& request) const {
    Response response;
    RETURN_IF_ERROR(Call(PathOf(request), request, &response));
    return response;
  }

 private:
  static std::string PathOf(const google::protobuf::Message& request);

  std::shared_ptr<grpc::Channel> channel_;
  Tokens tokens_;
  int patience_;
};

}  // namespace hub::ctl
