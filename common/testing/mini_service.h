// One service for its handler tests: the real door on a real port, engine and database (SQLite or
// PostgreSQL), tokens of both sides, and what other services would say. No broker: a test hands
// events over and reads what was published from the rows.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/daemon/hub_methods.h"
#include "common/testing/mini_postgres.h"
#include "grpcpp/server.h"

namespace hub::testing {

class MiniService {
 public:
  explicit MiniService(Module module, db::Engine engine = db::Engine::kSqlite);
  // Another replica of it, on the same rows of PostgreSQL. `first` mints its tokens and outlives
  // it.
  explicit MiniService(const MiniService* first);
  ~MiniService();
  // Stops it and starts it anew on its rows.
  void Restart();

  // A token of the forum's side, of partner 'wcc' or of the operator, by the role: the subject
  // 'chair' holds CHAIR in forums/warwickshire. `person` is the human behind it (a UUID).
  std::string Token(auth::Role role, const std::string& person = "");
  // The token of another service acting for nobody.
  std::string ServiceToken(const std::string& service);
  // A token of another forum's chair.
  std::string StrangerToken();

  template <class Resp, class Req>
  StatusOr<Resp> Call(const std::string& token, const Req& request) {
    Resp response;
    RETURN_IF_ERROR(Send(token, request, &response));
    return response;
  }
  // The same for a request of whatever type.
  Status Send(const std::string& token, const Message& request, Message* response) {
    return CallMethod(*channel_, schema::MethodOfRequest(request.GetDescriptor())->path, token,
                      MachineNow() + 20 * 1000000ll, request, response);
  }
  // What another service answers to requests of that type, while this object lives.
  template <class Req, class Resp>
  void Answer(std::function<StatusOr<Resp>(const Req&)> answer) {
    answers_[Req::descriptor()] = [answer](const Message& in, Message* out) -> Status {
      ASSIGN_OR_RETURN(Resp response, answer(static_cast<const Req&>(in)));
      out->CopyFrom(response);
      return Status();
    };
  }
  // Another service's event, as if the stream had brought it: version and sequence are counted up.
  Status Deliver(const std::string& aggregate, const Message& event);
  // The bodies of events of type E that were published to a receiver, oldest first.
  template <class E>
  std::vector<E> Published(const std::string& receiver = "services") {
    std::vector<E> found;
    for (const auto& event : Events(receiver)) {
      if (event.type() != E::descriptor()->full_name()) continue;
      found.emplace_back();
      EXPECT_TRUE(found.back().ParseFromString(event.data()));
    }
    return found;
  }
  std::vector<coproduction::hub::v1::Event> Events(const std::string& receiver);
  // Sets the hub's date and runs the timers that fall due.
  void SetDate(const std::string& date);
  int64_t Rows(const std::string& table);

  Runtime& runtime() { return *process_.runtimes[0]; }
  // The door's port on 127.0.0.1, for clients that come over the network.
  int port() const { return port_; }

 private:
  class AnsweringPeers;
  void Start();
  // As if the forum had agreed with 'wcc' to share everything that can be.
  void ShareAll();
  void Stop();

  Module module_;
  Runtime::Options options_;
  std::map<const google::protobuf::Descriptor*, std::function<Status(const Message&, Message*)>>
      answers_;
  std::string folder_;
  std::string schema_suffix_;
  std::map<std::string, std::unique_ptr<auth::Signer>> signers_;
  std::shared_ptr<const auth::Signer> inside_;
  std::map<std::string, std::vector<auth::Grant>> grants_;  // by issuer|subject
  std::unique_ptr<privacy::KeyStore> keys_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<Peers> peers_;
  Process process_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::map<std::string, int64_t> delivered_;
};

inline constexpr char kForum[] = "forums/warwickshire";

// For EXPECT_TRUE(Refused(status, errors::RULE_REFUSED, "late")).
::testing::AssertionResult Refused(const Status& status, errors::ErrorReason reason,
                                   const std::string& about = "");

inline std::string EngineName(const ::testing::TestParamInfo<db::Engine>& info) {
  return info.param == db::Engine::kSqlite ? "Sqlite" : "Postgres";
}

}  // namespace hub::testing

// The tests of a fixture, a ::testing::TestWithParam<db::Engine>, on each of the two databases.
#define ON_BOTH_DATABASES(Fixture)                                                 \
  INSTANTIATE_TEST_SUITE_P(                                                        \
      BothDatabases, Fixture,                                                      \
      ::testing::Values(::hub::db::Engine::kSqlite, ::hub::db::Engine::kPostgres), \
      ::hub::testing::EngineName)
