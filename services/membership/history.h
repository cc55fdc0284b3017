// The facts behind the counts: who counted as a member, or as a rep of the pool, from which day on.
// Append-only, so that any date's figure can be had again, also as it was known on an earlier day.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "services/membership/history_rules.h"

namespace hub::membership {

Status Record(Write& write, const std::string& member, v1::HistoryEntry::Kind kind,
              const std::string& on_date);

// The member, and those who were merged into it: the entries of one person.
StatusOr<std::vector<std::string>> EntriesOf(Read& read, const std::string& member);

// What counts the person to whom the member's entry belongs.
StatusOr<Changes> ChangesOf(Read& read, const std::string& member);

// Counts by the facts that were entered until the end of a day.
class Counting {
 public:
  Counting(Read& read, const std::string& known_on);
  StatusOr<int32_t> MembersOn(const std::string& date);
  StatusOr<int32_t> PoolOn(const std::string& date);
  // After the day `after`, until `to`.
  StatusOr<int32_t> Joined(const std::string& after, const std::string& to);
  StatusOr<int32_t> Left(const std::string& after, const std::string& to);

 private:
  StatusOr<int32_t> Sum(const std::vector<v1::HistoryEntry::Kind>& more,
                        const std::vector<v1::HistoryEntry::Kind>& less, const std::string& after,
                        const std::string& to);

  Read& read_;
  const Micros before_;
};

}  // namespace hub::membership
