// Records in the database.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "services/engagement/records_rules.h"

namespace hub::engagement {

// The points of a record in their order.
StatusOr<std::vector<v1::Point>> PointsOf(Read& read, const v1::Record& record);

// Agreed on that day: stores the record with the hash over all its points, and tells it.
StatusOr<v1::Record> Seal(Write& write, v1::Record record, const std::string& agreed_on);

}  // namespace hub::engagement
