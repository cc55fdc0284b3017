// What happens next with an item: the forum decides, once per item. [seed]
#pragma once

#include <optional>
#include <string>

#include "common/base/status.h"
#include "coproduction/engagement/v1/further_involvements.pb.h"
#include "coproduction/engagement/v1/influence.pb.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;

// `account` is the item's influence account, there from the day it was presented; of the forum
// asked.
Status MayDecide(const v1::DecideFurtherInvolvementRequest& in,
                 const std::optional<v1::InfluenceAccount>& account);

v1::FurtherInvolvement NewFurtherInvolvement(const v1::DecideFurtherInvolvementRequest& in,
                                             const v1::InfluenceAccount& account,
                                             const std::string& today);

}  // namespace hub::engagement
