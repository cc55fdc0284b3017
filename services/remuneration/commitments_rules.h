// How long a fund's promise waits, so that money never stays held for what will not happen. [ours]
#pragma once

#include <string>

#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/remuneration/v1/settings.pb.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;

// The reservation that is asked for, still without fund, amount and day of expiry.
v1::Commitment TermsOf(const v1::ReserveCommitmentRequest& in);

// The day on which the promise lapses unless something comes of it: reserved, it waits for the
// booking; confirmed, for the attendance; earned, for the claim. Never before tomorrow.
std::string ExpiresOn(const v1::Commitment& commitment, const v1::RemunerationSettings& settings,
                      const std::string& today);

// The rep has one more place in the session; what is reserved had none.
void AddPlace(v1::Commitment* commitment);

// The rep has one fewer. True where that was the last, so that nothing is left to promise for;
// never where places were not counted, or the session was attended.
bool TakePlace(v1::Commitment* commitment);

// Whether it still holds money today and nothing came of it in time.
bool Lapsed(const v1::Commitment& commitment, const std::string& today);

}  // namespace hub::remuneration
