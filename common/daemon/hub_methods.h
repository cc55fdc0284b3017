// The methods that the process itself answers, whichever services it holds: Events and Hub.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/daemon/runtime.h"

namespace hub {

struct Process {
  std::vector<std::unique_ptr<Runtime>> runtimes;
  Clock clock;
  bool demo = false;
  std::string demo_file;  // keeps the demonstration's date over a restart
};

void BindHubMethods(Door& door, Process& process);

}  // namespace hub
