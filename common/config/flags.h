// The flags of every daemon: the only global state there is. A flag may stand in a file
// (--flagfile).
#pragma once

#include <string>
#include <vector>

#include "absl/flags/declare.h"

ABSL_DECLARE_FLAG(std::string, listen);
ABSL_DECLARE_FLAG(std::string, state);
ABSL_DECLARE_FLAG(std::string, database);
ABSL_DECLARE_FLAG(std::string, keys_database);
ABSL_DECLARE_FLAG(std::string, erasures);
ABSL_DECLARE_FLAG(std::string, receivers);
ABSL_DECLARE_FLAG(std::string, issuers);
ABSL_DECLARE_FLAG(std::string, inside_key);
ABSL_DECLARE_FLAG(std::string, master_key);
ABSL_DECLARE_FLAG(std::vector<std::string>, peers);
ABSL_DECLARE_FLAG(int, replica);
ABSL_DECLARE_FLAG(int, workers);
ABSL_DECLARE_FLAG(bool, production);
ABSL_DECLARE_FLAG(bool, demo);
ABSL_DECLARE_FLAG(std::vector<std::string>, failpoints);
