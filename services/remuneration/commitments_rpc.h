// Commitments in the database.
#pragma once

#include <optional>
#include <string>

#include "common/journal/context.h"
#include "services/remuneration/commitments_rules.h"

namespace hub::remuneration {

// The promise that stands for a rep's part in a session, if there is one.
StatusOr<std::optional<v1::Commitment>> StandingCommitment(Read& read, const std::string& rep,
                                                           const std::string& session);
// Makes a promise: holds the fee of the rep, session and state of `terms` in the first fund that
// pays it and has enough: `wanted`, or where that is empty, any.
StatusOr<v1::Commitment> MakePromise(Write& write, v1::Commitment terms, const std::string& wanted);
// Moves a promise on while its money stays held: CONFIRMED or EARNED.
StatusOr<v1::Commitment> Keep(Write& write, v1::Commitment commitment, v1::Commitment::State state);
// Gives its money back to the fund: CLAIMED, RELEASED or EXPIRED.
StatusOr<v1::Commitment> End(Write& write, v1::Commitment commitment, v1::Commitment::State state);

}  // namespace hub::remuneration
