// The lapse of declarations, for timers.
#pragma once

#include <string>

#include "common/journal/context.h"

namespace hub::membership {

// The last declaration of a rep lapses soon.
Status TellDeclarationDue(Write& write, const std::string& resource);

}  // namespace hub::membership
