// What the two engines share. Only the files of common/db include it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/db/db.h"

namespace hub::db {

// The refusal of a constraint.
inline Status Constraint(errors::ErrorReason reason, const std::string& message,
                         const std::string& columns = "") {
  Status status = Refuse(reason, message);
  status.SetPayload(kConstraint, absl::Cord(columns));
  return status;
}

struct Work {
  Store::Job job;
  Micros deadline;
  Store::Done done;
};

// Jobs that wait for a thread of the Store.
class WorkQueue {
 public:
  explicit WorkQueue(int limit) : limit_(limit) {}
  // A closed or full queue refuses the work through its own `done`.
  void Push(Work work);
  // Waits for work and takes up to `most`, oldest first. Nothing: the queue is closed and empty.
  std::vector<Work> Take(size_t most);
  // Gives work that was taken to another thread; false, and nothing done, if the queue is closed.
  bool PutBack(Work* work);
  // Waits for that time to come or the queue to be closed.
  void PauseUntil(std::chrono::steady_clock::time_point time);
  void Close();

 private:
  const size_t limit_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable closing_;
  std::deque<Work> waiting_;
  bool closed_ = false;
};

// A row that remembers that it was asked for something that it is not.
class CheckedRow : public Row {
 public:
  const Status& fault() const { return fault_; }

 protected:
  void Fault(int column, const char* wanted, const std::string& found) const;

 private:
  mutable Status fault_;
};

// A connection as jobs see it: it checks what goes in, and keeps the job's first error.
class EngineConn : public Conn {
 public:
  StatusOr<int64_t> Exec(const std::string& sql, absl::Span<const Value> values) final;
  void Post(const std::string& sql, absl::Span<const Value> values) final;
  Status Query(const std::string& sql, absl::Span<const Value> values,
               absl::FunctionRef<Status(const Row&)> each) final;
  Status Script(const std::string& ddl) final;

 protected:
  using GoOn = absl::FunctionRef<bool(const Row&)>;
  virtual StatusOr<int64_t> DoExec(const std::string& sql, absl::Span<const Value> values) = 0;
  virtual Status DoPost(const std::string& sql, absl::Span<const Value> values) = 0;
  virtual Status DoQuery(const std::string& sql, absl::Span<const Value> values, GoOn each) = 0;
  virtual Status DoScript(const std::string& ddl) = 0;

  void ForgetError() { first_error_ = absl::OkStatus(); }
  Status Remember(const Status& status);
  const Status& first_error() const { return first_error_; }
  // What the job comes to. Its own error says more than the engine's, unless a later try helps.
  Status Verdict(const Status& returned) const;

 private:
  Status Admit(const std::string& sql, absl::Span<const Value> values, bool writes) const;

  Status first_error_;
  int queries_ = 0;  // open on this connection, one in the callback of another
};

// A Store's queues, threads and counters. Its heir calls Drain() in its destructor.
class EngineStore : public Store {
 public:
  explicit EngineStore(const StoreOptions& options)
      : writes_(options.max_queue), reads_(options.max_queue), read_only_(options.read_only) {}
  void Write(Job job, Micros deadline, Done done) final {
    if (read_only_) return done(Internal("the store was opened read-only"));
    writes_.Push({std::move(job), deadline, std::move(done)});
  }
  void Read(Job job, Micros deadline, Done done) final {
    reads_.Push({std::move(job), deadline, std::move(done)});
  }
  void Drain() final;
  int64_t jobs_committed() const final { return jobs_committed_.load(); }
  int64_t commits() const final { return commits_.load(); }

 protected:
  void StartThread(std::function<void()> loop);
  void CountCommit(int64_t jobs) {
    jobs_committed_ += jobs;
    ++commits_;
  }

  WorkQueue writes_;
  WorkQueue reads_;

 private:
  const bool read_only_;
  std::atomic<int64_t> jobs_committed_{0};
  std::atomic<int64_t> commits_{0};
  std::mutex draining_;
  std::vector<std::thread> threads_;
};

Status CheckDeadline(Micros deadline);
// The number of parameters ($1, $2 ...) of a statement, refused if they do not first appear in
// ascending order (SQLite numbers them by appearance, PostgreSQL by name).
StatusOr<size_t> CountParameters(const std::string& sql);
// The columns of a table, and whether an INSERT may leave each out. None: there is no such table.
StatusOr<std::map<std::string, bool>> ColumnsOf(Conn& conn, const std::string& table);
// UTF-8 without NUL: what both engines keep as it is.
bool IsText(std::string_view text);

StatusOr<std::unique_ptr<Store>> OpenSqlite(const std::string& path, const StoreOptions& options);
StatusOr<std::unique_ptr<Store>> OpenPostgres(const std::string& conninfo,
                                              const StoreOptions& options);

}  // namespace hub::db
