// A bounded pool of threads with a queue. One per module runs its Asks (calls of other services),
// so that a module that waits for another never holds the other's threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hub {

class Executor {
 public:
  Executor(int threads, size_t max_queue);
  ~Executor() { Drain(); }
  // False when the queue is full or draining: the caller refuses its work as unavailable.
  bool Run(std::function<void()> work);
  void Drain();  // finishes what is queued, then joins

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  const size_t max_queue_;
  bool draining_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hub
