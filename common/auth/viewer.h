// A caller as the table of visibility sees it.
#pragma once

#include <string>

#include "common/auth/principal.h"
#include "common/privacy/visible.h"

namespace hub::auth {

privacy::Viewer ViewerOf(const Principal& principal, const std::string& forum);

}  // namespace hub::auth
