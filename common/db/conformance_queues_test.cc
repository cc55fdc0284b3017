#include <atomic>
#include <deque>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "common/db/conformance.h"

namespace hub::db {
namespace {

CATEGORY(DbDeadlines);

TEST_P(DbDeadlines, APassedOneIsRefusedAndLeavesNothing) {
  Script(kItems);
  bool ran = false;
  for (bool write : {true, false}) {
    std::latch finished(1);
    Status result;
    auto job = [&](Conn&) {
      ran = true;
      return absl::OkStatus();
    };
    auto done = [&](Status status) {
      result = status;
      finished.count_down();
    };
    write ? store().Write(job, MachineNow() - 1, done) : store().Read(job, MachineNow() - 1, done);
    finished.wait();
    EXPECT_EQ(RefusalOf(result), errors::DEADLINE_PASSED) << result;
  }
  EXPECT_FALSE(ran);
}

TEST_P(DbDeadlines, ABegunJobIsNotInterrupted) {
  Script(kItems);
  const Micros deadline = MachineNow() + 20000;
  Status result = Reason(errors::DEMO_ONLY);
  std::latch finished(1);
  store().Write(
      [&](Conn& conn) {
        while (MachineNow() <= deadline) std::this_thread::yield();
        return conn.Exec(kInsert, {1, "one", 0}).status();
      },
      deadline,
      [&](Status status) {
        result = status;
        finished.count_down();
      });
  finished.wait();
  // On a machine under load it may not have begun in time: then it has left nothing.
  EXPECT_TRUE(result.ok() || RefusalOf(result) == errors::DEADLINE_PASSED) << result;
  EXPECT_EQ(Int("SELECT count(*) FROM items"), result.ok() ? 1 : 0);
}

TEST_P(DbDeadlines, AJobThatWaitedTooLongIsRefusedAmongOthers) {
  Script(kItems);
  const Micros deadline = MachineNow() + 1000;
  std::latch passed(1);
  const int blockers = is_sqlite() ? 1 : options_.writers;
  std::latch open(blockers + 20);
  std::vector<Status> results(20);
  for (int i = 0; i < blockers; ++i) {
    store().Write(
        [&](Conn&) {
          passed.wait();
          return absl::OkStatus();
        },
        0, [&](Status) { open.count_down(); });
  }
  for (int i = 0; i < 20; ++i) {
    store().Write(
        [i](Conn& conn) {
          return conn.Exec(kInsert, {i, std::to_string(i), 0}).status();
        },
        i % 2 == 0 ? deadline : 0,
        [&, i](Status status) {
          results[i] = status;
          open.count_down();
        });
  }
  while (MachineNow() <= deadline) std::this_thread::yield();
  passed.count_down();
  open.wait();
  for (int i = 0; i < 20; ++i) {
    if (i % 2 == 0) {
      EXPECT_EQ(RefusalOf(results[i]), errors::DEADLINE_PASSED) << results[i];
    } else {
      EXPECT_TRUE(results[i].ok()) << results[i];
    }
  }
  EXPECT_EQ(Int("SELECT count(*) FROM items WHERE id % 2 = 1"), 10);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 10);
}

CATEGORY(DbQueues);

TEST_P(DbQueues, FinishesWhatIsQueuedAndRefusesWhatComesLater) {
  Script(kItems);
  std::atomic<int> fine{0}, refused{0};
  for (int i = 0; i < 300; ++i) {
    store().Write(
        [i](Conn& conn) {
          return conn.Exec(kInsert, {i, std::to_string(i), 0}).status();
        },
        0, [&](Status status) { status.ok() ? ++fine : ++refused; });
  }
  store().Drain();
  EXPECT_EQ(fine, 300);
  store().Write([](Conn&) { return absl::OkStatus(); }, 0,
                [&](Status status) {
                  EXPECT_EQ(RefusalOf(status), errors::TEMPORARILY_UNAVAILABLE);
                  ++refused;
                });
  EXPECT_EQ(RefusalOf(store().ReadAndWait([](Conn&) { return absl::OkStatus(); })),
            errors::TEMPORARILY_UNAVAILABLE);
  EXPECT_EQ(refused, 1);
  store().Drain();  // a second time does no harm
  Reopen();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 300);
}

TEST_P(DbQueues, WaitsForTheJobThatRuns) {
  Script(kItems);
  std::latch running(1), go_on(1);
  bool answered = false;
  store().Write(
      [&](Conn& conn) {
        running.count_down();
        go_on.wait();
        return conn.Exec(kInsert, {1, "one", 0}).status();
      },
      0, [&](Status status) { answered = status.ok(); });
  running.wait();
  std::thread drain([&] { store().Drain(); });
  // Drain has begun when new work is refused.
  while (store().ReadAndWait([](Conn&) { return absl::OkStatus(); }).ok()) {
  }
  go_on.count_down();
  drain.join();
  EXPECT_TRUE(answered);
}

TEST_P(DbQueues, AFullQueueRefuses) {
  StoreOptions options = options_;
  options.max_queue = 3;
  store_.reset();
  Use(options);
  std::latch go_on(1);
  const int threads = is_sqlite() ? 1 : options.writers;
  std::atomic<int> waiting{0}, fine{0}, refused{0};
  for (int i = 0; i < threads; ++i) {
    int before = waiting;
    store().Write(
        [&](Conn&) {
          ++waiting;
          go_on.wait();
          return absl::OkStatus();
        },
        0, [&](Status) { ++fine; });
    while (waiting == before) std::this_thread::yield();
  }
  for (int i = 0; i < 5; ++i) {
    store().Write([](Conn&) { return absl::OkStatus(); }, 0,
                  [&](Status status) {
                    if (status.ok()) ++fine;
                    if (RefusalOf(status) == errors::TEMPORARILY_UNAVAILABLE) ++refused;
                  });
  }
  EXPECT_EQ(refused, 2);
  go_on.count_down();
  store().Drain();
  EXPECT_EQ(fine, threads + 3);
}

TEST_P(DbQueues, AJobCannotWaitForAJob) {
  Status inner;
  EXPECT_TRUE(store()
                  .WriteAndWait([&](Conn&) {
                    inner = store().WriteAndWait([](Conn&) { return absl::OkStatus(); });
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(RefusalOf(inner), errors::INTERNAL_FAULT);
}

TEST_P(DbDeadlines, OneAheadIsNoHindrance) {
  Script(kItems);
  for (bool write : {true, false}) {
    std::latch finished(1);
    Status result = Reason(errors::DEMO_ONLY);
    auto done = [&](Status status) {
      result = status;
      finished.count_down();
    };
    const Micros deadline = MachineNow() + 3600'000'000ll;
    if (write) {
      store().Write(
          [](Conn& conn) {
            return conn.Exec(kInsert, {1, "one", 0}).status();
          },
          deadline, done);
    } else {
      store().Read([](Conn& conn) { return IntOf(conn, "SELECT 1").status(); }, deadline, done);
    }
    finished.wait();
    EXPECT_TRUE(result.ok()) << result;
  }
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 1);
}

TEST_P(DbDeadlines, AReadThatWaitedTooLongIsRefused) {
  std::latch passed(1), finished(options_.readers + 1);
  for (int i = 0; i < options_.readers; ++i) {
    store().Read(
        [&](Conn&) {
          passed.wait();
          return absl::OkStatus();
        },
        0, [&](Status) { finished.count_down(); });
  }
  const Micros deadline = MachineNow() + 1000;
  Status result;
  bool ran = false;
  store().Read(
      [&](Conn&) {
        ran = true;
        return absl::OkStatus();
      },
      deadline,
      [&](Status status) {
        result = status;
        finished.count_down();
      });
  while (MachineNow() <= deadline) std::this_thread::yield();
  passed.count_down();
  finished.wait();
  EXPECT_EQ(RefusalOf(result), errors::DEADLINE_PASSED) << result;
  EXPECT_FALSE(ran);
}

// Holds the threads of a store's writers or readers until it is told to let go.
class Plug {
 public:
  Plug(Store& store, bool writers, int threads) : finished_(threads) {
    for (int i = 0; i < threads; ++i) {
      std::latch& begun = begun_.emplace_back(1);
      Store::Job job = [&begun, this](Conn&) {
        begun.count_down();
        go_on_.wait();
        return absl::OkStatus();
      };
      auto done = [this](Status) { finished_.count_down(); };
      writers ? store.Write(job, 0, done) : store.Read(job, 0, done);
      begun.wait();
    }
  }
  void LetGo() {
    go_on_.count_down();
    finished_.wait();
  }

 private:
  std::deque<std::latch> begun_;
  std::latch go_on_{1};
  std::latch finished_;
};

TEST_P(DbQueues, DrainFinishesReadsToo) {
  Script(kItems);
  FillItems(1);
  std::atomic<int> read{0};
  for (int i = 0; i < 200; ++i) {
    store().Read([](Conn& conn) { return IntOf(conn, "SELECT n FROM items").status(); }, 0,
                 [&](Status status) { read += status.ok(); });
  }
  store().Drain();
  EXPECT_EQ(read, 200);
}

TEST_P(DbQueues, AStoreThatGoesFinishesWhatIsQueued) {
  Script(kItems);
  std::atomic<int> fine{0};
  for (int i = 0; i < 100; ++i) {
    store().Write(
        [i](Conn& conn) {
          return conn.Exec(kInsert, {i, std::to_string(i), 0}).status();
        },
        0, [&](Status status) { fine += status.ok(); });
  }
  store_.reset();
  EXPECT_EQ(fine, 100);
  Use(options_);
  EXPECT_EQ(Int("SELECT count(*) FROM items"), 100);
}

TEST_P(DbQueues, EachOfManyCallersIsAnsweredOnceWhileItDrains) {
  Script(kItems);
  std::atomic<int> asked{0}, fine{0}, refused{0};
  std::atomic<bool> draining{false};
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([&] {
      bool last = false;
      while (!last) {
        last = draining;
        const int id = asked++;
        store().Write(
            [id](Conn& conn) {
              return conn.Exec(kInsert, {id, std::to_string(id), 0}).status();
            },
            0, [&](Status status) { status.ok() ? ++fine : ++refused; });
      }
    });
  }
  while (asked < 100) std::this_thread::yield();
  store().Drain();
  draining = true;
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(fine + refused, asked);
  EXPECT_GE(refused, 8);
  Reopen();
  EXPECT_EQ(Int("SELECT count(*) FROM items"), fine);
}

TEST_P(DbQueues, AFullQueueOfReadsRefuses) {
  StoreOptions options = options_;
  options.max_queue = 2;
  store_.reset();
  Use(options);
  Plug plug(store(), false, options.readers);
  std::atomic<int> fine{0}, refused{0};
  for (int i = 0; i < 5; ++i) {
    store().Read([](Conn&) { return absl::OkStatus(); }, 0,
                 [&](Status status) {
                   if (status.ok()) ++fine;
                   if (RefusalOf(status) == errors::TEMPORARILY_UNAVAILABLE) ++refused;
                 });
  }
  EXPECT_EQ(refused, 3);
  plug.LetGo();
  store().Drain();
  EXPECT_EQ(fine, 2);
}

TEST_P(DbQueues, AFullQueueOfReadsLetsWritesPass) {
  StoreOptions options = options_;
  options.max_queue = 1;
  store_.reset();
  Use(options);
  Plug plug(store(), false, options.readers);
  store().Read([](Conn&) { return absl::OkStatus(); }, 0, [](Status) {});
  EXPECT_TRUE(store().WriteAndWait([](Conn&) { return absl::OkStatus(); }).ok());
  plug.LetGo();
}

TEST_P(DbQueues, AQueueThatWasFullTakesJobsAgain) {
  StoreOptions options = options_;
  options.max_queue = 1;
  store_.reset();
  Use(options);
  {
    Plug plug(store(), true, is_sqlite() ? 1 : options.writers);
    std::atomic<int> refused{0};
    store().Write([](Conn&) { return absl::OkStatus(); }, 0, [](Status) {});
    store().Write([](Conn&) { return absl::OkStatus(); }, 0,
                  [&](Status status) { refused += !status.ok(); });
    EXPECT_EQ(refused, 1);
    plug.LetGo();
  }
  EXPECT_TRUE(
      Persist([&] { return store().WriteAndWait([](Conn&) { return absl::OkStatus(); }); }).ok());
}

TEST_P(DbQueues, WhatIsRefusedAtOnceIsToldOnTheCallersThread) {
  store().Drain();
  std::thread::id told;
  store().Write([](Conn&) { return absl::OkStatus(); }, 0,
                [&](Status) { told = std::this_thread::get_id(); });
  EXPECT_EQ(told, std::this_thread::get_id());
}

TEST_P(DbQueues, ADoneCannotWaitForAJob) {
  std::latch finished(1);
  Status inner;
  store().Write([](Conn&) { return absl::OkStatus(); }, 0,
                [&](Status) {
                  inner = store().ReadAndWait([](Conn&) { return absl::OkStatus(); });
                  finished.count_down();
                });
  finished.wait();
  EXPECT_EQ(RefusalOf(inner), errors::INTERNAL_FAULT) << inner;
}

TEST_P(DbQueues, AJobMayWaitForAnotherStore) {
  // As a service's job waits for the key store.
  Script(kItems);
  StoreOptions options;
  options.url = "sqlite:" + folder_.path() + "/other.db";
  auto other = std::move(Store::Open(options)).value();
  Status status = store().WriteAndWait([&](Conn& conn) {
    RETURN_IF_ERROR(other->WriteAndWait([](Conn& inner) { return inner.Script(kItems); }));
    return conn.Exec(kInsert, {1, "one", 0}).status();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DbQueues, AJobThatRefusesIsCountedAsNoCommit) {
  Script(kItems);
  const int64_t jobs = store().jobs_committed();
  EXPECT_FALSE(store().WriteAndWait([](Conn&) { return Reason(errors::RULE_REFUSED); }).ok());
  EXPECT_TRUE(store().ReadAndWait([](Conn&) { return absl::OkStatus(); }).ok());
  EXPECT_EQ(store().jobs_committed(), jobs);
  EXPECT_TRUE(Exec(kInsert, {1, "one", 0}).ok());
  EXPECT_EQ(store().jobs_committed(), jobs + 1);
}

}  // namespace
}  // namespace hub::db
