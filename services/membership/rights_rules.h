// Persons' rights over their data: what each asks for, and the clocks of the law. Pure rules.
#pragma once

#include <set>
#include <string>

#include "common/base/status.h"
#include "coproduction/membership/v1/rights.pb.h"
#include "coproduction/membership/v1/settings.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// The corresponding date so many months later, or the last of that month where it is shorter.
std::string MonthsAfter(const std::string& date, int months);
// The last day for the answer: a calendar month, and those of an extension, after the day of
// receipt, then the days on which the clock rested; the next working day where that is none. Of a
// complaint, 30 days to acknowledge it. Source: law (UK GDPR, Art. 12(3), as the regulator counts
// it; Data (Use and Access) Act 2025, complaints).
std::string DueOn(const v1::RightsRequest& request);
// The clock as the request now stands: it runs while an answer is owed. A complaint that was
// acknowledged, and a request that waits for the person, owe none by a day; services erase within
// one.
void SetClock(v1::RightsRequest* request, const v1::MembershipSettings& settings,
              const std::string& today);

// What comes in. `own`: by the person, who asks today.
Status CheckRightsRequest(const v1::RightsRequest& request, const std::string& today, bool own);
// An extension is told with its reason within the first month, once. Source: law (Art. 12(3)).
Status CheckExtension(const v1::RightsRequest& request, const std::string& today);

// The purpose is off, and nobody but the member turns it on again.
void Object(v1::Member* member, v1::Consent::Purpose purpose, const std::string& today);
// Nothing is changed of who was erased, or merged into another.
Status CheckThere(const v1::Member& member);
// A consent that stands against an objection or a restriction is refused; `own`: the member's own
// word, which takes the objection back.
Status CheckConsents(v1::Member* member, bool own);
// What a list shows of a member whose data may only be stored.
v1::Member OnlyStored(const v1::Member& member);

// Keeps what a service said; true where it had not said it before. The request is done with the
// last of `services`.
bool Confirm(v1::RightsRequest* request,
             const coproduction::hub::v1::ErasureConfirmation& confirmation,
             const std::set<std::string>& services, const std::string& today);

}  // namespace hub::membership
