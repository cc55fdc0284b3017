// The lines of claims in the database.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "services/remuneration/claims_rules.h"

namespace hub::remuneration {

// The lines of a claim that stand, in its order.
StatusOr<std::vector<v1::ClaimLine>> StandingLines(Read& read, const v1::Claim& claim);
StatusOr<int64_t> TotalPence(Read& read, const v1::Claim& claim);
// Puts a line at the end of the claim (which the caller stores). Refused for a full claim.
Status AddTo(Write& write, v1::Claim* claim, v1::ClaimLine line);
// Prices a journey, by the miles that the rep already claimed in its tax year.
Status PriceJourney(Write& write, v1::ClaimLine* journey);
// Takes every line out, so that what they were for can be claimed again.
Status WithdrawLines(Write& write, const v1::Claim& claim);
// Moves what a submitted line is worth from its fund to the rep and uses the booking's promise.
// `wanted` is the fund for a line that no booking promised; empty: the best that pays it.
Status ApproveLine(Write& write, v1::ClaimLine line, const std::string& wanted);

}  // namespace hub::remuneration
