// The ledger in the database: nothing else of this service writes transfers or accounts.
#pragma once

#include <string>

#include "common/journal/context.h"
#include "services/remuneration/transfers_rules.h"

namespace hub::remuneration {

// Sum of all transfers of the account, in pence.
StatusOr<int64_t> Balance(Read& read, const v1::Account& account);
// Makes the account at its first use.
Status OpenAccount(Write& write, const v1::Account& account);
// Stores a transfer of today. Its accounts are open.
Status Move(Write& write, v1::Transfer transfer);
// Ends what holds the commitment's money (POSTED or VOIDED); nothing where it holds none.
Status EndPending(Write& write, const v1::Commitment& commitment, v1::Transfer::Kind how);

}  // namespace hub::remuneration
