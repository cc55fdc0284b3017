// Named places where a test has the process killed, as a power cut would: at once, by SIGKILL. Off,
// a place costs the reading of one flag. A production server refuses to start with any.
//
//   FAILPOINT("before-commit");
//
// Armed by --failpoints=before-commit@37: the 37th time somebody comes there. Each name stands in
// the list in failpoint.cc, so that a test can show that each was reached.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace hub::fault {

// 'name@times,name@times'. Refuses a name that there is not.
Status Arm(const std::vector<std::string>& points);
const std::vector<std::string>& Names();

namespace internal {
inline std::atomic<bool> armed{false};
void Reach(const char* name);
}  // namespace internal

// Whether any is: for a place that has to be made first, and is not where nobody would meet it.
inline bool IsArmed() { return internal::armed.load(std::memory_order_relaxed); }

}  // namespace hub::fault

#define FAILPOINT(name)                                               \
  do {                                                                \
    if (::hub::fault::IsArmed()) ::hub::fault::internal::Reach(name); \
  } while (false)
