// A load of commands on all four services: stories, each of which lets one parent join, become a
// rep, come to a session of their own, be heard and be paid. A story's calls follow each other; new
// stories begin at a stated rate however slow the answers are (open loop). Every command has a
// request_id of its own and is sent again, with it, where nobody answered. What another service
// does by event is waited for without holding anything up.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "services/hubctl/call.h"

namespace hub::crash {

struct LoadOptions {
  ctl::Options hub;
  std::string seed;      // part of all request_ids and of what is told apart
  double rate = 100;     // commands a second
  int64_t commands = 0;  // no story begins after these...
  double seconds = 0;    // ...or after this time; one of the two
  int workers = 64;      // calls under way
  bool plain = false;    // does not watch the health of the processes
  int patience = 120;    // seconds for which a call is sent again before it counts as failed
};

struct LoadReport {
  int64_t stories = 0, calls = 0, commands = 0, failed = 0;
  int64_t retried = 0;                              // calls that needed more than one attempt
  std::map<std::string, int64_t> attempts_by_code;  // unsuccessful ones of those that were retried
  double seconds = 0;
  double longest = 0;  // seconds from a call's first attempt to its answer
  std::string first_failure;
};

// The hub's date of all that the stories do.
inline constexpr char kDate[] = "2022-05-06";

// What the stories need once: date, grants, code of conduct, rate and fund. Harmless again.
Status Prepare(const LoadOptions& options);
// Says how it goes on stderr, a line each second: 'commands <n> of stories <n>, ...'.
StatusOr<LoadReport> Load(const LoadOptions& options);

}  // namespace hub::crash
