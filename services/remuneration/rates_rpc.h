// Rates in the database.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "services/remuneration/rates_rules.h"

namespace hub::remuneration {

// The forum's rates that may be valid on the day, in the order recorded.
StatusOr<std::vector<v1::Rate>> RatesFor(Read& read, const std::string& day);

}  // namespace hub::remuneration
