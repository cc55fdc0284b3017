#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/db/engine.h"
#include "common/fault/failpoint.h"

namespace hub::db {
namespace {

constexpr size_t kBatch = 256;             // jobs of one COMMIT, and so of one fsync
constexpr size_t kStatements = 1000;       // kept prepared on a connection
constexpr int kForeignerTimeoutMs = 5000;  // how long another program may hold the file

struct CloseDb {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Db = std::unique_ptr<sqlite3, CloseDb>;

struct Statement {
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> handle;
  size_t parameters;
};

// The methods of a database's file, with a place after each page that a checkpoint has copied there
// from the log: with a write-ahead log nothing else writes that file.
const sqlite3_io_methods* file_methods = nullptr;

int CopyPage(sqlite3_file* file, const void* page, int size, sqlite3_int64 at) {
  const int code = file_methods->xWrite(file, page, size, at);
  FAILPOINT("mid-checkpoint");
  return code;
}

void WatchCheckpoints(sqlite3* db) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return;
  static const sqlite3_io_methods watched = [&] {
    file_methods = file->pMethods;
    sqlite3_io_methods methods = *file_methods;
    methods.xWrite = CopyPage;
    return methods;
  }();
  file->pMethods = &watched;
}

// The file that tells other processes that this database is taken. The kernel lets go of it when
// the process ends, however it ends; the file itself stays, since removing it would race with a
// start.
StatusOr<Fd> TakeLock(const std::string& database) {
  const std::string path = database + ".lock";
  Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const int fd = lock.get();
  if (fd < 0) return Internal("cannot open " + path + ": " + std::strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char owner[24] = "";
    const ssize_t length = pread(fd, owner, sizeof owner - 1, 0);
    return Internal("the database " + database + " is in use by another process" +
                    (length > 0 ? std::string(" (pid ") + owner + ")" : "") + ", which holds " +
                    path + ": a SQLite database serves one process");
  }
  const std::string self = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 ||
      pwrite(fd, self.data(), self.size(), 0) != static_cast<ssize_t>(self.size())) {
    return Internal("cannot write " + path + ": " + std::strerror(errno));
  }
  return lock;
}

class SqliteRow : public CheckedRow {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool IsNull(int column) const override {
    if (column >= sqlite3_data_count(statement_)) Fault(column, "a value", "not in the result");
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  int64_t Int(int column) const override {
    return Is(column, SQLITE_INTEGER, "an integer") ? sqlite3_column_int64(statement_, column) : 0;
  }
  std::string_view Text(int column) const override {
    if (!Is(column, SQLITE_TEXT, "a text")) return {};
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string_view Blob(int column) const override {
    if (!Is(column, SQLITE_BLOB, "bytes")) return {};
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  bool Is(int column, int wanted, const char* name) const {
    int type = sqlite3_column_type(statement_, column);
    if (type == wanted) return true;
    if (!IsNull(column)) Fault(column, name, "of SQLite type " + std::to_string(type));
    return false;
  }

  sqlite3_stmt* statement_;
};

class SqliteConn : public EngineConn {
 public:
  static StatusOr<std::unique_ptr<SqliteConn>> Open(const std::string& path, bool writes) {
    sqlite3* handle = nullptr;
    int flags = SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    std::unique_ptr<SqliteConn> conn(new SqliteConn(Db(handle), writes));
    if (code != SQLITE_OK) {
      return Internal("cannot open " + path + ": " + sqlite3_errstr(code));
    }
    RETURN_IF_ERROR(conn->SetUp(path));
    return conn;
  }

  Engine engine() const override { return Engine::kSqlite; }

  // Runs a job between marks: a savepoint of a batch, or the transaction of a reader, which has
  // nothing to undo. An error of the engine itself is left in engine_error().
  Status Run(const Store::Job& job, const char* begin, const char* undo, const char* end) {
    ForgetError();
    RETURN_IF_ERROR(Control(begin));
    Status verdict = Verdict(job(*this));
    // SQLite has rolled back by itself, or a job has ended what is not its own.
    if (engine_error_.ok() && sqlite3_get_autocommit(db_.get())) {
      engine_error_ = Internal("the transaction ended before its time");
    }
    if (!engine_error_.ok()) return engine_error_;
    if (!verdict.ok() && undo != nullptr) RETURN_IF_ERROR(Control(undo));
    RETURN_IF_ERROR(Control(end));
    return verdict;
  }

  // One of our own statements between the jobs; its failure is the engine's.
  Status Control(const char* sql) {
    Status status = DoExec(sql, {}).status();
    if (!status.ok() && engine_error_.ok()) engine_error_ = status;
    return status;
  }

  // The engine failed, not a statement of a job: nothing since BEGIN can be relied upon.
  const Status& engine_error() const { return engine_error_; }

  // Between transactions. VACUUM goes through the log page by page, and copies rows, not pages:
  // what a page has left over behind its rows does not come along.
  Status Scrub() {
    RETURN_IF_ERROR(DoScript("VACUUM"));
    bool busy = false;
    RETURN_IF_ERROR(DoQuery("PRAGMA wal_checkpoint(TRUNCATE)", {}, [&](const Row& row) {
      busy = row.Int(0) != 0;
      return true;
    }));
    if (!busy) return absl::OkStatus();
    return Refuse(
        errors::TEMPORARILY_UNAVAILABLE,
        "another program reads the database, so that its log cannot be emptied; try again");
  }

  void Abandon() {
    if (!sqlite3_get_autocommit(db_.get())) {
      sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    engine_error_ = absl::OkStatus();
  }

 protected:
  StatusOr<int64_t> DoExec(const std::string& sql, absl::Span<const Value> values) override {
    ASSIGN_OR_RETURN(Use use, Prepare(sql, values));
    const int64_t before = sqlite3_total_changes64(db_.get());
    int code;
    while ((code = sqlite3_step(use.handle())) == SQLITE_ROW) {
    }
    if (code != SQLITE_DONE) return Failure(sql);
    // Where nothing changed (DDL, a SELECT), SQLite goes on telling the count of an earlier one.
    if (sqlite3_total_changes64(db_.get()) == before) return 0;
    return static_cast<int64_t>(sqlite3_changes64(db_.get()));
  }

  Status DoPost(const std::string& sql, absl::Span<const Value> values) override {
    return DoExec(sql, values).status();
  }

  Status DoQuery(const std::string& sql, absl::Span<const Value> values, GoOn each) override {
    ASSIGN_OR_RETURN(Use use, Prepare(sql, values));
    SqliteRow row(use.handle());
    int code;
    while ((code = sqlite3_step(use.handle())) == SQLITE_ROW) {
      bool go_on = each(row);
      RETURN_IF_ERROR(row.fault());
      if (!go_on) return absl::OkStatus();
    }
    return code == SQLITE_DONE ? absl::OkStatus() : Failure(sql);
  }

  Status DoScript(const std::string& ddl) override {
    int code = sqlite3_exec(db_.get(), ddl.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? absl::OkStatus() : Failure(ddl);
  }

 private:
  using Cache = std::unordered_map<std::string, Statement>;

  // A statement taken out of the cache for as long as it runs, so that a query inside the callback
  // of the same query gets another one.
  class Use {
   public:
    Use(SqliteConn* conn, Cache::node_type node) : conn_(conn), node_(std::move(node)) {}
    Use(Use&&) = default;
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (node_.empty()) return;
      sqlite3_reset(handle());
      sqlite3_clear_bindings(handle());  // they point into the caller's values
      conn_->cache_.insert(std::move(node_));
    }
    sqlite3_stmt* handle() const { return node_.mapped().handle.get(); }
    size_t parameters() const { return node_.mapped().parameters; }

   private:
    SqliteConn* conn_;
    Cache::node_type node_;
  };

  SqliteConn(Db db, bool writes) : db_(std::move(db)), writes_(writes) {}

  Status SetUp(const std::string& path) {
    sqlite3_busy_timeout(db_.get(), kForeignerTimeoutMs);
    // "x" is an identifier as in PostgreSQL, never a text.
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    // Without temp_store=MEMORY the savepoints' undo spills into files.
    RETURN_IF_ERROR(
        DoScript("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;"
                 "PRAGMA trusted_schema=OFF"));
    if (!writes_) return DoScript("PRAGMA query_only=ON");
    std::string mode;
    RETURN_IF_ERROR(Query("PRAGMA journal_mode=WAL", {}, [&](const Row& row) {
      mode = row.Text(0);
      return absl::OkStatus();
    }));
    if (mode != "wal") {
      return Internal("the database " + path + " cannot use a write-ahead log (mode " + mode +
                      "): it must lie on a local file system");
    }
    if (fault::IsArmed()) WatchCheckpoints(db_.get());
    return DoScript("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864");
  }

  StatusOr<Use> Prepare(const std::string& sql, absl::Span<const Value> values) {
    Cache::node_type node = cache_.extract(sql);
    if (node.empty()) {
      if (cache_.size() >= kStatements) cache_.clear();  // texts are few unless they are generated
      ASSIGN_OR_RETURN(size_t parameters, CountParameters(sql));
      sqlite3_stmt* handle = nullptr;
      const char* rest = nullptr;
      int code = sqlite3_prepare_v3(db_.get(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                    SQLITE_PREPARE_PERSISTENT, &handle, &rest);
      Statement statement{{handle, {}}, parameters};
      if (code != SQLITE_OK) return Failure(sql);
      if (handle == nullptr || *rest != '\0') return Internal("not one statement: " + sql);
      Cache fresh;
      fresh.emplace(sql, std::move(statement));
      node = fresh.extract(fresh.begin());
    }
    Use use(this, std::move(node));
    if (values.size() != use.parameters()) {
      return Internal(std::to_string(values.size()) + " values for: " + sql);
    }
    for (size_t i = 0; i < values.size(); ++i) {
      if (Bind(use.handle(), static_cast<int>(i) + 1, values[i]) != SQLITE_OK) return Failure(sql);
    }
    return use;
  }

  static int Bind(sqlite3_stmt* statement, int at, const Value& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) {
      return sqlite3_bind_int64(statement, at, *number);
    }
    if (const auto* text = std::get_if<std::string>(&value)) {
      return sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    if (const auto* bytes = std::get_if<Bytes>(&value)) {
      return sqlite3_bind_blob64(statement, at, bytes->data.data(), bytes->data.size(),
                                 SQLITE_STATIC);
    }
    return sqlite3_bind_null(statement, at);
  }

  // SQLite's messages on constraints name tables and columns, never values.
  Status Failure(const std::string& sql) {
    const int code = sqlite3_extended_errcode(db_.get());
    const std::string message = sqlite3_errmsg(db_.get());
    switch (code & 0xff) {
      case SQLITE_CONSTRAINT:
        switch (code) {
          case SQLITE_CONSTRAINT_UNIQUE:
          case SQLITE_CONSTRAINT_PRIMARYKEY:
          case SQLITE_CONSTRAINT_ROWID:
            return Constraint(errors::RESOURCE_EXISTS, message,
                              message.substr(message.find(": ") + 2));
          case SQLITE_CONSTRAINT_DATATYPE:
            return Internal(message + ": " + sql);
          default:
            return Constraint(errors::CONFLICT, message);
        }
      case SQLITE_READONLY:
        if (!writes_) return Internal("a read job cannot write: " + sql);
        [[fallthrough]];
      case SQLITE_BUSY:
      case SQLITE_CANTOPEN:
      case SQLITE_FULL:
      case SQLITE_INTERRUPT:
      case SQLITE_IOERR:
      case SQLITE_LOCKED:
      case SQLITE_NOMEM:
      case SQLITE_PROTOCOL:
        return engine_error_ = Refuse(errors::TEMPORARILY_UNAVAILABLE,
                                      std::string("the database cannot work now (") +
                                          sqlite3_errstr(code) + "); try again");
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return engine_error_ = Internal("the database is damaged: " + message);
      default:
        return Internal(message + ": " + sql);
    }
  }

  Db db_;  // outlives its statements
  const bool writes_;
  Cache cache_;
  Status engine_error_;
};

class SqliteStore : public EngineStore {
 public:
  explicit SqliteStore(const StoreOptions& options) : EngineStore(options) {}
  ~SqliteStore() override { Drain(); }

  Engine engine() const override { return Engine::kSqlite; }

  Status Scrub(const std::string&) override {
    ASSIGN_OR_RETURN(const auto conn, SqliteConn::Open(path_, true));
    return conn->Scrub();
  }

  // The database is this process's from here on.
  Status StartWriter(const std::string& path) {
    path_ = path;
    ASSIGN_OR_RETURN(lock_, TakeLock(path));
    // Made here and not by SQLite, whose files would be readable for everyone; the log and its
    // index take over these rights.
    if (!Fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)).is_open()) {
      return Internal("cannot open " + path + ": " + std::strerror(errno));
    }
    ASSIGN_OR_RETURN(writer_, SqliteConn::Open(path, true));
    StartThread([this] {
      while (true) {  // what a job holds is let go before the next is waited for
        auto batch = writes_.Take(kBatch);
        if (batch.empty()) return;
        RunBatch(batch);
      }
    });
    return absl::OkStatus();
  }

  Status StartReaders(const std::string& path, int readers) {
    for (int i = 0; i < readers; ++i) {
      ASSIGN_OR_RETURN(auto reader, SqliteConn::Open(path, false));
      readers_.push_back(std::move(reader));
    }
    for (auto& reader : readers_) {
      StartThread([this, conn = reader.get()] {
        while (true) {
          auto work = reads_.Take(1);
          if (work.empty()) return;
          RunRead(*conn, work.front());
        }
      });
    }
    return absl::OkStatus();
  }

 private:
  // Answers go out after COMMIT only, refusals too: a job may have been refused for what an earlier
  // one of its batch had written.
  void RunBatch(std::vector<Work>& batch) {
    std::vector<Status> results(batch.size());
    int64_t kept = 0;
    writer_->Control("BEGIN IMMEDIATE").IgnoreError();
    for (size_t i = 0; i < batch.size() && writer_->engine_error().ok(); ++i) {
      results[i] = CheckDeadline(batch[i].deadline);
      if (!results[i].ok()) continue;
      results[i] = writer_->Run(batch[i].job, "SAVEPOINT job", "ROLLBACK TO job", "RELEASE job");
      if (results[i].ok()) ++kept;
    }
    if (kept > 0) FAILPOINT("before-commit");
    if (writer_->engine_error().ok()) writer_->Control("COMMIT").IgnoreError();
    if (kept > 0) FAILPOINT("after-commit");
    if (!writer_->engine_error().ok()) {
      results.assign(batch.size(), writer_->engine_error());
      writer_->Abandon();
    } else if (kept > 0) {
      CountCommit(kept);
    }
    for (size_t i = 0; i < batch.size(); ++i) batch[i].done(results[i]);
  }

  void RunRead(SqliteConn& conn, Work& work) {
    Status status = CheckDeadline(work.deadline);
    if (status.ok()) {
      status = conn.Run(work.job, "BEGIN DEFERRED", nullptr, "COMMIT");
      conn.Abandon();
    }
    work.done(status);
  }

  std::string path_;
  std::optional<Fd> lock_;
  std::unique_ptr<SqliteConn> writer_;
  std::vector<std::unique_ptr<SqliteConn>> readers_;
};

}  // namespace

StatusOr<std::unique_ptr<Store>> OpenSqlite(const std::string& path, const StoreOptions& options) {
  if (path.empty() || path[0] == ':') {
    return InvalidField("url", "a SQLite database needs the path of a file");
  }
  auto store = std::make_unique<SqliteStore>(options);
  if (!options.read_only) RETURN_IF_ERROR(store->StartWriter(path));
  RETURN_IF_ERROR(store->StartReaders(path, options.readers));
  return store;
}

}  // namespace hub::db
