// The figures of all forums together: of their own rows alone, as each was counted, and by rules of
// their own, coarser than a forum's; never a sum of what forums print. Whoever was counted by a
// forum's row is counted from there on, so that no person is looked at again.
//
// They stand in the tenant 'forums/national', a record among the forums that no forum is named
// after: so names, keys, grants, events and redaction hold for them as for all else.
#pragma once

#include <string>

#include "common/journal/context.h"

namespace hub::membership {

// A day of the calendar has come, and each forum has done its part.
Status PublishNationalFigures(Write& write, const std::string& tenant);

}  // namespace hub::membership
