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

static StatusOr<v1::Account> GetAccount(Read& read, const v1::GetAccountRequest& in) {
  return read.Get<v1::Account>(in.name());
}

static StatusOr<v1::ListAccountsResponse> ListAccounts(Read& read,
                                                       const v1::ListAccountsRequest& in) {
  return read.List<v1::ListAccountsResponse>(in);
}

static StatusOr<v1::Transfer> GetTransfer(Read& read, const v1::GetTransferRequest& in) {
  return read.Get<v1::Transfer>(in.name());
}

static StatusOr<v1::ListTransfersResponse> ListTransfers(Read& read,
                                                         const v1::ListTransfersRequest& in) {
  return read.List<v1::ListTransfersResponse>(in);
}

static Status FillAccount(Read& read, v1::Account* account) {
  ASSIGN_OR_RETURN(int64_t balance, Balance(read, *account));
  account->set_balance_pence(balance);
  return absl::OkStatus();
}

void BindTransfers(Door& door) {
  const char accounts[] = "coproduction.remuneration.v1.Accounts";
  door.Bind(accounts, "GetAccount", GetAccount);
  door.Bind(accounts, "ListAccounts", ListAccounts);
  const char transfers[] = "coproduction.remuneration.v1.Transfers";
  door.Bind(transfers, "GetTransfer", GetTransfer);
  door.Bind(transfers, "ListTransfers", ListTransfers);
  door.Computed<v1::Account>(FillAccount);
}

}  // namespace hub::remuneration
