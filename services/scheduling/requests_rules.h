// What a request must say, when it is late, and what becomes of it.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/status.h"
#include "coproduction/engagement/v1/further_involvements.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

// Who asks. A partner's caller asks for its own partner; the forum, which invites a partner to
// come, names it. `partner`: the caller's, as a resource name; empty on the forum's side.
Status AskFor(const std::string& partner, v1::EngagementRequest* request);

// How open the decision is by what the request says: one that says that nothing can change is
// DECIDED, whatever it claims. [ours]
v1::Decision::Stage StageOf(const v1::EngagementRequest& request);

// Whether both sides can review it: it says everything that it must, and a decision already made
// comes as an UPDATE only. [seed: 'a decision already made ... a bit of a pointless exercise']
Status MayBeSubmitted(const v1::EngagementRequest& request);

// On the way to the review: at the stage that it is really at, with no word of either side yet. The
// lead time counts from the first submission, also where information was asked for. [ours]
void Submit(const std::string& today, v1::EngagementRequest* request);

// Fewer than `lead_days` from submission to the session asked for. [ours; seed: 'request a session
// earlier to prevent last minute rush']
bool IsLate(const std::string& submit_date, const std::string& session_date, int64_t lead_days);

// A late request needs the chair's waiver before either side can accept it.
Status MayBeAccepted(const v1::EngagementRequest& request, bool late);

// Activities that a council or health body asks for beyond what the grant pays. [seed: 'above and
// beyond the scope of this funding']
bool NeedsContribution(v1::Activity::Kind kind);

// One fund pays what needs a contribution of its own, and both sides agree on it: the first to
// accept names it, the other the same. [domain: 'agreed at acceptance']
Status AgreeOnFund(const std::string& fund, v1::EngagementRequest* request);

// The draft that follows when the forum wants to be involved further: linked to the item, owned by
// the requestor of the old request. [seed: 'WPCV decide if there is a need for further
// involvement']
v1::EngagementRequest FollowUp(const v1::EngagementRequest& old, const std::string& item,
                               coproduction::engagement::v1::FurtherInvolvement::Decision decision);

}  // namespace hub::scheduling
