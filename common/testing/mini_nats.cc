#include "common/testing/mini_nats.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/file.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace hub::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr int kPortsTried = 5;
// Below the range from which the system takes ports for outgoing connections: one of those, trying
// to reach the server that is down, could otherwise get the very port and connect to itself.
constexpr int kFirstPort = 20000, kLastPort = 32000;

class Socket {
 public:
  bool Bind(int port) {
    sockaddr_in address = Local(port);
    return bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  // Whether a server that speaks first says that word there.
  bool Hears(int port, const std::string& word) {
    timeval patience = {1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address = Local(port);
    if (connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      return false;
    }
    std::string heard(word.size(), '\0');
    return recv(fd_.get(), heard.data(), heard.size(), MSG_WAITALL) ==
               static_cast<ssize_t>(word.size()) &&
           heard == word;
  }

 private:
  static sockaddr_in Local(int port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  const Fd fd_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

int FreePort() {
  static std::mt19937 random{std::random_device{}()};
  while (true) {
    int port = std::uniform_int_distribution<int>(kFirstPort, kLastPort)(random);
    if (Socket().Bind(port)) return port;
  }
}

// Starts a program that ends when we do.
pid_t Spawn(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const std::string rarely_in_path = "/usr/sbin/" + words[0];
  const pid_t parent = getpid();
  const Fd output(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const pid_t child = fork();
  if (child != 0) return child;
  // Only calls that are safe between fork and exec of a process with threads.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  setpgid(0, 0);  // an interrupt at the terminal is for us
  dup2(output.get(), 1);
  dup2(output.get(), 2);
  execvp(argv[0], argv.data());
  execv(rarely_in_path.c_str(), argv.data());
  _exit(127);
}

int Wait(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

StatusOr<std::unique_ptr<MiniNats>> MiniNats::Start(const std::string& config) {
  auto nats = std::unique_ptr<MiniNats>(new MiniNats);
  char folder[] = "/tmp/hub-nats-XXXXXX";
  if (mkdtemp(folder) == nullptr) return Internal("cannot make a folder in /tmp");
  nats->folder_ = folder;
  Status status;
  for (int i = 0; i < kPortsTried; ++i) {  // another process may take the port before the server
    nats->port_ = FreePort();
    RETURN_IF_ERROR(nats->Configure(config));
    status = nats->Resume();
    if (status.ok()) break;
  }
  RETURN_IF_ERROR(status);
  return nats;
}

Status MiniNats::Configure(const std::string& config) {
  if (!config.empty()) {
    std::ofstream(folder_ + "/nats.conf")
        << absl::StrReplaceAll(config, {{"{port}", absl::StrCat(port_)}, {"{folder}", folder_}});
    return Status();
  }
  const std::filesystem::path root = HUB_SOURCE;  // where deploy/nats stands: from the build
  const std::string script = root / "deploy/nats/make-config.sh";
  int result = Wait(Spawn({"sh", script, folder_, std::to_string(port_)}, folder_ + "/log"));
  if (result != 0) {
    return Internal(absl::StrCat(script, " failed: ", Contents(folder_ + "/log").value_or("")));
  }
  ASSIGN_OR_RETURN(receivers_, events::ReadReceivers(receivers_path()));
  return Status();
}

Status MiniNats::Resume() {
  server_ = Spawn({"nats-server", "-c", folder_ + "/nats.conf"}, folder_ + "/log");
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    int status = 0;
    if (waitpid(server_, &status, WNOHANG) == server_) {
      server_ = 0;
      return Internal(
          WIFEXITED(status) && WEXITSTATUS(status) == 127
              ? "nats-server is not installed (package nats-server)"
              : absl::StrCat("nats-server ended: ", Contents(folder_ + "/log").value_or("")));
    }
    if (Socket().Hears(port_, "INFO ")) return Status();  // it listens after JetStream has started
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  End(SIGKILL);
  return Internal(
      absl::StrCat("nats-server does not listen: ", Contents(folder_ + "/log").value_or("")));
}

void MiniNats::End(int signal) {
  if (server_ == 0) return;
  kill(server_, signal);
  Wait(server_);
  server_ = 0;
}

void MiniNats::Stop() { End(SIGTERM); }
void MiniNats::Kill() { End(SIGKILL); }

MiniNats::~MiniNats() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string MiniNats::url() const { return absl::StrCat("nats://127.0.0.1:", port_); }

events::Receiver MiniNats::receiver(const std::string& name) const {
  for (const auto& receiver : receivers_) {
    if (receiver.name == name) return receiver;
  }
  return {};
}

StatusOr<events::Endpoint> MiniNats::Tenant(const std::string& name) const {
  google::protobuf::Struct json;
  std::string path = absl::StrCat(folder_, "/credentials/", name, ".json");
  if (!google::protobuf::util::JsonStringToMessage(Contents(path).value_or(""), &json).ok()) {
    return Internal(path + " is missing or no JSON");
  }
  events::Endpoint endpoint;
  endpoint.url = url();
  endpoint.user = events::TextAt(json, "user");
  endpoint.password = events::TextAt(json, "password");
  endpoint.inbox_prefix = events::TextAt(json, "inboxPrefix");
  endpoint.name = name;
  return endpoint;
}

}  // namespace hub::testing
