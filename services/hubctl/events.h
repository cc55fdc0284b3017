// 'events tail': what a receiver got, read by ListEvents, so that nothing is taken from its
// durable.
#pragma once

#include <string>

#include "common/base/status.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

struct Tail {
  std::string receiver;  // 'wcc' (a partner's id), 'wpcv' (the forum's platform), 'services'
  bool follow = false;   // waits for more until interrupted
  bool count = false;    // only how many of each type
};

// Without a token of the caller's own it speaks as the receiver itself (state's development
// issuer).
Status TailEvents(const Tail& tail, Options options);

}  // namespace hub::ctl
