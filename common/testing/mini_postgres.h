// A PostgreSQL server of a test's own: a fresh cluster in a temporary folder, reachable by a Unix
// socket there and nowhere else. Server and folder are gone when the object is, and also when the
// process dies: a shell holds the other end of a pipe and clears up when the pipe is closed.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace hub::testing {

struct MiniPostgresOptions {
  // False only where nothing is measured and nothing is killed.
  bool fsync = true;
  // Settings of the server, as 'deadlock_timeout=100ms'.
  std::vector<std::string> settings = {};
  // The ConnString() of a server of which this one is a copy that follows it and takes no writes,
  // until it is promoted ('SELECT pg_promote()').
  std::string standby_of = {};
};

class MiniPostgres {
 public:
  // An error that says what is missing where PostgreSQL is not installed.
  static StatusOr<std::unique_ptr<MiniPostgres>> Start(const MiniPostgresOptions& options = {});
  // The process's own, started at the first call, for tests that take a schema each. Without fsync.
  static StatusOr<MiniPostgres*> Shared();
  ~MiniPostgres();
  MiniPostgres(const MiniPostgres&) = delete;
  MiniPostgres& operator=(const MiniPostgres&) = delete;

  // libpq's connection string of the superuser. The database's own collation is not C, as in most
  // installations, so that an ORDER BY that relies on it is found out.
  std::string ConnString() const;

  // The server crashes (an immediate shutdown) and keeps its data; Resume() starts it again there.
  Status Crash();
  Status Resume();

 private:
  MiniPostgres(std::string programs, std::string folder, const MiniPostgresOptions& options)
      : programs_(std::move(programs)), folder_(std::move(folder)), options_(options) {}
  void End(const std::string& last_word);

  const std::string programs_;  // the folder of initdb and postgres
  const std::string folder_;
  const MiniPostgresOptions options_;
  pid_t keeper_ = 0;  // the shell, 0 while the server is down
  int pipe_ = -1;
};

}  // namespace hub::testing
