// A crowd that calls at once, on one connection to each process: each caller changes a setting of a
// service once, or reads as fast as it is answered until the program's input ends. Where nobody
// answers the call is made again.
// Prints 'begun' when all call, and one line of JSON when all are done.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/schema/schema.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "coproduction/scheduling/v1/settings.pb.h"
#include "google/protobuf/text_format.h"
#include "services/hubctl/call.h"
#include "services/hubctl/token.h"

namespace hub::crash {
namespace {

namespace scheduling = ::coproduction::scheduling::v1;
using google::protobuf::Message;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kPause = std::chrono::milliseconds(100);  // before another attempt
constexpr auto kPatience = std::chrono::seconds(120);

struct Options {
  ctl::Options hub;
  std::string service, seed;
  int callers = 60;
  bool read = false;
  bool plain = false;
};

struct Change {
  const char* type;  // of the settings
  const char* field;
  const char* setting;
};
const std::map<std::string, Change> kChanges = {
    {"membership", {"MembershipSettings", "membership_settings", "declaration_months"}},
    {"scheduling", {"SchedulingSettings", "scheduling_settings", "lead_days"}},
    {"engagement", {"EngagementSettings", "settings", "influence_days"}},
    {"remuneration", {"RemunerationSettings", "remuneration_settings", "claim_wait_days"}}};

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// The change of the n-th caller.
std::unique_ptr<Message> ChangeOf(const Options& options, int n) {
  const Change& change = kChanges.at(options.service);
  auto request = New(google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      absl::StrCat("coproduction.", options.service, ".v1.Update", change.type, "Request")));
  std::string name = change.type;
  name[0] = static_cast<char>(std::tolower(name[0]));
  google::protobuf::TextFormat::ParseFromString(
      absl::StrCat(change.field, " { name: 'forums/warwickshire/", name, "' ", change.setting, ": ",
                   1 + n % 10, " } update_mask { paths: '", change.setting, "' } request_id: '",
                   ctl::DerivedId(absl::StrCat(options.seed, "|", n)), "'"),
      request.get());
  return request;
}

class Crowd {
 public:
  explicit Crowd(const Options& options)
      : options_(options),
        servers_(std::make_shared<ctl::Servers>(options.hub.server, options.plain)),
        client_(servers_, ctl::Kept(ctl::TokensOf(options.hub))) {}

  // Whether no call was answered by anything but its answer or UNAVAILABLE.
  bool Run() {
    std::atomic<int> begun{0};
    std::atomic<bool> enough{false};
    std::vector<std::thread> callers;
    for (int i = 0; i < options_.callers; ++i) {
      callers.emplace_back([&, i] {
        ++begun;
        if (!options_.read) return ChangeOnce(i);
        while (!enough) Read();
      });
    }
    while (begun < options_.callers) std::this_thread::yield();
    std::printf("begun\n");
    std::fflush(stdout);
    while (options_.read && std::getchar() != EOF) continue;
    enough = true;
    for (auto& caller : callers) caller.join();
    if (!failure_.empty()) std::fprintf(stderr, "%s\n", failure_.c_str());
    std::printf("{\"done\": %lld, \"unanswered\": {%s}}\n", static_cast<long long>(done_),
                absl::StrJoin(unanswered_, ", ", [](std::string* out, const auto& code) {
                  absl::StrAppend(out, "\"", code.first, "\": ", code.second);
                }).c_str());
    return failure_.empty();
  }

  // Something that nothing holds up: then it is connected.
  Status Connect() {
    ctl::Options as = options_.hub;
    as.as = "operator";
    const ctl::Client client(servers_, ctl::TokensOf(as), 30);
    return client
        .CallEach<coproduction::hub::v1::HubStatus>(coproduction::hub::v1::GetStatusRequest())
        .status();
  }

 private:
  void ChangeOnce(int n) {
    const auto request = ChangeOf(options_, n);
    const auto* method = schema::MethodOfRequest(request->GetDescriptor());
    const auto answer = New(method->descriptor->output_type());
    const auto until = SteadyClock::now() + kPatience;
    while (Again(client_.Call(method->path, *request, answer.get())) &&
           SteadyClock::now() < until) {
      std::this_thread::sleep_for(kPause);
    }
  }

  void Read() {
    scheduling::GetSchedulingSettingsRequest request;
    request.set_name("forums/warwickshire/schedulingSettings");
    Again(client_.Call<scheduling::SchedulingSettings>(request).status());
  }

  bool Again(const Status& status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (status.ok()) {
      ++done_;
      return false;
    }
    ++unanswered_[absl::StatusCodeToString(status.code())];
    if (status.code() == absl::StatusCode::kUnavailable) return true;
    failure_ = MessageOf(status);
    return status.code() == absl::StatusCode::kDeadlineExceeded;
  }

  const Options options_;
  const std::shared_ptr<const ctl::Servers> servers_;
  const ctl::Client client_;
  std::mutex mutex_;
  int64_t done_ = 0;
  std::map<std::string, int> unanswered_;
  std::string failure_;
};

}  // namespace
}  // namespace hub::crash

int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape): it may end of its faults
  hub::crash::Options options;
  options.hub.as = "chair";
  CLI::App app("A crowd that calls at once.");
  app.add_option("--server", options.hub.server, "HOST:PORT, or service=HOST:PORT,...");
  app.add_option("--state", options.hub.state, "the hub's folder, for its tokens")->required();
  app.add_option("--callers", options.callers, "how many call");
  app.add_option("--service", options.service, "each changes a setting of it once");
  app.add_option("--seed", options.seed, "of the changes' request_ids");
  app.add_flag("--read", options.read, "or each reads a setting again and again");
  app.add_flag("--plain", options.plain, "without watching the health of the processes");
  CLI11_PARSE(app, argc, argv);
  hub::crash::Crowd crowd(options);
  if (const hub::Status status = crowd.Connect(); !status.ok()) {
    std::fprintf(stderr, "%s\n", hub::MessageOf(status).c_str());
    return 2;
  }
  return crowd.Run() ? 0 : 1;
}
