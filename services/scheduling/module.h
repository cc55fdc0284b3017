// Scheduling: what is asked of parent carers, and when they meet.
#pragma once

#include "common/daemon/module.h"

namespace hub::scheduling {

Module MakeSchedulingModule();

}  // namespace hub::scheduling
