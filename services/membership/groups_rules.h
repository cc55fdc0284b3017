// Groups: who may be in one, who was on which day, and how the roster of an outside system differs.
// Pure rules.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/groups.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// Who may be in a group is judged of.
struct Candidate {
  v1::Member member;
  v1::Rep rep = {};          // without a name where the member is none
  std::string missing = "";  // for the rep's good standing
};

// Whether a member can be in any group: active, and the data may be used.
bool InReach(const v1::Member& member);
// Why the member may not be in the group, in plain words that tell nothing of the member's data;
// empty where the member may. Who may not be in any may not be in this one.
std::string NotEligible(const v1::Eligibility& eligibility, const Candidate& candidate);

// `known`: the member's times in that group. A new one begins after the last, not in the future,
// and not before the member joined.
Status CheckComing(const v1::Member& member, const std::vector<v1::GroupMembership>& known,
                   const std::string& from_on, const std::string& today);
Status CheckGoing(const v1::GroupMembership& membership, const std::string& until_on,
                  const std::string& today);

// Of a group's times, those that hold the date: from the first day, without the last.
std::vector<v1::GroupMembership> RosterOn(const std::vector<v1::GroupMembership>& memberships,
                                          const std::string& date);
// Those of `these` whose member is in none of `others`.
std::vector<v1::GroupMembership> Without(const std::vector<v1::GroupMembership>& these,
                                         const std::vector<v1::GroupMembership>& others);

// A member as outside systems may know the person.
struct Known {
  v1::Member member;
  std::string outside_key;  // of the group's system; empty where no account is linked
  bool in_group = false;
};
// The outside system's rows beside the group's: each row and each member of the group stands in one
// list. A row is the member with that linked account; else the one member who has exactly that
// e-mail address, in whatever case: two who share it (couples do) are not told apart. Who is added
// and linked, and who is removed, leaves nothing to add or remove.
v1::RosterCheck Compare(const std::vector<Known>& people, std::vector<v1::RosterRow> rows);

}  // namespace hub::membership
