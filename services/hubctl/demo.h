// The demonstration: a forum's half year, played from the sheets of its folder through the public
// API, day by day, with a token for everyone who speaks. It may be stopped and begun again at any
// moment, and once it is through, another time changes nothing.
#pragma once

#include <string>

#include "common/base/status.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// `folder` has the sheets of tests/data/README.md. Progress goes to stderr. What the hub refuses
// unexpectedly ends it, named by sheet, line, row and act.
Status PlayDemo(const std::string& folder, Options options);

}  // namespace hub::ctl
