// The end of what was agreed to share, for timers.
#pragma once

#include <string>

#include "common/journal/context.h"

namespace hub::membership {

// The day has come on which an entry of the sharing agreement holds no more.
Status TellSharingEnded(Write& write, const std::string& resource);

}  // namespace hub::membership
