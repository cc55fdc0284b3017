// Members as they are entered, and the dates of membership. Pure rules.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/settings.pb.h"
#include "coproduction/type/v1/type.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// A member joined today or before, can be reached in the way that was asked for, lives where the
// area is or uses its services, and agreed to nothing of which nobody knows the wording.
Status CheckMember(const v1::Member& member, const v1::MembershipSettings& settings,
                   const std::string& today);
Status CheckWording(const v1::Consent& consent, const std::string& field);
// The day from which a member no longer counts: not before joining, not in the future.
Status CheckLeaving(const v1::Member& member, const std::string& left_on, const std::string& today);
Status CheckRejoining(const v1::Member& member, const std::string& joined_on,
                      const std::string& today);

// Whether the member has said no to a purpose; who has said nothing has not.
bool SaidNo(const v1::Member& member, v1::Consent::Purpose purpose);
// Of who comes together: the formats that are wanted, with how many want each, and the first names
// of those who let others read them. Of whom the data may not be used, nothing is.
coproduction::type::v1::Attendees AttendeesOf(const std::vector<v1::Member>& members);
// Who left is kept for some years from today, the day on which that is entered; nobody else by
// date. Source: UK GDPR, Art. 5(1)(e).
void SetKeptUntil(v1::Member* member, const v1::MembershipSettings& settings,
                  const std::string& today);

}  // namespace hub::membership
