#include "common/daemon/daemon.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "common/base/file.h"
#include "common/base/version.h"
#include "common/config/flags.h"
#include "common/daemon/hub_methods.h"
#include "common/fault/failpoint.h"
#include "common/rpc/directory.h"
#include "common/rpc/gate.h"
#include "common/rpc/limits.h"
#include "common/rpc/tls.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace hub {
namespace {

namespace fs = std::filesystem;

// A process that is asked to stop is gone after so long, whatever is still under way.
constexpr int kGraceSeconds = 20;
// So long it still serves those who do not watch its health, who would come until it is gone.
constexpr std::chrono::milliseconds kMostNotice(500);
constexpr int kMostMetadataBytes = 16384;  // a token is at most 8 KiB
constexpr int kMostMessageBytes = 4 << 20;

std::string Or(const std::string& value, const std::string& otherwise) {
  return value.empty() ? otherwise : value;
}

StatusOr<Limits::Options> LimitsOfFlags() {
  const double per_second = absl::GetFlag(FLAGS_calls_per_second);
  const int at_once = absl::GetFlag(FLAGS_calls_at_once);
  const int bytes = absl::GetFlag(FLAGS_request_bytes);
  const int seconds = absl::GetFlag(FLAGS_call_seconds);
  if (per_second < 0) return InvalidField("calls_per_second", "--calls_per_second is below 0");
  if (at_once < 0) return InvalidField("calls_at_once", "--calls_at_once is below 0");
  if (bytes < 1 || bytes > kMostMessageBytes) {
    return InvalidField("request_bytes",
                        "--request_bytes is not 1 to " + std::to_string(kMostMessageBytes));
  }
  if (seconds < 1) return InvalidField("call_seconds", "--call_seconds is below 1");
  Limits::Options options;
  options.per_second = per_second;
  options.burst = std::max(1.0, 2 * per_second);
  options.at_once = at_once;
  options.request_bytes = static_cast<size_t>(bytes);
  options.longest = seconds * int64_t{1000000};
  return options;
}

// Whether the database holds anything of the modules. It makes nothing there.
StatusOr<bool> HasData(const std::string& database, const std::vector<Module>& modules) {
  if (database.rfind("sqlite:", 0) == 0) return fs::exists(database.substr(7));
  int64_t tables = 0;
  for (const Module& module : modules) {
    db::StoreOptions options;
    options.url = database;
    options.schema = module.name;
    options.readers = 1;
    options.read_only = true;
    ASSIGN_OR_RETURN(auto store, db::Store::Open(options));
    RETURN_IF_ERROR(store->ReadAndWait([&](db::Conn& conn) {
      return conn.Query("SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()", {},
                        [&](const db::Row& row) {
                          tables += row.Int(0);
                          return Status();
                        });
    }));
  }
  return tables > 0;
}

Status MarkDemo(const std::string& state, const std::string& database,
                const std::vector<Module>& modules, Process* process) {
  process->demo_file = state + "/demo";
  std::ifstream mark(process->demo_file);
  std::string date;
  if (mark) {
    std::getline(mark, date);
    process->demo = true;
    if (IsDate(date)) process->clock.SetDate(date);
  } else if (absl::GetFlag(FLAGS_demo)) {
    // Only a state without data: a real hub's date must never move by a command.
    ASSIGN_OR_RETURN(const bool has_data, HasData(database, modules));
    if (has_data) {
      return InvalidField("demo", "--demo marks a new state only, and the database of '" + state +
                                      "' has data already; name another folder by --state, and by "
                                      "--database another database if you name one");
    }
    std::ofstream(process->demo_file) << "";  // no date yet: the first may be any
    process->demo = true;
  }
  if (process->demo && absl::GetFlag(FLAGS_production)) {
    return InvalidField("production", "'" + state +
                                          "' is a demonstration's state, which a production server "
                                          "refuses; name another folder by --state");
  }
  return Status();
}

// What hangs is cut off as by a crash, which takes nothing of what was answered.
void CutOffAfter(int seconds, Gate* gate) {
  std::thread([seconds, gate] {
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    std::fprintf(stderr, "not done after %d seconds, %lld calls under way are cut off\n", seconds,
                 static_cast<long long>(gate->inside()));
    std::_Exit(1);
  }).detach();
}

// A core would hold keys and what they seal. Where a program takes cores, the limit alone would not
// do.
void WriteNoCore() {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

Status Run(std::vector<Module> modules, sigset_t* signals) {
  const auto mistakes = schema::Mistakes();
  if (!mistakes.empty()) return Internal("the schema has a mistake: " + mistakes[0]);
  const auto failpoints = absl::GetFlag(FLAGS_failpoints);
  if (absl::GetFlag(FLAGS_production) && !failpoints.empty()) {
    return InvalidField("failpoints", "--failpoints is for tests; a production server has none");
  }
  RETURN_IF_ERROR(fault::Arm(failpoints));
  const std::string state = absl::GetFlag(FLAGS_state);
  if (state.empty()) {
    return InvalidField("state", "--state is required: a folder of its own for this hub");
  }
  std::error_code error;
  fs::create_directories(state, error);
  if (error) return InvalidField("state", "folder '" + state + "' cannot be made");
  Process process;
  const std::string database = Or(absl::GetFlag(FLAGS_database), "sqlite:" + state + "/data");
  RETURN_IF_ERROR(MarkDemo(state, database, modules, &process));
  if (database.rfind("sqlite:", 0) == 0) fs::create_directories(database.substr(7), error);

  ASSIGN_OR_RETURN(auto masters, privacy::MasterKeys::Read(absl::GetFlag(FLAGS_master_key), state));
  db::StoreOptions keys_options;
  keys_options.url = Or(absl::GetFlag(FLAGS_keys_database), "sqlite:" + state + "/keys/keys.db");
  keys_options.schema = "keys";
  fs::create_directories(state + "/keys", error);
  ASSIGN_OR_RETURN(auto keys_store, db::Store::Open(keys_options));
  ASSIGN_OR_RETURN(auto keys, privacy::KeyStore::Open(std::move(keys_store), std::move(masters)));
  RETURN_IF_ERROR(keys->KeepErasures(Or(absl::GetFlag(FLAGS_erasures), state + "/erasures")));
  auth::Trust::Options trusted;
  trusted.issuers = Or(absl::GetFlag(FLAGS_issuers), state + "/issuers/issuers.json");
  trusted.services = absl::GetFlag(FLAGS_services);
  trusted.kept = state + "/fetched";
  trusted.production = absl::GetFlag(FLAGS_production);
  ASSIGN_OR_RETURN(std::shared_ptr<auth::Trust> trust, auth::Trust::Open(trusted));
  const std::string inside_file = Or(absl::GetFlag(FLAGS_inside_key), state + "/inside.pem");
  ASSIGN_OR_RETURN(std::string inside_pem, ReadFile("inside_key", inside_file));
  ASSIGN_OR_RETURN(auto inside,
                   auth::Signer::FromPem(inside_pem, fs::path(inside_file).stem().string()));
  auth::Authenticator authenticator(trust, std::move(inside));

  for (const Module& module : modules) {
    ASSIGN_OR_RETURN(const std::string token,
                     authenticator.InsideToken(module.name, auth::ServicePrincipal(module.name)));
    if (authenticator.Known(token) == nullptr) {
      return InvalidField("inside_key", "the key in '" + inside_file + "' is not that of '" +
                                            module.name + "' in '" + trusted.services +
                                            "': list it there, under the name of its file");
    }
  }

  std::vector<events::Receiver> receivers;
  const std::string receivers_file = Or(absl::GetFlag(FLAGS_receivers), state + "/receivers.json");
  if (!absl::GetFlag(FLAGS_receivers).empty() || fs::exists(receivers_file)) {
    ASSIGN_OR_RETURN(receivers, events::ReadReceivers(receivers_file));
  }

  const TlsFiles tls{absl::GetFlag(FLAGS_tls_certificate), absl::GetFlag(FLAGS_tls_key),
                     absl::GetFlag(FLAGS_tls_authority)};
  RETURN_IF_ERROR(CheckTlsFiles(tls));
  Peers peers;
  ASSIGN_OR_RETURN(const auto targets, TargetsOf(absl::GetFlag(FLAGS_peers)));
  if (!targets.empty() && !tls.certificate.empty() && tls.authority.empty()) {
    return InvalidField("tls_authority",
                        "--peers are called over TLS too: say by --tls_authority who signs the "
                        "services' certificates");
  }
  for (const auto& [service, target] : targets) {
    grpc::ChannelArguments arguments;
    // Whatever its address is, its certificate says that it is this service.
    if (!tls.authority.empty()) arguments.SetSslTargetNameOverride(service);
    peers.Set(service, ChannelTo(target, arguments, PeerCredentials(tls)));
  }
  // Every service looks grants up at membership, which asks itself in the same way.
  authenticator.SetDirectory([&](const std::string& issuer, const std::string& subject) {
    return AskGrants(authenticator, peers, process.runtimes[0]->name(), issuer, subject);
  });

  Gate gate;
  ASSIGN_OR_RETURN(const Limits::Options limited, LimitsOfFlags());
  Limits limits(limited);
  Runtime::Options options;
  options.database = database;
  options.keys = keys.get();
  options.clock = &process.clock;
  options.authenticator = &authenticator;
  options.peers = &peers;
  options.gate = &gate;
  options.limits = &limits;
  options.certificates = !tls.certificate.empty();
  options.receivers = receivers;
  options.replica = absl::GetFlag(FLAGS_replica);
  options.demo = process.demo;
  options.workers = absl::GetFlag(FLAGS_workers);
  if (options.workers < 1) return InvalidField("workers", "--workers is below 1");
  for (auto& module : modules) {
    ASSIGN_OR_RETURN(auto runtime, Runtime::Open(std::move(module), options));
    process.runtimes.push_back(std::move(runtime));
  }
  for (auto& runtime : process.runtimes) RETURN_IF_ERROR(runtime->EraseListed());
  BindHubMethods(process.runtimes[0]->door(), process);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::GetFlag(FLAGS_listen), ServerCredentials(tls), &port);
  builder.SetMaxReceiveMessageSize(kMostMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMostMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a taken port is refused, not shared
  for (auto& runtime : process.runtimes) runtime->door().Register(&builder);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return InvalidField("listen",
                        "'" + absl::GetFlag(FLAGS_listen) +
                            "' cannot be listened on; another process has the port, or it "
                            "is no address: choose another by --listen");
  }
  for (auto& runtime : process.runtimes) {
    peers.Set(runtime->name(), server->InProcessChannel(grpc::ChannelArguments()));
  }
  for (auto& runtime : process.runtimes) RETURN_IF_ERROR(runtime->Start());
  std::string names;
  for (auto& runtime : process.runtimes) names += " " + runtime->name();
  std::printf("serving%s on port %d\n", names.c_str(), port);
  std::fflush(stdout);

  int signal = 0;
  sigwait(signals, &signal);
  CutOffAfter(kGraceSeconds, &gate);
  std::printf("stopping, %lld calls under way\n", static_cast<long long>(gate.inside()));
  std::fflush(stdout);
  // Who watches the health goes elsewhere, and is served until then.
  server->GetHealthCheckService()->SetServingStatus(false);
  for (auto& runtime : process.runtimes) runtime->Rest();
  gate.AwaitQuiet(kMostNotice);
  gate.Close();
  gate.AwaitEmpty();
  for (auto& runtime : process.runtimes) runtime->Drain();
  // The server is not shut down: it would tell CANCELLED to a call that reaches it in that moment,
  // which no client sends again (grpc/grpc#41785), and an in-process channel used after it ends the
  // process with a fault. With the process its connections end, which is UNAVAILABLE.
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace

int RunDaemon(int argc, char** argv, const char* what, std::vector<Module> modules) {
  absl::SetProgramUsageMessage(what);
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = usage.contains_helpshort_flags = [](absl::string_view file) {
    return absl::EndsWith(file, "common/config/flags.cc");  // and not those of libraries
  };
  usage.version_string = [] { return "coproduction hub " + HubVersion() + "\n"; };
  absl::SetFlagsUsageConfig(usage);
  absl::ParseCommandLine(argc, argv);
  WriteNoCore();
  // Blocked before any thread starts, so that only sigwait() takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Status status = Run(std::move(modules), &signals);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", MessageOf(status).c_str());
  return 1;
}

}  // namespace hub
