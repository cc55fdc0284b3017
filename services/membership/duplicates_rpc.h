// The end of merges, for other handlers and timers.
#pragma once

#include <string>

#include "common/journal/context.h"

namespace hub::membership {

// A merge can be undone no longer.
Status MakeMergeFinal(Write& write, const std::string& resource);
// The kept one is erased: what was merged into it is due too.
Status HastenMerges(Write& write, const std::string& kept);

}  // namespace hub::membership
