// The end of recusals, for timers.
#pragma once

#include <string>

#include "common/journal/context.h"

namespace hub::membership {

// The day has come on which a recusal holds no more.
Status TellRecusalEnded(Write& write, const std::string& resource);

}  // namespace hub::membership
