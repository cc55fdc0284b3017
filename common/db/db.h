// The database under a service: SQLite (one file, one process) or PostgreSQL (one schema, several
// replicas), one text of SQL for both. The subset: `$n` first appearing in ascending order, NULLS
// FIRST written, no LIKE, no date functions, ON CONFLICT DO NOTHING; values are 64-bit integers,
// UTF-8 texts without NUL and bytes, each in a column of its type (of mistakes in this, each engine
// lets some pass). A NULL stands where a column gives it its type. DDL is one text with the tokens
// {int64}, {text}, {bytes} and {strict}; texts sort by their bytes.
//
// A Store owns the threads: `writers` run jobs in transactions of their own (SQLite: one thread
// that commits many queued jobs at once, each in its own savepoint; PostgreSQL: one thread a
// connection), `readers` run jobs on snapshots. A job may run more than once (a deadlock, a lost
// race): it sets its state anew at its start. `done` is called once, after the commit is durable or
// the job failed, on a thread of the Store (a job refused at once: on the caller's): it must not
// block.
//
// Errors: what the database refuses comes back as Refuse() reasons: a unique constraint
// RESOURCE_EXISTS, a check, foreign key, NOT NULL or trigger CONFLICT, everything that a later try
// may cure (lost connection, read-only standby, full disk, busy) TEMPORARILY_UNAVAILABLE. Messages
// name constraints, never values. A job in which a statement failed fails, even if it swallowed the
// error (PostgreSQL aborts the transaction; both engines behave alike): every later statement of it
// returns that first error. The way to go on after a conflict is ON CONFLICT DO NOTHING.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "common/base/date.h"
#include "common/base/status.h"

namespace hub::db {

enum class Engine { kSqlite, kPostgres };

// A payload of a status: a constraint refused. It holds 'table.column, table.column' of a unique
// one and nothing of others.
inline constexpr char kConstraint[] = "coproduction-hub/constraint";

struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};
using Value = std::variant<std::monostate, int64_t, std::string, Bytes>;  // monostate is NULL

// One row of a result, valid during the callback. Columns count from 0. NULL reads as 0 or empty; a
// column of another type than the one asked for, or that the result lacks, fails the query.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool IsNull(int column) const = 0;
  virtual int64_t Int(int column) const = 0;
  virtual std::string_view Text(int column) const = 0;
  virtual std::string_view Blob(int column) const = 0;
};

// One connection inside one transaction. Statements are prepared once per connection by their text.
class Conn {
 public:
  virtual ~Conn() = default;
  virtual Engine engine() const = 0;
  // Runs a statement; the number of rows that it changed itself (0 for a SELECT and for DDL).
  virtual StatusOr<int64_t> Exec(const std::string& sql, absl::Span<const Value> values) = 0;
  StatusOr<int64_t> Exec(const std::string& sql, std::initializer_list<Value> values) {
    return Exec(sql, absl::MakeConstSpan(values.begin(), values.size()));
  }
  // Runs a statement whose row count nobody needs, without waiting for it: PostgreSQL sends it
  // together with the next statement or the COMMIT, and the job fails with its error then.
  virtual void Post(const std::string& sql, absl::Span<const Value> values) = 0;
  void Post(const std::string& sql, std::initializer_list<Value> values) {
    Post(sql, absl::MakeConstSpan(values.begin(), values.size()));
  }
  // Calls `each` for every row; stops at its first error and returns it. `each` may query, but not
  // write. PostgreSQL fetches the whole result first: ask for pages, not for tables.
  virtual Status Query(const std::string& sql, absl::Span<const Value> values,
                       absl::FunctionRef<Status(const Row&)> each) = 0;
  Status Query(const std::string& sql, std::initializer_list<Value> values,
               absl::FunctionRef<Status(const Row&)> each) {
    return Query(sql, absl::MakeConstSpan(values.begin(), values.size()), each);
  }
  // Several statements without parameters, tokens replaced for the engine: migrations and tests.
  virtual Status Script(const std::string& ddl) = 0;
};

// The text that appends a row lock to a SELECT in a write transaction (" FOR UPDATE", or nothing).
const char* ForUpdate(const Conn& conn);
// The views whose names begin so, in the order of their names.
StatusOr<std::vector<std::string>> ViewsOf(Conn& conn, const std::string& begin);

// A step of the schema. A program whose list ends before it runs on what it leaves only where its
// first line says so: '-- readable since: 3' is the oldest number whose program, with its records,
// can read and write there (the step added a table, an index, or a column that is nullable or has a
// default). Without that line, only programs that know the step do.
struct Migration {
  int number;        // 1, 2, 3 ... without a gap
  std::string name;  // '0001_members.sql'
  std::string sql;   // DDL with tokens
};

struct StoreOptions {
  // 'sqlite:/path/to/file.db' or 'postgres:<libpq connection string>' (several hosts: whichever
  // takes writes). A pooler must pool sessions; one that pools transactions is refused.
  std::string url;
  // PostgreSQL: the schema that holds the service's tables (search_path). Unused by SQLite.
  std::string schema;
  // PostgreSQL: who opens it, as 'replica 0'; while another process has the schema open by the same
  // name it is refused. Empty: anybody. (SQLite has a lock file, whatever the name.)
  std::string name;
  int writers = 4;  // PostgreSQL only; SQLite has one
  int readers = 2;
  int max_queue = 10000;  // jobs waiting; more are refused as TEMPORARILY_UNAVAILABLE
  // Beside the process that it serves: nothing is made, no lock is taken, writes are refused.
  bool read_only = false;
};

class Store {
 public:
  using Job = std::function<Status(Conn&)>;
  using Done = std::function<void(Status)>;

  // Opens the database and makes file or schema where missing. SQLite: WAL, synchronous=FULL,
  // foreign keys on, and an exclusive lock file `<path>.lock`, so that a second process is refused.
  static StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options);
  virtual ~Store() = default;

  virtual Engine engine() const = 0;
  // Queues a write job. `deadline` is machine time (0: none): a job that has not begun by then
  // fails with DEADLINE_PASSED and leaves nothing; one that has begun is never interrupted.
  virtual void Write(Job job, Micros deadline, Done done) = 0;
  virtual void Read(Job job, Micros deadline, Done done) = 0;
  // The same, waiting. Not to be called from a job or a `done`.
  Status WriteAndWait(Job job);
  Status ReadAndWait(Job job);

  // Applies the migrations above the stored number, each in one transaction with its row in table
  // schema_migrations(number, name, checksum, applied_at, readable_since): killed in whichever, it
  // ends at its head when it is run again. A database that is ahead of `migrations` is run on, with
  // a line on stderr, where all that it is ahead by is readable since this head or an older one.
  // Refuses, with a sentence that names the numbers, one that is not, or whose stored checksum
  // differs. One process at a time (PostgreSQL: advisory lock). `table` keeps apart what is
  // numbered apart: the engine's own and the service's.
  Status Migrate(const std::vector<Migration>& migrations,
                 const std::string& table = "schema_migrations");

  // What was deleted or overwritten in `table` is in no file of the database any more. SQLite:
  // rewrites the whole file and empties its log; TEMPORARILY_UNAVAILABLE while another program
  // reads, to be tried again. PostgreSQL: rewrites the table; the server's own log keeps the bytes
  // until it has no more use for that part of it. In what is written anew, rows stand in the order
  // of their primary key. Everybody else waits meanwhile.
  virtual Status Scrub(const std::string& table) = 0;

  // Finishes what is queued, then stops the threads; later jobs fail TEMPORARILY_UNAVAILABLE.
  virtual void Drain() = 0;
  // Write transactions committed, and the number of commits that made them durable (group commit).
  virtual int64_t jobs_committed() const = 0;
  virtual int64_t commits() const = 0;
};

// Replaces {int64}, {text}, {bytes}, {strict} for the engine, {by_key} (strict, and SQLite numbers
// no rows, so that none tells when it came), and {append_only:name} by triggers that refuse to
// change or delete a row of that table.
std::string ForEngine(Engine engine, const std::string& ddl);

}  // namespace hub::db
