#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/db/engine.h"
#include "common/fault/failpoint.h"

namespace hub::db {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kOldestServer = 150000;
constexpr int kReruns = 5;         // of a job that lost a deadlock or a race
constexpr int kStatements = 1000;  // kept prepared on a connection
constexpr auto kLongestPause = std::chrono::milliseconds(1000);  // between two tries to connect

// The types that values are sent as (pg_type.oid). 0 is NULL: the server infers its type.
constexpr Oid kUnknown = 0, kBool = 16, kBytea = 17, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
              kText = 25, kVarchar = 1043, kNumeric = 1700;

struct CloseConnection {
  void operator()(PGconn* conn) const { PQfinish(conn); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, CloseConnection>;
using Result = std::unique_ptr<PGresult, ClearResult>;

// Somewhere between half of `longest` and all of it, so that those who collided part.
std::chrono::milliseconds Jitter(std::chrono::milliseconds longest) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return longest / 2 + std::chrono::milliseconds(random() % (longest.count() / 2 + 1));
}

uint64_t BigEndian(const char* bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The sum of BIGINTs is a NUMERIC: digits to the base 10,000, the first one worth 10,000^weight.
bool NumericToInt(const char* data, int length, int64_t* value) {
  if (length < 8) return false;
  int digits = static_cast<int16_t>(BigEndian(data, 2));
  int weight = static_cast<int16_t>(BigEndian(data + 2, 2));
  bool negative = BigEndian(data + 4, 2) == 0x4000;
  bool number = negative || BigEndian(data + 4, 2) == 0;  // else infinite or not a number
  if (!number || length < 8 + 2 * digits || digits > weight + 1) return false;  // or a fraction
  __int128 sum = 0;
  for (int i = 0; i <= weight; ++i) {
    sum = sum * 10000 +
          (i < digits ? static_cast<int>(BigEndian(data + 8 + ptrdiff_t{2} * i, 2)) : 0);
    if (sum > static_cast<__int128>(INT64_MAX) + 1) return false;
  }
  if (negative) sum = -sum;
  if (sum > INT64_MAX) return false;
  *value = static_cast<int64_t>(sum);
  return true;
}

class PostgresRow : public CheckedRow {
 public:
  PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}
  bool IsNull(int column) const override {
    if (column >= PQnfields(result_)) Fault(column, "a value", "not in the result");
    return PQgetisnull(result_, row_, column);
  }
  int64_t Int(int column) const override {
    if (IsNull(column)) return 0;
    const char* data = PQgetvalue(result_, row_, column);
    int64_t number = 0;
    switch (PQftype(result_, column)) {
      case kInt8:
        return static_cast<int64_t>(BigEndian(data, 8));
      case kInt4:
        return static_cast<int32_t>(BigEndian(data, 4));
      case kInt2:
        return static_cast<int16_t>(BigEndian(data, 2));
      case kBool:
        return data[0];
      case kNumeric:
        if (NumericToInt(data, PQgetlength(result_, row_, column), &number)) return number;
        [[fallthrough]];
      default:
        WrongType(column, "an integer");
        return 0;
    }
  }
  std::string_view Text(int column) const override {
    Oid type = PQftype(result_, column);
    if (type == kText || type == kVarchar || type == kName) return Raw(column);
    if (!IsNull(column)) WrongType(column, "a text");
    return {};
  }
  std::string_view Blob(int column) const override {
    if (PQftype(result_, column) == kBytea) return Raw(column);
    if (!IsNull(column)) WrongType(column, "bytes");
    return {};
  }

 private:
  std::string_view Raw(int column) const {
    return {PQgetvalue(result_, row_, column),
            static_cast<size_t>(PQgetlength(result_, row_, column))};
  }
  void WrongType(int column, const char* wanted) const {
    Fault(column, wanted, "of PostgreSQL type " + std::to_string(PQftype(result_, column)));
  }

  const PGresult* result_;
  const int row_;
};

Oid TypeOf(const Value& value) {
  if (std::holds_alternative<int64_t>(value)) return kInt8;
  if (std::holds_alternative<std::string>(value)) return kText;
  if (std::holds_alternative<Bytes>(value)) return kBytea;
  return kUnknown;
}

// Values in libpq's form, all binary.
class Parameters {
 public:
  explicit Parameters(absl::Span<const Value> values) : numbers_(values.size()) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (const auto* number = std::get_if<int64_t>(&values[i])) {
        for (int b = 0; b < 8; ++b) {
          numbers_[i].bytes[b] = static_cast<char>(static_cast<uint64_t>(*number) >> (56 - 8 * b));
        }
        Add(numbers_[i].bytes, sizeof numbers_[i].bytes);
      } else if (const auto* text = std::get_if<std::string>(&values[i])) {
        Add(text->data(), text->size());
      } else if (const auto* bytes = std::get_if<Bytes>(&values[i])) {
        Add(bytes->data.data(), bytes->data.size());
      } else {
        Add(nullptr, 0);
      }
    }
  }
  int count() const { return static_cast<int>(data_.size()); }
  const char* const* data() const { return data_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  struct Number {
    char bytes[8];
  };
  void Add(const char* data, size_t size) {
    data_.push_back(data);
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(1);
  }

  std::vector<Number> numbers_;
  std::vector<const char*> data_;
  std::vector<int> lengths_, formats_;
};

struct Target {
  std::string conninfo;
  std::string schema;
};

Status Unreachable(const std::string& why) {
  return Refuse(errors::TEMPORARILY_UNAVAILABLE, "the database cannot be reached: " + why);
}

// Connects and prepares the session. Defaults stand before the operator's own words, what must be
// stands after them.
StatusOr<Connection> ConnectTo(const Target& target) {
  const std::pair<const char*, const char*> options[] = {
      {"application_name", "coproduction-hub"},
      {"connect_timeout", "5"},
      // A server that vanished without a word is noticed within half a minute.
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "30000"},
      {"dbname", target.conninfo.c_str()},
      {"client_encoding", "UTF8"},
      // After a failover the old primary takes no writes; and a reader there would not see what its
      // caller has just been told.
      {"target_session_attrs", "read-write"},
      {nullptr, nullptr}};
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key);
    values.push_back(value);
  }
  Connection conn(PQconnectdbParams(keys.data(), values.data(), /*expand_dbname=*/1));
  if (conn == nullptr || PQstatus(conn.get()) != CONNECTION_OK) {
    return Unreachable(conn == nullptr ? "no memory" : PQerrorMessage(conn.get()));
  }
  if (PQserverVersion(conn.get()) < kOldestServer) return Internal("PostgreSQL is older than 15");
  const char* encoding = PQparameterStatus(conn.get(), "server_encoding");
  if (encoding == nullptr || std::strcmp(encoding, "UTF8") != 0) {
    return Internal("the encoding of the PostgreSQL database is not UTF8");
  }
  PQsetNoticeProcessor(
      conn.get(), [](void*, const char*) {}, nullptr);
  // A commit is durable, whatever the server's default. A process that stops in the middle of a
  // transaction (a suspended machine) lets go of its locks after a minute.
  const char* schema[] = {target.schema.c_str()};
  Result result(PQexecParams(
      conn.get(),
      "SELECT set_config('search_path', quote_ident($1), false),"
      " set_config('synchronous_commit', CASE WHEN setting IN ('off', 'local') THEN 'on'"
      "            ELSE setting END, false),"
      " set_config('idle_in_transaction_session_timeout', '60s', false)"
      " FROM pg_settings WHERE name = 'synchronous_commit'",
      1, nullptr, schema, nullptr, nullptr, 0));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
    return Unreachable(PQerrorMessage(conn.get()));
  }
  return conn;
}

// The store's name in its schema: a lock that lasts as long as a connection of its own, and so
// never longer than the process.
class OwnName {
 public:
  OwnName(const Target& target, const std::string& name) : target_(target), name_(name) {}

  // Makes sure of it: at the start, and wherever a connection of the store has to be made anew, as
  // when the server was away.
  Status Hold() {
    if (name_.empty()) return absl::OkStatus();
    std::lock_guard<std::mutex> lock(mutex_);
    if (conn_ != nullptr &&
        PQresultStatus(Result(PQexec(conn_.get(), "")).get()) == PGRES_EMPTY_QUERY) {
      return absl::OkStatus();
    }
    conn_ = nullptr;
    ASSIGN_OR_RETURN(Connection conn, ConnectTo(target_));
    // The server may still be about to see that a former process has died.
    const char* settings =
        "SET lock_timeout = '2s'; SET idle_session_timeout = 0; SET tcp_keepalives_idle = 10;"
        " SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
    Result set(PQexec(conn.get(), settings));
    if (PQresultStatus(set.get()) != PGRES_COMMAND_OK) {
      return Unreachable(PQerrorMessage(conn.get()));
    }
    const char* name[] = {name_.c_str()};
    Result held(PQexecParams(
        conn.get(),
        "SELECT pg_advisory_lock(hashtextextended('named ' || current_schema() || ' ' || $1, 0))",
        1, nullptr, name, nullptr, nullptr, 0));
    if (PQresultStatus(held.get()) == PGRES_TUPLES_OK) {
      conn_ = std::move(conn);
      return absl::OkStatus();
    }
    const char* state = PQresultErrorField(held.get(), PG_DIAG_SQLSTATE);
    if (state == nullptr || std::strcmp(state, "55P03") != 0) {
      return Unreachable(PQerrorMessage(conn.get()));
    }
    return Refuse(errors::CONFLICT, "another process has the schema " + target_.schema +
                                        " open as '" + name_ +
                                        "': give each process on one database its own --replica");
  }

 private:
  const Target& target_;
  const std::string name_;
  std::mutex mutex_;
  Connection conn_;
};

// A connection that outlives its connections: it makes a new one for the next job when one is lost.
// Statements go out by pipeline mode: BEGIN and what was posted travel with the first statement
// that waits for its answer, or with COMMIT.
class PostgresConn : public EngineConn {
 public:
  // `connected` counts the connections of the pool that stand.
  PostgresConn(const Target& target, OwnName* name, bool writes, std::atomic<int>* connected)
      : target_(target), name_(name), writes_(writes), connected_(connected) {}
  ~PostgresConn() override { Drop(); }

  Engine engine() const override { return Engine::kPostgres; }
  bool is_connected() const { return conn_ != nullptr; }
  SteadyClock::time_point next_try() const { return next_try_; }

  // Makes a connection where there is none; between two tries, the error of the last one.
  Status Connect() {
    if (is_connected()) return absl::OkStatus();
    if (SteadyClock::now() < next_try_) return last_failure_;
    const Status named = name_->Hold();
    StatusOr<Connection> conn = named.ok() ? ConnectTo(target_) : named;
    if (!conn.ok()) {
      last_failure_ = Refuse(errors::TEMPORARILY_UNAVAILABLE,
                             ReasonOf(conn.status()) == errors::CONFLICT
                                 ? MessageOf(conn.status()) + "; nothing was done"
                                 : "the database cannot be reached; nothing was done; try again");
      next_try_ = SteadyClock::now() + Jitter(pause_);
      pause_ = std::min(pause_ * 2, kLongestPause);
      return last_failure_;
    }
    conn_ = std::move(conn).value();
    PQenterPipelineMode(conn_.get());
    pause_ = kFirstPause;
    ++*connected_;
    return absl::OkStatus();
  }

  // Runs a job in a transaction. Afterwards may_rerun() says whether it is worth another try: it
  // lost a deadlock, or the connection had died before it and the database did nothing of it.
  Status Run(const Store::Job& job) {
    ForgetError();
    begun_ = answered_ = may_rerun_ = false;
    if (prepared_ > kStatements) {
      cache_.clear();
      prepared_ = 0;
      RETURN_IF_ERROR(Remember(Command("DEALLOCATE ALL")));
      answered_ = false;
    }
    Status verdict = Verdict(job(*this));
    if (!begun_) return verdict;
    if (verdict.ok() && answered_ && Idle()) {
      verdict = Internal("the transaction ended before its time");
    }
    if (verdict.ok()) {
      if (writes_) FAILPOINT("before-commit");
      committing_ = true;
      Remember(Command("COMMIT")).IgnoreError();
      committing_ = false;
      verdict = Verdict(absl::OkStatus());
    }
    // What was posted goes first: after an error in the pipeline ROLLBACK would be skipped.
    if (is_connected() && !sent_.empty()) Answer().IgnoreError();
    if (is_connected() && !Idle()) {
      Command("ROLLBACK").IgnoreError();
      if (is_connected() && !Idle()) Drop();
    }
    return verdict;
  }
  bool may_rerun() const { return may_rerun_; }

 protected:
  StatusOr<int64_t> DoExec(const std::string& sql, absl::Span<const Value> values) override {
    RETURN_IF_ERROR(DoPost(sql, values));
    ASSIGN_OR_RETURN(Result result, Answer());
    // The rows of a SELECT are none that it changed.
    if (std::strncmp(PQcmdStatus(result.get()), "SELECT", 6) == 0) return 0;
    return std::atoll(PQcmdTuples(result.get()));
  }

  Status DoPost(const std::string& sql, absl::Span<const Value> values) override {
    RETURN_IF_ERROR(Begin());
    return Send(sql, values);
  }

  Status DoQuery(const std::string& sql, absl::Span<const Value> values, GoOn each) override {
    RETURN_IF_ERROR(DoPost(sql, values));
    ASSIGN_OR_RETURN(Result result, Answer());
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      PostgresRow row(result.get(), i);
      bool go_on = each(row);
      RETURN_IF_ERROR(row.fault());
      if (!go_on) break;
    }
    return absl::OkStatus();
  }

  // Several statements in one text need the simple protocol, which cannot be pipelined.
  Status DoScript(const std::string& ddl) override {
    RETURN_IF_ERROR(Begin());
    RETURN_IF_ERROR(Answer().status());
    PQexitPipelineMode(conn_.get());
    Result result(PQexec(conn_.get(), ddl.c_str()));
    Status status;
    ExecStatusType code = PQresultStatus(result.get());
    if (code != PGRES_COMMAND_OK && code != PGRES_TUPLES_OK && code != PGRES_EMPTY_QUERY) {
      status = Failure(result.get(), ddl);
    }
    if (is_connected()) PQenterPipelineMode(conn_.get());
    return status;
  }

 private:
  static constexpr auto kFirstPause = std::chrono::milliseconds(50);

  struct Prepared {
    std::string name;
    std::vector<Oid> types;
    bool ready = false;
  };
  using Cache = std::unordered_map<std::string, Prepared>;
  struct Sent {
    Cache::value_type* statement;
    bool is_prepare;
  };

  bool Idle() const { return PQtransactionStatus(conn_.get()) == PQTRANS_IDLE; }

  Status Begin() {
    if (begun_) return absl::OkStatus();
    begun_ = true;
    return Send(writes_ ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                        : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                {});
  }

  Status Command(const std::string& sql) {
    RETURN_IF_ERROR(Send(sql, {}));
    ASSIGN_OR_RETURN(Result result, Answer());
    // COMMIT of a transaction that failed is answered without an error, by 'ROLLBACK'.
    if (sql == "COMMIT" && std::strcmp(PQcmdStatus(result.get()), "COMMIT") != 0) {
      return Internal("the transaction was rolled back");
    }
    return absl::OkStatus();
  }

  // Puts a statement into the pipeline, preparing it first where it is new.
  Status Send(const std::string& sql, absl::Span<const Value> values) {
    if (!is_connected()) return Lost();
    auto [entry, is_new] = cache_.try_emplace(sql);
    Prepared& prepared = entry->second;
    if (is_new) {
      auto parameters = CountParameters(sql);
      if (!parameters.ok()) {
        cache_.erase(entry);
        return parameters.status();
      }
      prepared.types.assign(*parameters, kUnknown);
    }
    if (values.size() != prepared.types.size()) {
      return Internal(std::to_string(values.size()) + " values for: " + sql);
    }
    // Types are always named, since the server would infer int4 from '$1 + 1'. A NULL fits any
    // type, so a statement is prepared again only when a value shows a type that was not known.
    for (size_t i = 0; i < values.size(); ++i) {
      Oid type = TypeOf(values[i]);
      if (type == kUnknown || type == prepared.types[i]) continue;
      prepared.types[i] = type;
      prepared.ready = false;
    }
    if (!prepared.ready) {
      prepared.name = "s" + std::to_string(++names_);
      if (!PQsendPrepare(conn_.get(), prepared.name.c_str(), sql.c_str(),
                         static_cast<int>(prepared.types.size()), prepared.types.data())) {
        return Lost();
      }
      prepared.ready = true;
      ++prepared_;
      sent_.push_back({&*entry, true});
    }
    Parameters parameters(values);
    if (!PQsendQueryPrepared(conn_.get(), prepared.name.c_str(), parameters.count(),
                             parameters.data(), parameters.lengths(), parameters.formats(),
                             /*resultFormat=*/1)) {
      return Lost();
    }
    sent_.push_back({&*entry, false});
    return absl::OkStatus();
  }

  // Waits for the answers to everything sent. The last one's rows, or the first error.
  StatusOr<Result> Answer() {
    if (!is_connected() || !PQpipelineSync(conn_.get())) return Lost();
    Status failure;
    Result last;
    for (const Sent& sent : std::exchange(sent_, {})) {
      Result result(PQgetResult(conn_.get()));
      if (result == nullptr) return Lost();
      switch (PQresultStatus(result.get())) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
          answered_ = true;
          break;
        case PGRES_EMPTY_QUERY:
          failure = Internal("not one statement: " + sent.statement->first);
          break;
        case PGRES_PIPELINE_ABORTED:  // skipped after an error
          if (sent.is_prepare) sent.statement->second.ready = false;
          break;
        default:
          if (sent.is_prepare) sent.statement->second.ready = false;
          failure = Failure(result.get(), sent.statement->first);
          if (!is_connected()) return failure;
      }
      last = std::move(result);
      if (Result(PQgetResult(conn_.get())) != nullptr) return Lost();  // each ends with a null
    }
    Result sync(PQgetResult(conn_.get()));
    if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) return Lost();
    RETURN_IF_ERROR(failure);
    return last;
  }

  Status Failure(const PGresult* result, const std::string& sql) {
    auto field = [result](int code) {
      const char* text = PQresultErrorField(result, code);
      return std::string(text == nullptr ? "" : text);
    };
    const std::string state = field(PG_DIAG_SQLSTATE);
    const std::string severity = field(PG_DIAG_SEVERITY_NONLOCALIZED);
    const std::string kind = state.substr(0, 2);
    const std::string message = field(PG_DIAG_MESSAGE_PRIMARY);
    // 08P01 is the protocol's complaint about us and leaves the connection as it was.
    if (state.empty() || severity == "FATAL" || severity == "PANIC" || kind == "57" ||
        (kind == "08" && state != "08P01") || (writes_ && state == "25006") ||
        PQstatus(conn_.get()) != CONNECTION_OK) {
      if (state == "57014") return Busy(message);  // a statement was cancelled: nothing is lost
      return Lost();
    }
    if (kind == "40") {  // deadlock, serialization
      may_rerun_ = true;
      return Busy(message);
    }
    if (state == "0A000" && message.find("cached plan") != std::string::npos) {
      prepared_ = kStatements + 1;  // a migration changed a table: prepare everything anew
      may_rerun_ = true;
      return Busy(message);
    }
    if (kind == "53" || kind == "58" || state == "55P03") return Busy(message);  // full, no locks
    if (state == "25006") return Internal("a read job cannot write: " + sql);
    // The server's words on these may show values, names do not.
    const std::string where = field(PG_DIAG_TABLE_NAME);
    if (state == "23502") {
      return Constraint(errors::CONFLICT,
                        "NOT NULL failed: " + where + "." + field(PG_DIAG_COLUMN_NAME));
    }
    if (state == "23505") {
      return Constraint(errors::RESOURCE_EXISTS,
                        "UNIQUE failed: " + where + ": " + field(PG_DIAG_CONSTRAINT_NAME),
                        ColumnsOf(where, field(PG_DIAG_MESSAGE_DETAIL)));
    }
    const std::string constraint = field(PG_DIAG_CONSTRAINT_NAME);
    if (kind == "P0" || (kind == "23" && constraint.empty())) {
      return Constraint(errors::CONFLICT, message);  // RAISE of a trigger of ours
    }
    if (kind == "23") {
      return Constraint(errors::CONFLICT, "constraint failed: " + where + ": " + constraint);
    }
    if (kind == "22") return Internal("SQLSTATE " + state + ": " + sql);
    return Internal("SQLSTATE " + state + ": " + message + ": " + sql);
  }

  // 'Key (forum, id)=(w, 1) already exists.' -> 'table.forum, table.id', in whatever language.
  static std::string ColumnsOf(const std::string& table, const std::string& detail) {
    const size_t from = detail.find('('), to = detail.find(")=");
    if (from == std::string::npos || to == std::string::npos || to < from) return "";
    const std::string list = detail.substr(from + 1, to - from - 1);
    std::string columns;
    for (size_t at = 0; at <= list.size();) {
      const size_t end = std::min(list.find(", ", at), list.size());
      columns += (columns.empty() ? "" : ", ") + table + "." + list.substr(at, end - at);
      at = end + 2;
    }
    return columns;
  }

  static Status Busy(const std::string& message) {
    return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                  "the database is busy (" + message + "); nothing was done; try again");
  }

  Status Lost() {
    // Nothing answered and no COMMIT on its way: the connection was dead when the job got it.
    may_rerun_ = !answered_ && !committing_;
    Drop();
    return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                  committing_ ? "the connection to the database was lost while the command was"
                                " committed, which may or may not be done: send it again with the"
                                " same request_id"
                              : "the connection to the database was lost; nothing was done; try"
                                " again");
  }

  void Drop() {
    if (!is_connected()) return;
    conn_.reset();
    cache_.clear();
    sent_.clear();
    prepared_ = 0;
    next_try_ = {};
    --*connected_;
  }

  const Target& target_;
  OwnName* const name_;
  const bool writes_;
  std::atomic<int>* const connected_;
  Connection conn_;
  Cache cache_;
  std::vector<Sent> sent_;
  int64_t names_ = 0;
  int prepared_ = 0;  // since the last DEALLOCATE ALL
  bool begun_ = false, answered_ = false, committing_ = false, may_rerun_ = false;
  Status last_failure_;
  SteadyClock::time_point next_try_;
  std::chrono::milliseconds pause_ = kFirstPause;
};

class PostgresStore : public EngineStore {
 public:
  PostgresStore(const StoreOptions& options, Target target)
      : EngineStore(options), target_(std::move(target)), name_(target_, options.name) {
    for (int i = 0; i < options.writers && !options.read_only; ++i) {
      StartThread([this] { Serve(writes_, true, &writers_connected_); });
    }
    for (int i = 0; i < options.readers; ++i) {
      StartThread([this] { Serve(reads_, false, &readers_connected_); });
    }
  }
  ~PostgresStore() override { Drain(); }

  Engine engine() const override { return Engine::kPostgres; }
  Status HoldName() { return name_.Hold(); }
  Status Scrub(const std::string& table) override {
    ASSIGN_OR_RETURN(const Connection conn, ConnectTo(target_));
    const std::string index =
        "SELECT indexrelid::regclass FROM pg_index WHERE indisprimary AND "
        "indrelid = '" +
        table + "'::regclass";
    // Not for long, since whoever comes to the table waits behind it.
    for (const std::string& sql :
         {std::string("SET lock_timeout = '5s'"),
          "DO $$BEGIN EXECUTE 'CLUSTER " + table + " USING ' || (" + index + "); END$$"}) {
      const Result done(PQexec(conn.get(), sql.c_str()));
      if (PQresultStatus(done.get()) == PGRES_COMMAND_OK) continue;
      return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                    table + " cannot be rewritten now: " + PQerrorMessage(conn.get()));
    }
    return absl::OkStatus();
  }

 private:
  void Serve(WorkQueue& queue, bool writes, std::atomic<int>* connected) {
    PostgresConn conn(target_, &name_, writes, connected);
    while (true) {
      std::vector<Work> work = queue.Take(1);
      if (work.empty()) return;
      // A thread without a connection leaves the jobs to those that have one. Where none has, jobs
      // are refused at once instead of waiting for nobody knows what.
      if (!conn.Connect().ok() && *connected > 0 && queue.PutBack(&work.front())) {
        queue.PauseUntil(conn.next_try());
        continue;
      }
      Status status = Run(conn, work.front());
      if (writes && status.ok()) {
        FAILPOINT("after-commit");
        CountCommit(1);
      }
      work.front().done(status);
    }
  }

  static Status Run(PostgresConn& conn, const Work& work) {
    for (int reruns = 0;; ++reruns) {
      RETURN_IF_ERROR(CheckDeadline(work.deadline));
      RETURN_IF_ERROR(conn.Connect());
      Status status = conn.Run(work.job);
      if (!conn.may_rerun() || reruns == kReruns) return status;
      std::this_thread::sleep_for(Jitter(std::chrono::milliseconds(2 << reruns)));
    }
  }

  const Target target_;
  OwnName name_;
  std::atomic<int> writers_connected_{0};
  std::atomic<int> readers_connected_{0};
};

// The process of the server that did it; 0 where none answered.
int ServedBy(PGconn* conn) {
  Result result(PQexec(conn, "SELECT pg_backend_pid()"));
  return PQntuples(result.get()) == 1 ? std::atoi(PQgetvalue(result.get(), 0, 0)) : 0;
}

// A pooler that gives each transaction a session that is free loses what was prepared, and leaves
// locks with strangers. Who speaks with the server itself was told at the beginning which process
// serves it. Of a pooler it is seen, while two connections stand, whether a process changes, or
// serves both: with sessions of their own neither can be, and without one of them is.
Status RefuseSharedSessions(const Target& target, PGconn* conn) {
  if (ServedBy(conn) == PQbackendPID(conn)) return absl::OkStatus();
  ASSIGN_OR_RETURN(Connection other, ConnectTo(target));
  for (int again = 0; again < 3; ++again) {  // others that use the pool may get in between
    const int first = ServedBy(conn), second = ServedBy(conn);
    Result(PQexec(other.get(), "BEGIN")).reset();  // it keeps what it gets
    const int taken = ServedBy(other.get()), third = ServedBy(conn);
    if (first == 0 || second == 0 || third == 0) return Unreachable(PQerrorMessage(conn));
    if (taken == 0) return Unreachable(PQerrorMessage(other.get()));
    if (first != second || second != third || first == taken) {
      return InvalidField("url",
                          "the connection string leads to a pooler that gives each transaction"
                          " another session of the server, where neither locks nor prepared"
                          " statements stay: connect to PostgreSQL directly, or by a pool of whole"
                          " sessions (PgBouncer: pool_mode = session)");
    }
    Result(PQexec(other.get(), "COMMIT")).reset();
  }
  return absl::OkStatus();
}

// The schema is asked for first: CREATE SCHEMA IF NOT EXISTS needs its right even where it exists.
Status MakeSchema(const Target& target, PGconn* conn) {
  const char* schema[] = {target.schema.c_str()};
  auto exists = [&] {
    Result found(PQexecParams(conn, "SELECT 1 FROM pg_namespace WHERE nspname = $1", 1, nullptr,
                              schema, nullptr, nullptr, 0));
    return PQntuples(found.get()) == 1;
  };
  if (exists()) return absl::OkStatus();
  std::string create = "CREATE SCHEMA \"" + target.schema + "\"";
  Result made(PQexec(conn, create.c_str()));
  if (PQresultStatus(made.get()) == PGRES_COMMAND_OK || exists()) return absl::OkStatus();
  return Internal("cannot make the schema " + target.schema + ": " + PQerrorMessage(conn));
}

bool IsSchemaName(const std::string& name) {
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  auto is_rest = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() < 64 && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(), is_rest);
}

}  // namespace

StatusOr<std::unique_ptr<Store>> OpenPostgres(const std::string& conninfo,
                                              const StoreOptions& options) {
  if (!IsSchemaName(options.schema)) {
    return InvalidField("schema", "a schema is named in lower case: '" + options.schema + "'");
  }
  Target target{conninfo, options.schema};
  {
    ASSIGN_OR_RETURN(Connection conn, ConnectTo(target));
    RETURN_IF_ERROR(RefuseSharedSessions(target, conn.get()));
    if (!options.read_only) RETURN_IF_ERROR(MakeSchema(target, conn.get()));
  }
  auto store = std::make_unique<PostgresStore>(options, std::move(target));
  RETURN_IF_ERROR(store->HoldName());
  return StatusOr<std::unique_ptr<Store>>(std::move(store));
}

}  // namespace hub::db
