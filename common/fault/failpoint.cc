#include "common/fault/failpoint.h"

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

namespace hub::fault {
namespace {

struct State {
  std::mutex mutex;
  std::map<std::string, int64_t> left;  // times until it kills
};
State& Of() {
  static auto& state = *new State;
  return state;
}

}  // namespace

const std::vector<std::string>& Names() {
  static const auto& names = *new std::vector<std::string>{
      "mid-migration",   // a step has run, its number is not stored
      "asked",           // others have given their word, the command has not begun
      "before-commit",   // the commands of a batch have had their effect
      "after-commit",    // durable, nobody was answered
      "mid-checkpoint",  // SQLite: a page more of the log is in the file
      "before-publish",  // committed, and its event not sent
      "after-publish",   // sent, not acknowledged
      "after-ack",       // acknowledged, not marked
      "mid-mark",        // half of what was acknowledged is marked
      "lease-taken",     // one relays now, and has not read the stream back
      "applied",         // a consumed event had its effect, and is not acknowledged
      "mid-seal",        // a block is written, its rows are not
      "mid-drain",       // asked to stop, events and answers on their way
  };
  return names;
}

Status Arm(const std::vector<std::string>& points) {
  for (const auto& point : points) {
    const size_t at = point.find('@');
    const std::string name = point.substr(0, at);
    bool known = false;
    for (const auto& one : Names()) known |= one == name;
    const int64_t times = at == std::string::npos ? 1 : std::atoll(point.c_str() + at + 1);
    if (!known || times < 1) {
      return InvalidField("failpoints", "'" + point +
                                            "' is not of the form before-commit@37, or "
                                            "there is no such failpoint");
    }
    std::lock_guard<std::mutex> lock(Of().mutex);
    Of().left[name] = times;
    internal::armed = true;
  }
  return Status();
}

void internal::Reach(const char* name) {
  {
    std::lock_guard<std::mutex> lock(Of().mutex);
    auto it = Of().left.find(name);
    if (it == Of().left.end() || --it->second > 0) return;
  }
  std::fprintf(stderr, "failpoint %s\n", name);
  std::fflush(stderr);
  ::kill(::getpid(), SIGKILL);
  ::pause();
}

}  // namespace hub::fault
