// What may be claimed, and by whom it is approved and paid. Promises: the rep who claims, the
// officer who approves and the treasurer who pays are three people, always; a fee comes from
// attendance alone; an expense names what it was for. [ours]
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/remuneration/v1/claims.pb.h"
#include "coproduction/remuneration/v1/entitlements.pb.h"
#include "coproduction/remuneration/v1/rates.pb.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;

// What a payment of that kind is for tax: only reimbursed cost is clearly free of it. [HMRC
// EIM71100]
v1::ClaimLine::PaymentClass ClassOf(v1::ClaimLine::Kind kind);

// Whether that person can claim.
Status CheckClaimant(const std::string& person);
// An empty claim of the rep for the period.
v1::Claim Draft(const std::string& rep, const v1::PrefillClaimRequest& in);

// Whether a claim can be for that period: begun before it ends, and not ahead of today.
Status CheckPeriod(const std::string& from, const std::string& to, const std::string& today);

// Whether the line can stand in the claim, today. `session` is the attended session that the line
// names, where it names one.
Status CheckLine(const v1::AddLineRequest& in, const v1::Claim& claim,
                 const v1::Entitlement* session, const std::string& today);

// The line for an expense that was judged by CheckLine; a journey still without amount.
v1::ClaimLine ExpenseLine(const v1::AddLineRequest& in, const v1::Claim& claim);
// The line for the fee of an attended session.
v1::ClaimLine FeeLine(const v1::Entitlement& session, int64_t fee_pence);

// A claim has at most so many lines, and some when it is submitted.
Status CheckRoom(const v1::Claim& claim, int64_t lines_max);
Status CheckNotEmpty(const std::vector<v1::ClaimLine>& standing);

// `person` is the id of who acts; a rep's person has the same id as the rep.
Status CheckApprover(const v1::Claim& claim, const std::string& person);
Status CheckPayer(const v1::Claim& claim, const std::string& person);

}  // namespace hub::remuneration
