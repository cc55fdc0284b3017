// Loads what the rules of good standing judge.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {

StatusOr<Papers> PapersOf(Read& read, const std::string& rep);
// What a rep lacks for good standing today; empty when nothing.
StatusOr<std::string> Missing(Read& read, const v1::Rep& rep);
// A rep who had lost good standing and lacks nothing any more has it again.
Status RegainStanding(Write& write, const std::string& rep);

}  // namespace hub::membership
