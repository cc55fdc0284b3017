#include "common/testing/mini_postgres.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "common/base/file.h"

namespace hub::testing {
namespace {

constexpr char kFolder[] = "/tmp/hub-postgres-XXXXXX";
constexpr auto kPatience = std::chrono::seconds(60);

// Makes the cluster where there is none and runs the server until a word comes on its input. The
// input ends without one when the process that would give it has died, at whatever moment.
// (QUIT is the immediate shutdown, but a shell's background process ignores it until the server has
// set its handlers; TERM ends it before.)
constexpr char kKeeper[] = R"(
programs=$1 folder=$2 primary=$3; shift 3
exec >>"$folder/log" 2>&1
if [ ! -d "$folder/data" ] && [ -n "$primary" ]; then
  "$programs/pg_basebackup" -D "$folder/data" -R -d "$primary" --checkpoint=fast --no-sync \
    </dev/null || exit
elif [ ! -d "$folder/data" ]; then
  "$programs/initdb" -D "$folder/data" -U hub --no-sync --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --locale-provider=icu --icu-locale=en </dev/null || exit
fi
"$programs/postgres" -D "$folder/data" "$@" </dev/null &
read -r word
kill -TERM $! && kill -QUIT $!
wait
[ "$word" = keep ] || rm -rf "$folder"
)";

// The newest installed server; its programs are rarely in the PATH.
std::string FindPrograms() {
  glob_t found;
  std::string folder;
  if (glob("/usr/lib/postgresql/*/bin/initdb", 0, nullptr, &found) == 0) {
    folder = found.gl_pathv[found.gl_pathc - 1];
    folder.resize(folder.rfind('/'));
  }
  globfree(&found);
  return folder;
}

// Starts a program, as the user `postgres` if we are root, whom the server refuses. It has a
// process group of its own: an interrupt at the terminal reaches us, and then it by the pipe.
pid_t Spawn(const std::vector<std::string>& words, int input) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const passwd* user = geteuid() == 0 ? getpwnam("postgres") : nullptr;
  uid_t uid = user == nullptr ? 0 : user->pw_uid;
  gid_t gid = user == nullptr ? 0 : user->pw_gid;
  pid_t child = fork();
  if (child != 0) return child;
  // Only calls that are safe between fork and exec of a process with threads.
  setpgid(0, 0);
  if (input >= 0) dup2(input, 0);
  if (uid != 0 && (setgroups(0, nullptr) != 0 || setgid(gid) != 0 || setuid(uid) != 0)) _exit(126);
  if (chdir("/") == 0) execv(argv[0], argv.data());
  _exit(127);
}

int Wait(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

StatusOr<std::unique_ptr<MiniPostgres>> MiniPostgres::Start(const MiniPostgresOptions& options) {
  const std::string programs = FindPrograms();
  if (programs.empty()) {
    return Internal("no /usr/lib/postgresql/*/bin/initdb: install the package postgresql");
  }
  char name[sizeof kFolder];
  std::memcpy(name, kFolder, sizeof name);
  if (mkdtemp(name) == nullptr) return Internal("cannot make a folder in /tmp");
  const std::string folder = name;
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr || chown(name, user->pw_uid, user->pw_gid) != 0) {
      rmdir(name);
      return Internal("PostgreSQL does not run as root, and there is no user 'postgres'");
    }
  }
  std::unique_ptr<MiniPostgres> mini(new MiniPostgres(programs, folder, options));
  RETURN_IF_ERROR(mini->Resume());
  return mini;
}

StatusOr<MiniPostgres*> MiniPostgres::Shared() {
  static const auto shared = Start({.fsync = false, .settings = {"deadlock_timeout=50ms"}});
  RETURN_IF_ERROR(shared.status());
  return shared->get();
}

MiniPostgres::~MiniPostgres() {
  if (keeper_ == 0) {  // never started, or crashed and not resumed
    Wait(Spawn({"/bin/rm", "-rf", folder_}, -1));
  } else {
    End("");
  }
}

std::string MiniPostgres::ConnString() const {
  return "host=" + folder_ + " user=hub dbname=postgres";
}

Status MiniPostgres::Crash() {
  if (keeper_ == 0) return Internal("the server is down already");
  End("keep\n");
  return absl::OkStatus();
}

void MiniPostgres::End(const std::string& last_word) {
  if (write(pipe_, last_word.data(), last_word.size()) < 0) {
    std::abort();  // the keeper is gone: who killed it has broken the test
  }
  close(pipe_);
  Wait(keeper_);
  keeper_ = 0;
}

Status MiniPostgres::Resume() {
  if (keeper_ != 0) return Internal("the server is up already");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Internal("no pipe");
  std::vector<std::string> words = {"/bin/sh",
                                    "-c",
                                    kKeeper,
                                    "keeper",
                                    programs_,
                                    folder_,
                                    options_.standby_of,
                                    "-c",
                                    "listen_addresses=",
                                    "-c",
                                    "unix_socket_directories=" + folder_,
                                    "-c",
                                    "shared_buffers=32MB",
                                    "-c",
                                    std::string("fsync=") + (options_.fsync ? "on" : "off")};
  for (const auto& setting : options_.settings) words.insert(words.end(), {"-c", setting});
  keeper_ = Spawn(words, ends[0]);
  close(ends[0]);
  pipe_ = ends[1];
  // The server writes into its pid file when it takes connections; this is what pg_ctl waits for.
  const std::string pid_file = folder_ + "/data/postmaster.pid";
  for (auto start = std::chrono::steady_clock::now();
       std::chrono::steady_clock::now() - start < kPatience;
       std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
    if (Contents(pid_file).value_or("").find("\nready") != std::string::npos) {
      return absl::OkStatus();
    }
    if (waitpid(keeper_, nullptr, WNOHANG) == keeper_) {  // initdb failed
      keeper_ = 0;
      close(pipe_);
      break;
    }
  }
  return Internal("PostgreSQL did not start: " + Contents(folder_ + "/log").value_or(""));
}

}  // namespace hub::testing
