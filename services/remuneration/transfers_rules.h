// The ledger: what each fact of money is as a transfer. Promises: each transfer takes from one
// account what it gives to another, so that all balances sum to zero; nothing is changed or taken
// back, a promise ends by a transfer of its own that names it. Accounts and their ids stand in
// transfers.proto. [ours]
#pragma once

#include <string>
#include <vector>

#include "coproduction/remuneration/v1/claims.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "coproduction/remuneration/v1/transfers.pb.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;

// Accounts, with their names set.
v1::Account AccountOfFund(const std::string& fund);
v1::Account AccountOfCommitments(const std::string& fund);
v1::Account AccountOfGiver(const v1::Fund& fund);  // the partner's, of a partner's contribution
v1::Account AccountOfRep(const std::string& rep);
v1::Account AccountOfBank(const std::string& in_forum_of);  // any name of the forum

// Transfers, still without name and date.
v1::Transfer Opening(const v1::Fund& fund);
v1::Transfer Pending(const v1::Commitment& commitment);
v1::Transfer EndOf(const v1::Transfer& pending, v1::Transfer::Kind how);  // POSTED or VOIDED
v1::Transfer Approved(const v1::ClaimLine& line);                         // of a line with its fund
v1::Transfer Paid(const v1::Claim& claim, int64_t total_pence);

// What came in less what went out.
int64_t BalanceOf(const v1::Account& account, const std::vector<v1::Transfer>& transfers);

// '12.50 pounds', for people.
std::string Pounds(int64_t pence);

}  // namespace hub::remuneration
