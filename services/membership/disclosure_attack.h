// What may be concluded from all figures of a question together by somebody who knows the rules,
// who was counted in which row, and the answers of some friends: exactly, not by trying. People who
// were counted in the same rows are alike to him. How many of each such group said yes is a flow
// from row to row, between the bounds that the figures tell; the true answers are one such flow,
// and another one exists if and only if the true one can be changed along a cycle of what is left.
#pragma once

#include <cstdint>
#include <vector>

#include "services/membership/disclosure_rules.h"

namespace hub::membership {

// People first counted in row `first` and last in the one before `end`, counted from 0.
struct Group {
  int first = 0, end = 0;
  int64_t people = 0, yes = 0;
};

// The groups that the turnouts of the rows tell of; what they said is nowhere.
std::vector<Group> GroupsOf(const std::vector<Row>& rows);

struct Pinned {
  int64_t people = 0;        // by somebody who knows nobody's answer
  int64_t with_friends = 0;  // these, and by one of `friends` who are the worst that there are
  int64_t counts = 0;        // rows whose true count can be nothing else, and is 1 to `small`
};

// Gives each group a yes such that all is as told, though perhaps not as it is: for whoever does
// not know the answers any more. What is possible alone, without friends, can be told from any
// such. False where nothing fits.
bool Possible(const std::vector<Interval>& told, std::vector<Group>* groups);

// `told`: the interval of each row; the yes of those whom it counted add up to one of them.
Pinned Attack(const std::vector<Interval>& told, const std::vector<Group>& groups, int64_t friends,
              int64_t small);

}  // namespace hub::membership
