// Runs modules as a process: opens ports, handles signals and drains. hubd passes four modules,
// membershipd one; there is no other difference.
#pragma once

#include <vector>

#include "common/daemon/module.h"

namespace hub {

// `what` is the first sentence of --help. Returns the exit code.
int RunDaemon(int argc, char** argv, const char* what, std::vector<Module> modules);

}  // namespace hub
