#include "common/db/engine.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "common/base/clock.h"

namespace hub::db {

void WorkQueue::Push(Work work) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!closed_ && waiting_.size() < limit_) {
    waiting_.push_back(std::move(work));
    lock.unlock();
    filled_.notify_one();
    return;
  }
  const char* refusal = closed_
                            ? "the server is stopping; nothing was done; try again"
                            : "too many commands are waiting; nothing was done; try again later";
  lock.unlock();
  work.done(Refuse(errors::TEMPORARILY_UNAVAILABLE, refusal));
}

std::vector<Work> WorkQueue::Take(size_t most) {
  std::unique_lock<std::mutex> lock(mutex_);
  filled_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
  std::vector<Work> taken;
  size_t count = std::min(most, waiting_.size());
  taken.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

bool WorkQueue::PutBack(Work* work) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;  // the other threads may have gone
    waiting_.push_front(std::move(*work));
  }
  filled_.notify_one();
  return true;
}

void WorkQueue::PauseUntil(std::chrono::steady_clock::time_point time) {
  std::unique_lock<std::mutex> lock(mutex_);
  closing_.wait_until(lock, time, [this] { return closed_; });
}

void WorkQueue::Close() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  filled_.notify_all();
  closing_.notify_all();
}

void CheckedRow::Fault(int column, const char* wanted, const std::string& found) const {
  if (!fault_.ok()) return;
  fault_ =
      Internal("column " + std::to_string(column) + " was read as " + wanted + " but is " + found);
}

Status EngineConn::Admit(const std::string& sql, absl::Span<const Value> values,
                         bool writes) const {
  RETURN_IF_ERROR(first_error_);
  if (writes && queries_ > 0) {
    return Internal("a statement that writes, while the rows of a query are read: " + sql);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const auto* text = std::get_if<std::string>(&values[i]);
    if (text != nullptr && !IsText(*text)) {
      return InvalidField("$" + std::to_string(i + 1), "a text must be UTF-8 without NUL bytes");
    }
  }
  return absl::OkStatus();
}

Status EngineConn::Remember(const Status& status) {
  if (first_error_.ok()) first_error_ = status;
  return status;
}

Status EngineConn::Verdict(const Status& returned) const {
  bool curable = ReasonOf(first_error_) == errors::TEMPORARILY_UNAVAILABLE;
  return returned.ok() || curable ? first_error_ : returned;
}

StatusOr<int64_t> EngineConn::Exec(const std::string& sql, absl::Span<const Value> values) {
  RETURN_IF_ERROR(Remember(Admit(sql, values, true)));
  StatusOr<int64_t> changed = DoExec(sql, values);
  RETURN_IF_ERROR(Remember(changed.status()));
  return changed;
}

void EngineConn::Post(const std::string& sql, absl::Span<const Value> values) {
  Status status = Remember(Admit(sql, values, true));
  if (status.ok()) Remember(DoPost(sql, values)).IgnoreError();
}

Status EngineConn::Query(const std::string& sql, absl::Span<const Value> values,
                         absl::FunctionRef<Status(const Row&)> each) {
  RETURN_IF_ERROR(Remember(Admit(sql, values, false)));
  Status stop;  // the error of `each` is the job's own: the transaction lives on
  ++queries_;
  Status status = DoQuery(sql, values, [&](const Row& row) {
    stop = each(row);
    return stop.ok();
  });
  --queries_;
  RETURN_IF_ERROR(Remember(status));
  return stop;
}

Status EngineConn::Script(const std::string& ddl) {
  RETURN_IF_ERROR(Remember(Admit(ddl, {}, true)));
  return Remember(DoScript(ForEngine(engine(), ddl)));
}

namespace {

// Whose thread this is: waiting there for the same Store would be waiting for oneself. (A service's
// job may wait for the key store, which waits for nobody.)
thread_local const Store* store_of_thread = nullptr;

template <class Queue>
Status AndWait(const Store* store, Queue queue) {
  if (store_of_thread == store) return Internal("a job or its `done` waits for a job");
  std::mutex mutex;
  std::condition_variable wake;
  bool finished = false;
  Status result;
  queue([&](Status status) {
    std::lock_guard<std::mutex> lock(mutex);
    result = std::move(status);
    finished = true;
    wake.notify_one();  // under the lock: `wake` is gone as soon as the waiter has it
  });
  std::unique_lock<std::mutex> lock(mutex);
  wake.wait(lock, [&] { return finished; });
  return result;
}

}  // namespace

Status Store::WriteAndWait(Job job) {
  return AndWait(this, [&](Done done) { Write(std::move(job), 0, std::move(done)); });
}

Status Store::ReadAndWait(Job job) {
  return AndWait(this, [&](Done done) { Read(std::move(job), 0, std::move(done)); });
}

void EngineStore::StartThread(std::function<void()> loop) {
  threads_.emplace_back([this, loop = std::move(loop)] {
    store_of_thread = this;
    loop();
  });
}

void EngineStore::Drain() {
  writes_.Close();
  reads_.Close();
  std::lock_guard<std::mutex> lock(draining_);
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

StatusOr<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  const std::string& url = options.url;
  if (url.rfind("sqlite:", 0) == 0) return OpenSqlite(url.substr(7), options);
  // 'postgres://user@host/base' is a connection string already.
  if (url.rfind("postgres://", 0) == 0) return OpenPostgres(url, options);
  if (url.rfind("postgres:", 0) == 0) return OpenPostgres(url.substr(9), options);
  return InvalidField("url", "a database is 'sqlite:<path>' or 'postgres:<connection string>'");
}

const char* ForUpdate(const Conn& conn) {
  return conn.engine() == Engine::kPostgres ? " FOR UPDATE" : "";
}

Status CheckDeadline(Micros deadline) {
  if (deadline == 0 || MachineNow() < deadline) return absl::OkStatus();
  return Refuse(errors::DEADLINE_PASSED,
                "the deadline passed before the command began; nothing was done");
}

constexpr size_t kMostParameters = 32766;  // what both engines take

StatusOr<size_t> CountParameters(const std::string& sql) {
  size_t count = 0;
  for (size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == '\'' || sql[i] == '"') {  // a doubled quote is two strings, which does no harm
      i = sql.find(sql[i], i + 1);
    } else if (sql.compare(i, 2, "--") == 0) {
      i = sql.find('\n', i);
    } else if (sql[i] == '$') {
      size_t number = 0;
      while (i + 1 < sql.size() && sql[i + 1] >= '0' && sql[i + 1] <= '9' && number < 100000) {
        number = number * 10 + (sql[++i] - '0');
      }
      if (number == 0 || number > count + 1 || number > kMostParameters) {
        return Internal("parameters must first appear in the order $1, $2 ...: " + sql);
      }
      count = std::max(count, number);
    }
    if (i == std::string::npos) break;
  }
  return count;
}

StatusOr<std::vector<std::string>> ViewsOf(Conn& conn, const std::string& begin) {
  std::vector<std::string> views;
  const char* sql = conn.engine() == Engine::kSqlite
                        ? "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name"
                        : "SELECT table_name::text FROM information_schema.views "
                          "WHERE table_schema = current_schema() ORDER BY 1";
  RETURN_IF_ERROR(conn.Query(sql, {}, [&](const Row& row) {
    const std::string name(row.Text(0));
    if (name.rfind(begin, 0) == 0) views.push_back(name);
    return Status();
  }));
  return views;
}

StatusOr<std::map<std::string, bool>> ColumnsOf(Conn& conn, const std::string& table) {
  std::map<std::string, bool> columns;
  const char* sql =
      conn.engine() == Engine::kSqlite
          ? "SELECT name, \"notnull\" = 0 OR dflt_value IS NOT NULL FROM pragma_table_info($1)"
          : "SELECT column_name::text, CASE WHEN is_nullable = 'YES' OR column_default IS NOT NULL "
            "THEN 1 ELSE 0 END "
            "FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND table_name = $1";
  RETURN_IF_ERROR(conn.Query(sql, {Value(table)}, [&](const Row& row) {
    columns[std::string(row.Text(0))] = row.Int(1) != 0;
    return Status();
  }));
  return columns;
}

bool IsText(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at < end) {
    if (*at < 0x80) {
      if (*at++ == 0) return false;
      continue;
    }
    // Length and the range of the second byte as in RFC 3629: no overlong forms, no surrogates.
    int more;
    unsigned char low = 0x80, high = 0xbf;
    if (*at >= 0xc2 && *at <= 0xdf) {
      more = 1;
    } else if (*at >= 0xe0 && *at <= 0xef) {
      more = 2;
      if (*at == 0xe0) low = 0xa0;
      if (*at == 0xed) high = 0x9f;
    } else if (*at >= 0xf0 && *at <= 0xf4) {
      more = 3;
      if (*at == 0xf0) low = 0x90;
      if (*at == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (end - at <= more || at[1] < low || at[1] > high) return false;
    for (int i = 2; i <= more; ++i) {
      if (at[i] < 0x80 || at[i] > 0xbf) return false;
    }
    at += more + 1;
  }
  return true;
}

}  // namespace hub::db
