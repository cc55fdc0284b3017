#include "services/hubctl/call.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/rpc/wire.h"
#include "common/schema/schema.h"
#include "services/hubctl/output.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

constexpr Micros kSecond = 1000000;
constexpr Micros kAnswerWithin = 30 * kSecond;
constexpr int kTokenSeconds = 600;
constexpr Micros kTokenKept = 300 * kSecond;
constexpr int kLongestMessage = 64 << 20;

}  // namespace

StatusOr<std::string> ForumFor(const std::string& command, const Options& options) {
  if (!options.forum.empty()) return "forums/" + options.forum;
  return UsageError(command + " needs to know the forum: --forum=warwickshire or HUB_FORUM");
}

Options SpeakingAs(const std::string& role, Options options) {
  if (options.as.empty() && options.token.empty() && options.token_file.empty()) options.as = role;
  return options;
}

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

Tokens Kept(Tokens tokens) {
  struct Token {
    std::mutex mutex;
    std::string text;
    Micros until = 0;
  };
  return [tokens = std::move(tokens), kept = std::make_shared<Token>()]() -> StatusOr<std::string> {
    std::lock_guard<std::mutex> lock(kept->mutex);
    if (MachineNow() >= kept->until) {
      ASSIGN_OR_RETURN(kept->text, tokens());
      kept->until = MachineNow() + kTokenKept;
    }
    return kept->text;
  };
}

Servers::Servers(const std::string& server, bool plain, const std::string& authority) {
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (!authority.empty()) {
    const auto roots = ReadFile(authority);
    mistake_ = roots.status();
    if (!mistake_.ok()) return;
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = *roots;
    credentials = grpc::SslCredentials(tls);
  }
  grpc::ChannelArguments arguments;
  if (plain) arguments.SetInt(GRPC_ARG_INHIBIT_HEALTH_CHECKING, 1);
  arguments.SetMaxReceiveMessageSize(kLongestMessage);
  if (server.find('=') == std::string::npos) {
    each_.push_back(ChannelTo(server, arguments, credentials));
    return;
  }
  const std::vector<std::string> entries = absl::StrSplit(server, ',');
  const auto targets = TargetsOf(entries);
  mistake_ = targets.status();
  if (!mistake_.ok()) return;
  for (const auto& [service, target] : *targets) {
    services_[service] = ChannelTo(target, arguments, credentials);
  }
  for (const std::string& entry : entries) {
    each_.push_back(ChannelTo(entry.substr(entry.find('=') + 1), arguments, credentials));
  }
}

StatusOr<grpc::Channel*> Servers::ChannelFor(const std::string& path) const {
  RETURN_IF_ERROR(mistake_);
  if (each_.size() == 1) return each_[0].get();
  const std::vector<std::string> parts = absl::StrSplit(path, '.');  // /coproduction.<service>...
  const auto service = services_.find(parts.size() > 1 ? parts[1] : "");
  if (service != services_.end()) return service->second.get();
  return InvalidField("server", path +
                                    " has no server among those that --server names: name the "
                                    "one that is meant");
}

Status Client::Call(const std::string& path, const google::protobuf::Message& request,
                    google::protobuf::Message* response) const {
  ASSIGN_OR_RETURN(grpc::Channel * channel, servers_->ChannelFor(path));
  return CallAt(channel, path, request, response);
}

Status Client::CallAt(grpc::Channel* channel, const std::string& path,
                      const google::protobuf::Message& request,
                      google::protobuf::Message* response) const {
  const Micros began = MachineNow(), until = began + patience_ * kSecond;
  while (true) {
    ASSIGN_OR_RETURN(std::string token, tokens_());
    const Status status =
        CallMethod(*channel, path, token, MachineNow() + kAnswerWithin, request, response);
    // Who is told when to come again comes then.
    const Micros delay = ReasonOf(status) == errors::LIMIT_REACHED ? DelayOf(status) : 0;
    if (delay > 0 && MachineNow() < std::max(until, began + kAnswerWithin)) {
      std::this_thread::sleep_for(std::chrono::microseconds(delay));
      continue;
    }
    const bool away = status.code() == absl::StatusCode::kUnavailable;
    if (!away || MachineNow() >= until) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

std::string Client::PathOf(const google::protobuf::Message& request) {
  return schema::MethodOfRequest(request.GetDescriptor())->path;
}

}  // namespace hub::ctl
