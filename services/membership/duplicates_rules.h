// Members who may be one person, and what becomes of two who are. Pure rules.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/duplicates.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "services/membership/history_rules.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// 'Siân O'Brien' and 'SIAN OBRIEN' are one: letters and digits alone, without case and accents.
std::string NameKey(const v1::Member& member);
// The number as it is dialled from abroad, '+447700900123'; empty where it cannot be one. Without a
// country it is of the United Kingdom. Source: ITU-T E.164.
std::string PhoneKey(const std::string& phone);
void SetKeys(v1::Member* member);

// In what the two are alike; both have their keys.
std::vector<v1::Likeness::Reason> LikenessOf(const v1::Member& one, const v1::Member& other);
// How likely they are one person; 0: not to be offered. A mailbox or telephone that two share says
// nothing by itself: couples do.
int Likelihood(const std::vector<v1::Likeness::Reason>& reasons);

// What must hold before `member` becomes `kept`.
struct MergeFacts {
  bool member_is_rep = false;          // or was one
  bool member_has_open_right = false;  // a request over the own data that is not done
};
Status CheckMerge(const v1::Member& kept, const v1::Member& member, const MergeFacts& facts);
// `member` becomes `kept`: what the kept one had not said is taken over, of the consents the latest
// word counts, of the objections all. `spans`: when the one person counted.
v1::MergeRecord Merge(v1::Member* kept, v1::Member* member, const std::vector<Span>& spans);

// Whether the merge can be undone: not after its time, nor when the kept one has left, come back or
// been merged since, for then nobody knows whose step that was, nor when the other one is erased.
Status CheckUndo(const v1::Duplicate& duplicate, const v1::Member& kept, const v1::Member& member,
                 int64_t steps, bool later_merge, const std::string& today);
void Undo(const v1::MergeRecord& merge, v1::Member* kept, v1::Member* member);

}  // namespace hub::membership
