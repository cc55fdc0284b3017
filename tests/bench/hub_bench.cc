// How fast the door is, as a ratio against a bare gRPC echo of the same message in the same run:
// the same server flags, client, channel and number of calls under way. Rounds are interleaved and
// the median counts. Prints rows {name, value, reference, ratio}; values are calls a second.
#include <sys/statfs.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>

#include "common/rpc/wire.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "services/membership/module.h"
#include "services/scheduling/module.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::membership::v1;
namespace options = ::coproduction::options::v1;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 3;
constexpr int kCallsARound = 20000;

class Echo : public grpc::Service {
 public:
  Echo() {
    AddMethod(new grpc::internal::RpcServiceMethod("/bench.Echo/Echo",
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodCallback(0,
                       new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                           [](grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                              grpc::ByteBuffer* out) {
                             v1::Member member;  // parsed and written, as the door must
                             grpc::ByteBuffer copy(*in);
                             FromBuffer(&copy, &member);
                             *out = ToBuffer(member);
                             auto* reactor = context->DefaultReactor();
                             reactor->Finish(grpc::Status::OK);
                             return reactor;
                           }));
  }
};

// Keeps `width` calls under way until `calls` are answered; calls a second.
double Drive(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
             const std::string& token, int width, int calls,
             const std::function<grpc::ByteBuffer(int)>& request) {
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer in, out;
  };
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(channel);
  std::atomic<int> begun{0}, ended{0}, failed{0};
  std::mutex mutex;
  std::condition_variable done;
  std::function<void()> next = [&] {
    const int number = begun++;
    if (number >= calls) return;
    auto* call = new Call;
    if (!token.empty()) call->context.AddMetadata("authorization", "Bearer " + token);
    call->in = request(number);
    stub.UnaryCall(&call->context, path, grpc::StubOptions(), &call->in, &call->out,
                   [&, call](grpc::Status status) {
                     if (!status.ok() && failed++ == 0) {
                       std::fprintf(stderr, "%s: %s\n", path.c_str(),
                                    status.error_message().c_str());
                     }
                     delete call;
                     next();
                     // Under the lock: who waits destroys what this touches.
                     std::lock_guard<std::mutex> lock(mutex);
                     if (++ended == calls) done.notify_one();
                   });
  };
  const auto from = Clock::now();
  for (int i = 0; i < width; ++i) next();
  std::unique_lock<std::mutex> lock(mutex);
  done.wait(lock, [&] { return ended == calls; });
  if (failed > 0) {
    std::fprintf(stderr, "%d of %d calls failed: no figure\n", failed.load(), calls);
    std::exit(1);
  }
  return calls / std::chrono::duration<double>(Clock::now() - from).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Run(bool json) {
  struct statfs fs;
  constexpr int64_t kTmpfs = 0x01021994;
  if (statfs("/tmp", &fs) == 0 && fs.f_type == kTmpfs) {
    std::fprintf(stderr, "/tmp is a tmpfs: an fsync there costs nothing, so no figure is true\n");
    return 1;
  }
  testing::MiniService mini(membership::MakeMembershipModule());
  const std::string admin = mini.Token(options::MEMBERSHIP_ADMIN);
  std::vector<v1::Member> members;
  std::vector<v1::Rep> reps;
  for (int i = 0; i < 256; ++i) {
    v1::CreateMemberRequest create;
    create.set_parent(testing::kForum);
    create.mutable_member()->set_given_name("Ash");
    create.mutable_member()->set_family_name("Example");
    create.mutable_member()->set_joined_on("2021-05-04");
    auto member = mini.Call<v1::Member>(admin, create);
    if (!member.ok()) return 1;
    members.push_back(*member);
    v1::CreateRepRequest apply;
    apply.set_parent(testing::kForum);
    apply.set_member(member->name());
    auto rep = mini.Call<v1::Rep>(admin, apply);
    if (!rep.ok()) return 1;
    reps.push_back(*rep);
  }
  testing::MiniService planning(scheduling::MakeSchedulingModule());
  const std::string facilitator = planning.Token(options::FACILITATOR);
  std::vector<std::string> asked;
  for (int i = 0; i < 256; ++i) {
    coproduction::scheduling::v1::CreateRequestRequest create;
    create.set_parent(testing::kForum);
    create.mutable_request()->set_title("Short breaks");
    create.mutable_request()->set_minutes_wanted(20);
    auto request =
        planning.Call<coproduction::scheduling::v1::EngagementRequest>(facilitator, create);
    if (!request.ok()) {
      std::fprintf(stderr, "%s\n", MessageOf(request.status()).c_str());
      return 1;
    }
    asked.push_back(request->name());
  }
  Echo echo;
  grpc::ServerBuilder builder;
  int echo_port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &echo_port);
  builder.RegisterService(&echo);
  auto echo_server = builder.BuildAndStart();
  auto channel = [](int port) {
    return grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                               grpc::InsecureChannelCredentials());
  };
  auto hub = channel(mini.port()), other = channel(planning.port()), bare = channel(echo_port);
  auto get_request = [&](int i) {
    coproduction::scheduling::v1::GetRequestRequest get;
    get.set_name(asked[i % asked.size()]);
    return ToBuffer(get);
  };

  struct Row {
    const char* name;
    std::string path;
    std::function<grpc::ByteBuffer(int)> request;
    const std::shared_ptr<grpc::Channel>& at;
    std::string token;
    std::vector<double> values = {}, references = {};
  };
  std::vector<Row> rows = {
      {"write64", "/coproduction.membership.v1.Members/UpdateMember",
       [&](int i) {
         v1::UpdateMemberRequest update;
         update.mutable_member()->set_name(members[i % members.size()].name());
         update.mutable_member()->set_phone("07700 9" + std::to_string(10000 + i));
         update.mutable_update_mask()->add_paths("phone");
         update.set_request_id(std::to_string(MachineNow()) + "-" + std::to_string(i));
         return ToBuffer(update);
       },
       hub, admin},
      {"read64", "/coproduction.membership.v1.Reps/GetRep",
       [&](int i) {
         v1::GetRepRequest get;
         get.set_name(reps[i % reps.size()].name());
         return ToBuffer(get);
       },
       hub, admin},
      {"logged64",  // a read that the access log keeps before it is answered
       "/coproduction.membership.v1.Members/GetMember",
       [&](int i) {
         v1::GetMemberRequest get;
         get.set_name(members[i % members.size()].name());
         return ToBuffer(get);
       },
       hub, admin},
      {"own64", "/coproduction.scheduling.v1.Requests/GetRequest", get_request, other,
       planning.Token(options::CHAIR)},
      {"crossed64",  // the same by a partner's: the register has it before it is answered
       "/coproduction.scheduling.v1.Requests/GetRequest", get_request, other, facilitator}};
  auto& store = *mini.runtime().engine().config().store;
  const int64_t jobs = store.jobs_committed(), commits = store.commits();
  for (int round = 0; round < kRounds; ++round) {
    for (auto& row : rows) {
      row.references.push_back(Drive(bare, "/bench.Echo/Echo", "", 64, kCallsARound,
                                     [&](int i) { return ToBuffer(members[i % 256]); }));
      row.values.push_back(Drive(row.at, row.path, row.token, 64, kCallsARound, row.request));
      std::fprintf(stderr, "round %d of %d: %s %.0f, echo %.0f\n", round + 1, kRounds, row.name,
                   row.values.back(), row.references.back());
    }
  }
  std::fprintf(stderr, "commands per commit: %.1f\n",
               static_cast<double>(store.jobs_committed() - jobs) /
                   static_cast<double>(store.commits() - commits));
  std::string out;
  for (const auto& row : rows) {
    const double value = Median(row.values), reference = Median(row.references);
    char text[200];
    std::snprintf(text, sizeof text,
                  json ? "{\"name\": \"%s\", \"value\": %.0f, \"reference\": %.0f, \"ratio\": %.2f}"
                       : "%-10s %10.0f %10.0f %8.2f",
                  row.name, value, reference, value / reference);
    out += (out.empty() ? "" : json ? ",\n " : "\n") + std::string(text);
  }
  std::printf(json ? "[%s]\n" : "name            value  reference    ratio\n%s\n", out.c_str());
  echo_server->Shutdown();
  return 0;
}

}  // namespace
}  // namespace hub

int main(int argc, char** argv) {
  return hub::Run(argc > 1 && std::strcmp(argv[1], "--format=json") == 0);
}
