// The first grants of a local hub, made by its operator through the public API.
#pragma once

#include "common/base/status.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// The forum, its two partners, and a grant for each word that --as takes. Made already counts as
// made.
Status MakeGrants(Options options);

}  // namespace hub::ctl
