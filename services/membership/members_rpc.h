// Applications of members, for other handlers and timers.
#pragma once

#include <string>

#include "common/journal/context.h"

namespace hub::membership {

// From today an application waits for its token, or without one for its end alone. Returns the day
// on which it lapses.
StatusOr<std::string> AwaitConfirmation(Write& write, const std::string& member,
                                        const std::string& token_hash);
// Nobody confirmed an application in time.
Status LapseApplication(Write& write, const std::string& resource);

}  // namespace hub::membership
