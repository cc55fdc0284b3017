// What is asked of members and may be printed, when, and in which words. Pure rules; which figure
// it is, is decided by disclosure_rules.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/date.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/publications.pb.h"
#include "services/membership/disclosure_rules.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// Of each question one answer has a figure. The commonest has none, so that no sum gives away what
// is left; nor have those that so few give that no forum may print them.
std::vector<v1::Publication::Question> Questions();

enum class Answered { kNothing, kCounted, kUncounted };
// 'Not asked', 'not answered' and 'prefer not to say' are no answers. Texts count whatever their
// case.
Answered AnswerTo(v1::Publication::Question question, const v1::MemberCharacteristics& said);

// The last day of the calendar until today, and the first one after it.
std::string LastOnCalendar(const std::string& today);
std::string NextOnCalendar(const std::string& today);

// The figure of the row, with its words. `previous` is the hash of the row before, empty for the
// first.
v1::Publication PublicationOf(v1::Publication::Question question, const Row& row, int64_t number,
                              const std::string& previous);
Row RowOf(const v1::Publication& publication);

// The row, counted from 1, at which the chain is broken; none if it holds.
std::optional<int64_t> BrokenAt(const std::vector<v1::Publication>& rows);

}  // namespace hub::membership
