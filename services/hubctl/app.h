// The command line: every method of the API as a command, and a closed list of commands of its own.
#pragma once

#include <string>
#include <vector>

namespace hub::ctl {

// Runs one command; `words` are the arguments without the program's name. Returns the exit code
// (output.h).
int Run(const std::vector<std::string>& words);

}  // namespace hub::ctl
