// Who gets a place in a session.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/scheduling/v1/invitations.pb.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "coproduction/scheduling/v1/settings.pb.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

// Whom and what an item is about, for the register of interests: partner, team, matter, supplier.
// [seed: conflict of interest policy; domain: a conflict is an interest in one of these]
std::vector<std::string> PartiesOf(const std::optional<v1::EngagementRequest>& request);

// What a place is booked and paid as: in an item whose request a fund was agreed for, as the
// request's activity from that fund; else as the session's, from whichever fund pays it.
struct Booked {
  v1::Activity::Kind kind;
  std::string fund;
};
Booked BookedAs(const v1::Session& session, const std::optional<v1::EngagementRequest>& request);

// Membership's word: in the pool, in good standing, no interest in the matter and no recusal. For
// the chair, who alone may know which it is.
Status MembershipAllows(const coproduction::membership::v1::CheckAllocationResponse& word);

// Whose data may not be used, or who has said that no invitations are wanted, gets none.
Status MayBeInvited(const coproduction::membership::v1::CheckAllocationResponse& word);

// No answer of another service older than 5 seconds decides. [ours]
Status FreshEnough(Micros age);

// A rep who did not say no has a place in a session that is still open, while fewer than the most
// reps (6) have one; another item of the same session takes no second place. In a hub session the
// place is in an item, in any other series in the session as a whole or in an item. `placed`: the
// reps who have a place in the session. [seed: 'WPCV Parent Carer Reps - 3-5', range 3-6 seen]
Status MayBeAllocated(const std::string& rep, const v1::Session& session,
                      const std::optional<v1::Item>& item, v1::Invitation::Reply reply,
                      const std::set<std::string>& placed, const v1::SchedulingSettings& settings);

// The calendar month of a date: '2022-01'.
std::string MonthOf(const std::string& date);

// A rep gives at most `most_hours` in a calendar month (0: no cap) to the sessions with a place
// that are not cancelled; only the rep goes past it, by an own YES to the invitation. `placed_in`:
// the sessions in which the rep has a place, each once; in one of them another item takes no more
// time. Since the date and the length of a session never change, what fitted keeps fitting.
// [domain: 'a monthly cap of hours; only the rep can go past it']
Status WithinMonthlyCap(int64_t most_hours, const v1::Session& session,
                        const v1::Invitation& invitation,
                        const std::vector<v1::Session>& placed_in);

}  // namespace hub::scheduling
