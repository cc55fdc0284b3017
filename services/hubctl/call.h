// The way to the hub: a channel to it, or to each of its services, and a token for each call from
// whoever speaks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/base/status.h"
#include "common/rpc/peers.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"

namespace hub::ctl {

// What every command takes.
struct Options {
  std::string server = "127.0.0.1:7400";  // or service=host:port,... for each process
  std::string token;
  std::string token_file;
  std::string as;         // 'chair', 'rep:R03': signed with the state's development issuer
  std::string state;      // the hub's folder
  std::string authority;  // PEM file: who signed the server's certificate; empty: no TLS
  std::string forum;      // 'warwickshire'
  std::string format;
};

// As whom it is spoken where nobody is said.
Options SpeakingAs(const std::string& role, Options options);

// The token of this moment.
using Tokens = std::function<StatusOr<std::string>()>;
// From --as, --token, --token-file or HUB_TOKEN; no token at all where none is given.
Tokens TokensOf(const Options& options);
// The same token for some minutes: the hub knows again what it has checked. For many threads.
Tokens Kept(Tokens tokens);

// The processes of a hub, as --server names them.
class Servers {
 public:
  // `plain`: without asking whether a process is about to stop.
  explicit Servers(const std::string& server, bool plain = false,
                   const std::string& authority = "");
  // To the service whose method it is. What every process answers for itself (GetStatus, SetDate,
  // ListEvents) has no one answer where there are several.
  StatusOr<grpc::Channel*> ChannelFor(const std::string& path) const;
  const Status& mistake() const { return mistake_; }  // in how they are named
  const std::vector<std::shared_ptr<grpc::Channel>>& each() const { return each_; }

 private:
  Status mistake_;
  std::vector<std::shared_ptr<grpc::Channel>> each_;  // one to each process
  std::map<std::string, std::shared_ptr<grpc::Channel>> services_;
};

class Client {
 public:
  // A call that cannot reach the hub is tried again until `patience` has passed: only for callers
  // whose requests carry a request_id.
  Client(std::shared_ptr<const Servers> servers, Tokens tokens, int patience_seconds = 0)
      : servers_(std::move(servers)), tokens_(std::move(tokens)), patience_(patience_seconds) {}
  explicit Client(const Options& options, int patience_seconds = 0)
      : Client(std::make_shared<Servers>(options.server, false, options.authority),
               TokensOf(options), patience_seconds) {}

  Status Call(const std::string& path, const google::protobuf::Message& request,
              google::protobuf::Message* response) const;
  // The method whose request this is.
  template <class Response, class Request>
  StatusOr<Response> Call(const Request& request) const {
    Response response;
    RETURN_IF_ERROR(Call(PathOf(request), request, &response));
    return response;
  }
  // The same of every process, one after the other.
  template <class Response, class Request>
  StatusOr<std::vector<Response>> CallEach(const Request& request) const {
    RETURN_IF_ERROR(servers_->mistake());
    std::vector<Response> responses;
    for (const auto& process : servers_->each()) {
      RETURN_IF_ERROR(CallAt(process.get(), PathOf(request), request, &responses.emplace_back()));
    }
    return responses;
  }
  // Of one of the processes.
  Status CallOne(size_t process, const google::protobuf::Message& request,
                 google::protobuf::Message* response) const {
    return CallAt(servers_->each()[process].get(), PathOf(request), request, response);
  }

 private:
  static std::string PathOf(const google::protobuf::Message& request);
  Status CallAt(grpc::Channel* channel, const std::string& path,
                const google::protobuf::Message& request,
                google::protobuf::Message* response) const;

  std::shared_ptr<const Servers> servers_;
  Tokens tokens_;
  int patience_;
};

// 'forums/warwickshire' by --forum or HUB_FORUM, without which the command cannot be done.
StatusOr<std::string> ForumFor(const std::string& command, const Options& options);

inline constexpr int kPageSize = 1000;
// Page after page of a list.
template <class Page, class Request>
Status EachPage(const Client& client, Request request,
                absl::FunctionRef<Status(const Page&)> each) {
  request.set_page_size(kPageSize);
  do {
    ASSIGN_OR_RETURN(const auto page, client.Call<Page>(request));
    RETURN_IF_ERROR(each(page));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return Status();
}
template <class Page, class Request>
StatusOr<Page> AllPages(const Client& client, const Request& request) {
  Page all;
  RETURN_IF_ERROR(EachPage<Page>(client, request, [&](const Page& page) {
    all.MergeFrom(page);
    return Status();
  }));
  all.clear_next_page_token();
  return all;
}

// What every process answers for its own services, page after page, as one. A process that has
// nothing of it (RESOURCE_NOT_FOUND) is passed over; where all have nothing, that is the answer.
template <class Page, class Request>
StatusOr<Page> WholeOf(const Options& options, Request request) {
  const auto servers = std::make_shared<Servers>(options.server, false, options.authority);
  RETURN_IF_ERROR(servers->mistake());
  const Client client(servers, TokensOf(options));
  Page whole;
  Status nothing;
  bool any = false;
  for (size_t process = 0; process < servers->each().size(); ++process) {
    request.clear_page_token();
    do {
      Page page;
      const Status answered = client.CallOne(process, request, &page);
      if (ReasonOf(answered) == errors::RESOURCE_NOT_FOUND) {
        nothing = answered;
        break;
      }
      RETURN_IF_ERROR(answered);
      any = true;
      request.set_page_token(page.next_page_token());
      page.clear_next_page_token();
      whole.MergeFrom(page);
    } while (!request.page_token().empty());
  }
  if (!any) RETURN_IF_ERROR(nothing);
  return whole;
}

}  // namespace hub::ctl
