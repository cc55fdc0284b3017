// What reps declare of their interests, and for how long it counts. Pure rules.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/declarations.pb.h"
#include "coproduction/membership/v1/settings.pb.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;

// The day a declaration made today no longer counts.
std::string LapsesOn(const std::string& declared_on, const v1::MembershipSettings& settings);

// The declaration that counts: the last one made.
const v1::Declaration* LastDeclaration(const std::vector<v1::Declaration>& declarations);

Status CheckDeclaration(const v1::Declaration& declaration);

// Whether an interest had its last day before today.
bool Over(const v1::Interest& interest, const std::string& today);

// The day on which it is told that a declaration lapses.
std::string NoticeOn(const std::string& lapses_on, const v1::MembershipSettings& settings);

// The register of the last declarations: an entry for each interest that has not ended, and for
// each nil declaration. By party, so that no two entries are seen to be of one rep where reps are
// not named.
v1::Register RegisterOf(const std::vector<v1::Declaration>& last, const std::string& today);
// Those of the last declarations that lapsed before today, the longest first.
v1::OverdueDeclarations OverdueOf(const std::vector<v1::Declaration>& last,
                                  const std::string& today);

}  // namespace hub::membership
