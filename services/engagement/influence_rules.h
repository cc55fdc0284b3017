// What changed because of it. The named requestor owes each item an answer within 60 days of its
// session [seed; days ours]: CHANGED says what, PARTLY what and why not the rest, NOT_CHANGED why,
// NOT_YET until when, twice at most. A final answer answers each view of the agreed record; no
// account closes without one.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/engagement/v1/influence.pb.h"
#include "coproduction/engagement/v1/records.pb.h"
#include "coproduction/engagement/v1/settings.pb.h"
#include "coproduction/scheduling/events/v1/items.pb.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;

// The account of an item that was just presented, owed by its named requestor.
v1::InfluenceAccount NewAccount(const coproduction::scheduling::events::v1::ItemPresented& item,
                                const v1::EngagementSettings& settings);

// The account of an item has the item's id.
std::string AccountName(const std::string& item);

bool IsFinal(v1::InfluenceFeedback::Answer answer);
bool IsOverdue(const v1::InfluenceAccount& account, const std::string& today);

// INVALID_FIELD for what the answer lacks or has too much; otherwise the rules
//   answered_already   a final answer is there
//   record_not_agreed  nobody can answer views that are not settled
//   postponed_enough   NOT_YET was given as often as the setting allows
// `points` are the record's.
Status MayGive(const v1::GiveFeedbackRequest& in, const v1::InfluenceAccount& account,
               const v1::Record& record, const std::vector<v1::Point>& points,
               const v1::EngagementSettings& settings, const std::string& today);

// The feedback that would be stored, and what it makes of the account.
v1::InfluenceFeedback NewFeedback(const v1::GiveFeedbackRequest& in,
                                  const v1::InfluenceAccount& account, const std::string& today);
void ApplyFeedback(const v1::InfluenceFeedback& feedback, v1::InfluenceAccount* account);

// Both need a final answer.
Status MayRecognise(const v1::InfluenceAccount& account);
Status MayClose(const v1::InfluenceAccount& account);

}  // namespace hub::engagement
