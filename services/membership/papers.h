// Loads what the rules of good standing judge.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {

StatusOr<Papers> PapersOf(Read& read, const std::string& rep);
// What a rep lacks for good standing today; empty when nothing.
StatusOr<std::string> Missing(Read& read, const v1::Rep& rep);

}  // namespace hub::membership
