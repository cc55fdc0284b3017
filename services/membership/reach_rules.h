// Series of outside figures. Pure rules.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/reach.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// Adds a figure, entered today, to the end of a series. Of each date one stands: another of the
// same date corrects it, and so does whatever corrects a figure that stands.
Status AddFigure(v1::ReachSeries* series, v1::ReachFigure figure, const std::string& today);

}  // namespace hub::membership
