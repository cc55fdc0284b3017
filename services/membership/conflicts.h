// The places that reps have, as scheduling tells of them: interests may be declared after the place
// was given. Membership looks at the two whichever comes last, so that none slips through between
// its word to scheduling and the allocation. The caller has locked the rep.
#pragma once

#include "common/journal/context.h"
#include "coproduction/membership/v1/declarations.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// Keeps whom and what the place is about, and forgets the rep's places that are past.
Status KeepPlace(Write& write, const ::coproduction::scheduling::events::v1::RepAllocated& place);

// Tells which of the rep's places to come the declaration contradicts, each once.
Status TellConflicts(Write& write, const v1::Declaration& declaration);

}  // namespace hub::membership
