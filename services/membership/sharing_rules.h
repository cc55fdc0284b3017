// What an entry of the sharing agreement has to say. Pure rules.
#pragma once

#include <set>
#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/sharing.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// Names data items that there are (`known`), and ends after it began.
Status CheckSharing(const v1::SharingEntry& entry, const std::set<std::string>& known,
                    const std::string& today);
// It may end today, which is at once, or later; an end that was agreed may be moved.
Status CheckSharingEnd(const v1::SharingEntry& entry, const std::string& ends_on,
                       const std::string& today);

}  // namespace hub::membership
