// A forum's members as the sheet that `import` reads.
#pragma once

#include <string>

#include "common/base/status.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// All but those who are erased and those whose data may only be stored; page after page, into
// `path` (.xlsx or .csv).
Status ExportMembers(const std::string& path, const Options& options);

}  // namespace hub::ctl
