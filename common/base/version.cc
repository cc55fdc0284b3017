#include "common/base/version.h"

namespace hub {

std::string HubVersion() { return HUB_VERSION; }

}  // namespace hub
