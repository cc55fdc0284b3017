// From what a rep steps back, without the reason. Pure rules.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/recusals.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// A recusal ends after today, if at all.
Status CheckRecusal(const v1::Recusal& recusal, const std::string& today);

}  // namespace hub::membership
