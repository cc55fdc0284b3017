#include "services/remuneration/transfers_rpc.h"

#include "common/rpc/door.h"
namespace hub::remuneration {

StatusOr<int64_t> Balance(Read& read, const v1::Account& account) {
  return read.Number(
      "SELECT CAST((SELECT COALESCE(SUM(amount_pence), 0) FROM transfers"
      " WHERE forum = $1 AND credit_id = $2) - (SELECT COALESCE(SUM(amount_pence), 0)"
      " FROM transfers WHERE forum = $1 AND debit_id = $2) AS BIGINT)",
      {read.forum(), IdOf(account.name())});
}

Status OpenAccount(Write& write, const v1::Account& account) {
  ASSIGN_OR_RETURN(auto there, write.Find<v1::Account>(account.name()));
  if (there.has_value()) return absl::OkStatus();
  return write.Create(account, IdOf(account.name())).status();
}

Status Move(Write& write, v1::Transfer transfer) {
  transfer.set_date(write.today());
  return write.Create(std::move(transfer)).status();
}

Status EndPending(Write& write, const v1::Commitment& commitment, v1::Transfer::Kind how) {
  ASSIGN_OR_RETURN(auto pending,
                   write.Select<v1::Transfer>("commitment_id = $2", {IdOf(commitment.name())}));
  if (pending.empty()) return absl::OkStatus();
  return Move(write, EndOf(pending[0], how));
}

static Status FillAccount(Read& read, v1::Account* account) {
  ASSIGN_OR_RETURN(int64_t balance, Balance(read, *account));
  account->set_balance_pence(balance);
  return absl::OkStatus();
}

void BindTransfers(Door& door) { door.Computed<v1::Account>(FillAccount); }

}  // namespace hub::remuneration
