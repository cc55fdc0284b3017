// Who has a place, for other handlers.
#pragma once

#include <set>
#include <string>

#include "common/journal/context.h"

namespace hub::scheduling {

// Names of the reps with a place in a session, or in one item.
StatusOr<std::set<std::string>> RepsOfSession(Read& read, const std::string& session);
StatusOr<std::set<std::string>> RepsOfItem(Read& read, const std::string& item);

}  // namespace hub::scheduling
