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

// Whether it still holds money today and nothing came of it in time.
bool Lapsed(const v1::Commitment& commitment, const std::string& today);

}  // namespace hub::remuneration
