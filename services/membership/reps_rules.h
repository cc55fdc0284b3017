// When a rep may stand for the forum: good standing. Pure rules.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/declarations.pb.h"
#include "coproduction/membership/v1/documents.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/membership/v1/settings.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// What is known of a rep's papers.
struct Papers {
  std::vector<v1::Document> documents;        // every version published
  std::vector<v1::Acceptance> acceptances;    // of this rep
  std::vector<v1::Declaration> declarations;  // of this rep
  v1::Member member = {};                     // whom the rep is
  v1::MembershipSettings settings = {};       // which steps an induction has
};

// Whether the person's data may not be used: they were erased, or may only be stored.
bool MayNotBeUsed(const v1::Member& member);

// A step of the induction is one of the forum's; the induction is done when all of them are.
Status CheckInductionStep(const v1::Rep& rep, const std::string& step,
                          const v1::MembershipSettings& settings);
Status CheckInductionDone(const v1::Rep& rep, const v1::MembershipSettings& settings);

// Good standing: the person's data may be used, induction done, the current version of each
// document accepted (a new one before the day from which it is required, by who was a rep before
// it), a declaration that has not lapsed. What is missing, in plain words; empty when nothing
// is. Source: domain ([seed] code of conduct, declaration of interests; 30 days and 12 months are
// [ours]).
std::string MissingForStanding(const v1::Rep& rep, const Papers& papers, const std::string& today);

}  // namespace hub::membership
