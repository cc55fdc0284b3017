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
ABSL_DECLARE_FLAG(std::string, services);
ABSL_DECLARE_FLAG(std::string, tls_certificate);
ABSL_DECLARE_FLAG(std::string, tls_key);
ABSL_DECLARE_FLAG(std::string, tls_authority);
ABSL_DECLARE_FLAG(double, calls_per_second);
ABSL_DECLARE_FLAG(int, calls_at_once);
ABSL_DECLARE_FLAG(int, request_bytes);
ABSL_DECLARE_FLAG(int, call_seconds);
ABSL_DECLARE_FLAG(std::string, master_key);
ABSL_DECLARE_FLAG(std::vector<std::string>, peers);
ABSL_DECLARE_FLAG(int, replica);
ABSL_DECLARE_FLAG(int, workers);
ABSL_DECLARE_FLAG(bool, production);
ABSL_DECLARE_FLAG(bool, demo);
ABSL_DECLARE_FLAG(std::vector<std::string>, failpoints);
