#include "services/hubctl/programs.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/db/backup.h"

namespace hub::ctl {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Status RunOnPostgres(const std::string& conninfo, const std::vector<std::string>& words) {
  ASSIGN_OR_RETURN(const auto connection, db::EnvironmentOf(conninfo));
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "PG", 2) != 0) environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : connection) {
    environment.push_back(absl::StrCat(name, "=", value));
  }
  int said[2];
  if (pipe2(said, O_CLOEXEC) != 0) return Internal(std::strerror(errno));
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, said[1], STDERR_FILENO);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, words[0].c_str(), &files, nullptr, Pointers(words).data(),
                                  Pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  close(said[1]);
  std::string complaint;
  char part[4096];
  for (ssize_t length; failed == 0 && (length = read(said[0], part, sizeof part)) > 0;) {
    complaint.append(part, static_cast<size_t>(length));
  }
  close(said[0]);
  if (failed != 0) {
    return Refuse(errors::CONFLICT,
                  absl::StrCat(words[0], " cannot be started (", std::strerror(failed),
                               "): it comes with the package postgresql-client"));
  }
  int end = 0;
  while (waitpid(pid, &end, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(end) && WEXITSTATUS(end) == 0) return Status();
  const std::string line =
      absl::StrReplaceAll(std::string(absl::StripAsciiWhitespace(complaint)), {{"\n", "; "}});
  return Refuse(errors::CONFLICT, absl::StrCat(words[0], " has failed: ", line));
}

}  // namespace hub::ctl
