// What a backup needs of the engines, as a program beside those that serve.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"

namespace hub::db {

// SQLite: copies each file of a database, used or not, to a new file, all of them as of one moment:
// for that moment (some milliseconds) no file can be written, while the pages are copied all can.
Status CopyFiles(const std::vector<std::pair<std::string, std::string>>& from_to);

// PostgreSQL: a connection string as the environment of a client program like pg_dump, since
// arguments are seen by everybody on the machine.
StatusOr<std::vector<std::pair<std::string, std::string>>> EnvironmentOf(
    const std::string& conninfo);

}  // namespace hub::db
