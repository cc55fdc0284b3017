// Who has a place, for other handlers, and the end of places.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/journal/context.h"

namespace hub::scheduling {

// Names of the reps with a place in a session, or in one item.
StatusOr<std::set<std::string>> RepsOfSession(Read& read, const std::string& session);
StatusOr<std::set<std::string>> RepsOfItem(Read& read, const std::string& item);

// Ends, and tells, the places for which `where` holds (SQL over allocations, from $2 on): those of
// one rep, of one item or of one session.
Status EndPlaces(Write& write, const std::string& where, std::vector<db::Value> values,
                 const std::string& reason);

}  // namespace hub::scheduling
