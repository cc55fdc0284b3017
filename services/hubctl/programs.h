// The client programs of PostgreSQL.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace hub::ctl {

// Runs pg_dump or psql on the database of a connection string and waits. What it complains of is in
// the refusal.
Status RunOnPostgres(const std::string& conninfo, const std::vector<std::string>& words);

}  // namespace hub::ctl
