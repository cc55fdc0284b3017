// How services reach each other: a channel each, in-process where they share one, dns:/// with
// round robin in a cluster. Methods are called by the descriptor of their request, with no
// generated stubs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/date.h"
#include "common/schema/schema.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace hub {

class Peers {
 public:
  virtual ~Peers() = default;
  void Set(const std::string& service, std::shared_ptr<grpc::Channel> channel) {
    channels_[service] = std::move(channel);
  }
  // Waits for the answer. Errors are the peer's own, with their reason; a peer that is away is
  // TEMPORARILY_UNAVAILABLE, after another of its processes was asked.
  Status Call(const std::string& token, Micros deadline, const google::protobuf::Message& request,
              google::protobuf::Message* response) const;
  // The same at a named service, for methods that every process answers.
  virtual Status CallService(const std::string& service, const std::string& token, Micros deadline,
                             const google::protobuf::Message& request,
                             google::protobuf::Message* response) const;

 private:
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
};

// Where services are, from entries 'service=address'. A service of several processes is named once
// for each, by IPv4 addresses; calls then go round. By service, what a channel is made to.
StatusOr<std::map<std::string, std::string>> TargetsOf(const std::vector<std::string>& entries);
// `credentials`: null for a plain connection.
std::shared_ptr<grpc::Channel> ChannelTo(
    const std::string& target, grpc::ChannelArguments arguments,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials = nullptr);

// The same for any channel and path: the command line and tests.
Status CallMethod(grpc::Channel& channel, const std::string& path, const std::string& token,
                  Micros deadline, const google::protobuf::Message& request,
                  google::protobuf::Message* response);

}  // namespace hub
