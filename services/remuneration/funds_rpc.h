// Funds in the database: who pays, and is there enough.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "services/remuneration/funds_rules.h"

namespace hub::remuneration {

// Locks the funds that pay the activity until the command ends: what is looked up afterwards holds
// against every other command that locked them, or waits to.
Status LockFunds(Write& write, const Purpose& purpose);

// The first fund that pays the activity and has so much left, locked until the command ends, so
// that no other takes the same pounds: `wanted`, or where that is empty, any. Refused (rule
// no_fund_pays) with the funds that could pay.
StatusOr<v1::Fund> TakeFund(Write& write, const Purpose& purpose, const std::string& wanted,
                            int64_t pence);

// After money left a fund that TakeFund gave: says once that it is nearly spent, if it is.
Status NoteIfNearlySpent(Write& write, const std::string& fund);

}  // namespace hub::remuneration
