// Who may still come in, and who has not left yet: one for all doors of a process, so that it can
// stop without cutting a call off. Closed, it refuses calls from other processes before anything of
// them is done, while what the process asks itself goes on until nobody is inside.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace hub {

class Gate {
 public:
  // False: not any more, but from within. Whoever came in leaves once.
  bool Enter(bool from_within = false);
  void Leave();
  int64_t inside();

  // Until nobody has come for a while, for so long at most.
  void AwaitQuiet(std::chrono::milliseconds most);
  void Close();
  // Until nobody is inside.
  void AwaitEmpty();

 private:
  using Clock = std::chrono::steady_clock;  // whatever happens to the machine's time

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t inside_ = 0;
  bool closed_ = false;
  Clock::time_point last_came_;
};

}  // namespace hub
