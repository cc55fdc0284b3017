// The places that reps have, as scheduling tells of them: interests may be declared, and
// recusals made, after the place was given. Membership looks at the two whichever comes last, so
// that none slips through between its word to scheduling and the allocation. The caller has locked
// the rep.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "services/membership/conflicts_rules.h"

namespace hub::membership {

// Keeps whom and what the place is about, and forgets the rep's places that are past.
Status KeepPlace(Write& write, const ::coproduction::scheduling::events::v1::RepAllocated& place);

// What ties the rep to parties today.
StatusOr<std::vector<Tie>> TiesOf(Read& read, const std::string& rep);

// Tells which of the rep's places to come contradict what ties the rep, each once.
Status TellConflicts(Write& write, const std::string& rep);

}  // namespace hub::membership
