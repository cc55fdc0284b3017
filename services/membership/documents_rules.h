// Versions of the documents that reps accept. Pure rules.
#pragma once

#include <vector>

#include "coproduction/membership/v1/documents.pb.h"
#include "coproduction/membership/v1/settings.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// The days from which a version that is published today is required, and on which who has not
// accepted it is reminded. Source: domain (30 days, and 14 before; both are [ours]).
void SetDays(v1::Document* document, const v1::MembershipSettings& settings);

// Whether one of a rep's acceptances is of the document.
bool Accepted(const std::vector<v1::Acceptance>& acceptances, const v1::Document& document);
// The current version of each kind that the rep has not accepted.
std::vector<v1::Document> NotAccepted(const std::vector<v1::Document>& documents,
                                      const std::vector<v1::Acceptance>& acceptances);

}  // namespace hub::membership
