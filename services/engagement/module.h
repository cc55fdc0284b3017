// What was said, and what changed because of it.
#pragma once

#include "common/daemon/module.h"

namespace hub::engagement {

Module MakeEngagementModule();

}  // namespace hub::engagement
