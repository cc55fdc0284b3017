#pragma once

#include <string>

namespace hub {

std::string HubVersion();  // of this program, as 0.1.0

}  // namespace hub
