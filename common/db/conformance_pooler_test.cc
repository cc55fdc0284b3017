// A connection pooler between the Store and its server: one that pools sessions is as good as none,
// one that pools transactions is refused before anything is made.
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/db/conformance.h"

namespace hub::db {
namespace {

// PgBouncer before that server, reached by a socket in a folder of its own.
class PgBouncer {
 public:
  PgBouncer(const std::string& conninfo, const std::string& mode, const std::string& more = "") {
    const passwd* user = geteuid() == 0 ? getpwnam("postgres") : nullptr;  // it refuses root
    folder_ = folder_holder_.path();
    std::ofstream(folder_ + "/ini")
        << "[databases]\npostgres = " << conninfo << "\n[pgbouncer]\nunix_socket_dir = " << folder_
        << "\nlisten_addr =\nlisten_port = 6432\nauth_type = any\n"
        << "pool_mode = " << mode << "\n"
        << more << "\n";
    if (user != nullptr && chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      ADD_FAILURE() << "cannot give " << folder_ << " to the user postgres";
    }
    child_ = fork();
    if (child_ == 0) {
      if (user != nullptr && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) _exit(126);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (freopen((folder_ + "/log").c_str(), "w", stderr) == nullptr) _exit(126);
      execlp("pgbouncer", "pgbouncer", (folder_ + "/ini").c_str(), nullptr);
      execl("/usr/sbin/pgbouncer", "pgbouncer", (folder_ + "/ini").c_str(), nullptr);
      _exit(127);
    }
    while (!Listens()) {
      int status = 0;
      if (waitpid(child_, &status, WNOHANG) == child_) {
        child_ = 0;
        ADD_FAILURE() << "pgbouncer did not start (" << status
                      << "): install the package pgbouncer\n"
                      << std::ifstream(folder_ + "/log").rdbuf();
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  ~PgBouncer() {
    if (child_ == 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  std::string conninfo() const { return "host=" + folder_ + " port=6432 user=hub dbname=postgres"; }

 private:
  // Its socket is there before it listens on it.
  bool Listens() const {
    const Fd line(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    (folder_ + "/.s.PGSQL.6432").copy(address.sun_path, sizeof address.sun_path - 1);
    return connect(line.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  Folder folder_holder_;
  std::string folder_;
  pid_t child_ = 0;
};

class DbPoolers : public Conformance {
 protected:
  std::string server() const { return options_.url.substr(9); }
  StoreOptions Behind(const PgBouncer& pooler) {
    StoreOptions options = options_;
    options.url = "postgres:" + pooler.conninfo();
    options.schema += "_pooled";
    return options;
  }
  void ExpectRefused(const PgBouncer& pooler) {
    StoreOptions options = Behind(pooler);
    for (bool read_only : {false, true}) {
      options.read_only = read_only;
      Status status = Store::Open(options).status();
      EXPECT_EQ(RefusalOf(status), errors::INVALID_FIELD) << status;
      EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("pool_mode = session"),
                                           HasSubstr("connect to PostgreSQL directly")));
    }
    EXPECT_EQ(Int("SELECT count(*) FROM pg_namespace WHERE nspname = $1", {options.schema}), 0);
  }
};
ON(DbPoolers, Engine::kPostgres);

TEST_P(DbPoolers, TransactionsAreNotPooled) {
  PgBouncer pooler(server(), "transaction");
  ExpectRefused(pooler);
}

TEST_P(DbPoolers, TransactionsAreNotPooledInTurnEither) {
  // Each transaction gets the session that has rested longest.
  PgBouncer pooler(server(), "transaction", "server_round_robin = 1");
  ExpectRefused(pooler);
}

TEST_P(DbPoolers, TransactionsAreNotPooledByOneSessionEither) {
  PgBouncer pooler(server(), "transaction", "default_pool_size = 2\nquery_wait_timeout = 5");
  ExpectRefused(pooler);
}

TEST_P(DbPoolers, TransactionsAreNotPooledWhileOthersUseThePool) {
  PgBouncer pooler(server(), "transaction");
  std::atomic<bool> through{false};
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&] {
      while (!through) {
        EXPECT_EQ(std::system(("psql -q -d '" + pooler.conninfo() +
                               "' -c 'SELECT 1' -c 'SELECT 2' > /dev/null")
                                  .c_str()),
                  0);
      }
    });
  }
  for (int again = 0; again < 5; ++again) ExpectRefused(pooler);
  through = true;
  for (auto& other : others) other.join();
}

TEST_P(DbPoolers, StatementsAreNotPooled) {
  PgBouncer pooler(server(), "statement");
  EXPECT_FALSE(Store::Open(Behind(pooler)).ok());
}

TEST_P(DbPoolers, SessionsMayBe) {
  PgBouncer pooler(server(), "session");
  StoreOptions options = Behind(pooler);
  options.name = "replica 0";
  for (int start = 0; start < 3; ++start) {
    Use(options);
    if (start == 0) Script(kItems);
    std::vector<Store::Job> jobs;
    for (int i = 0; i < 200; ++i) {
      jobs.push_back([=](Conn& conn) {
        const int64_t id = start * 1000 + i;
        return conn.Exec(kInsert, {id, std::to_string(id), 0}).status();
      });
    }
    EXPECT_THAT(Together(jobs), Each(absl::OkStatus()));
    EXPECT_EQ(Int("SELECT count(*) FROM items"), 200 * (start + 1));
    // Its name is held by a session's lock.
    EXPECT_EQ(RefusalOf(Store::Open(options).status()), errors::CONFLICT);
    store_.reset();
  }
}

TEST_P(DbPoolers, ASessionThatThePoolerEndsIsReplaced) {
  PgBouncer pooler(server(), "session");
  Use(Behind(pooler));
  Script(kItems);
  for (int i = 0; i < 10; ++i) {
    Status status = store().WriteAndWait([&](Conn& conn) {
      RETURN_IF_ERROR(conn.Exec(kInsert, {i, std::to_string(i), 0}).status());
      return conn.Exec("SELECT pg_terminate_backend(pg_backend_pid())", {}).status();
    });
    EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE) << status;
    status = Persist([&] { return Exec(kInsert, {i, std::to_string(i), 0}); });
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 10);
  store_.reset();
}

}  // namespace
}  // namespace hub::db
