// The facts behind the counts: who counted as a member, or as a rep of the pool, from which day on.
// Append-only, so that any date's figure can be had again.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "coproduction/membership/v1/members.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

Status Record(Write& write, const std::string& member, v1::HistoryEntry::Kind kind,
              const std::string& on_date);
StatusOr<int64_t> MembersOn(Read& read, const std::string& date);
StatusOr<int64_t> PoolOn(Read& read, const std::string& date);

}  // namespace hub::membership
