// Membership: who the parent carers are, and who may represent them.
#pragma once

#include "common/daemon/module.h"

namespace hub::membership {

Module MakeMembershipModule();

}  // namespace hub::membership
