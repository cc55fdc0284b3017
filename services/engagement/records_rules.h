// What was said at an item, from draft to shared. Drafted by the partner [seed] within 5 working
// days of the session and shared within 10; the silence of one side seals it on the 10th working
// day as not disputed [ours]. Sealed = a hash over its content; a correction is a new point that
// names the old one. All numbers of days are settings of the forum.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/engagement/v1/records.pb.h"
#include "coproduction/engagement/v1/settings.pb.h"
#include "coproduction/scheduling/events/v1/items.pb.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;

// The draft of an item that was just presented, with its due days.
v1::Record NewRecord(const coproduction::scheduling::events::v1::ItemPresented& item,
                     const v1::EngagementSettings& settings);

// The record of an item has the item's id.
std::string RecordName(const std::string& item);

bool IsSealed(const v1::Record& record);

// The point that would be stored, last in the record.
v1::Point NewPoint(const v1::AddPointRequest& in, const v1::Record& record,
                   const std::string& today);

// Any point while DRAFT or PROPOSED; once sealed only a correction. `corrected` is the point that
// `point` corrects, if it names one; it must be of the same record.
//   record_sealed  agreed: only a correction is taken
//   record_full    it has as many points as the setting allows
Status MayAdd(const v1::Point& point, const v1::Record& record,
              const std::optional<v1::Point>& corrected, const v1::EngagementSettings& settings);

// A record without a point says nothing that could be agreed.
Status MayPropose(const v1::Record& record);

// The day on which silence seals: the 10th working day after the session, but never sooner than 5
// working days after today, the day of the last word: who gets a record late is not silent yet.
std::string SealsOn(const v1::Record& record, const v1::EngagementSettings& settings,
                    const std::string& today);

// One side gave its word and the other has kept silent until `today`.
bool IsSilent(const v1::Record& record, const std::string& today);

// Both words are gone, and silence counts no more: nobody has agreed to what is there now.
void TakeBackWords(v1::Record* record);

// What the seal covers, the same for the same points whoever writes it down: the item, then each
// point in order of position as position, kind, corrected point, text; every part after its length.
std::string CanonicalContent(const std::string& item, std::vector<v1::Point> points);

// Done after its due day, or not done by `as_of` though that day has passed. What was done after
// `as_of` counts as not done: an old period gives the same figure again.
bool IsLate(const std::string& due_on, const std::string& done_on, const std::string& as_of);

// The views that influence feedback must answer: each VIEW that no later point corrects.
std::vector<v1::Point> ViewsToAnswer(const std::vector<v1::Point>& points);

}  // namespace hub::engagement
