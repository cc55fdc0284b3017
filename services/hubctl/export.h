// A forum's members as the sheet that `import` reads.
#pragma once

#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/members.pb.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

// Whether the forum may contact the member for a purpose: an active member who agreed to it, did
// not object, and whose data may be used. Source: law (UK GDPR, Art. 6(1)(a), 18, 21).
bool MayBeContacted(const coproduction::membership::v1::Member& member,
                    coproduction::membership::v1::Consent::Purpose purpose);

// Members and those who left, but for those whose data may only be stored; where `contact_for`
// names a purpose ('news'), those alone who may be contacted for it. Page after page, into `path`
// (.xlsx or .csv).
Status ExportMembers(const std::string& path, const std::string& contact_for,
                     const Options& options);

}  // namespace hub::ctl
