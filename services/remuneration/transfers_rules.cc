#include "services/remuneration/transfers_rules.h"

#include <cstdio>

namespace hub::remuneration {
namespace {

// 'forums/w/funds/x' -> {'forums/w', 'x'}
std::string ForumPart(const std::string& name) { return name.substr(0, name.find('/', 7)); }
std::string IdPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

v1::Account Account(v1::Account::Kind kind, const std::string& in_forum_of, const std::string& id) {
  v1::Account account;
  account.set_name(ForumPart(in_forum_of) + "/accounts/" + id);
  account.set_kind(kind);
  return account;
}

v1::Transfer Move(v1::Transfer::Kind kind, const v1::Account& from, const v1::Account& to,
                  int64_t pence) {
  v1::Transfer transfer;
  transfer.set_kind(kind);
  transfer.set_debit(from.name());
  transfer.set_credit(to.name());
  transfer.set_amount_pence(pence);
  return transfer;
}

}  // namespace

v1::Account AccountOfFund(const std::string& fund) {
  return Account(v1::Account::FUND, fund, "fund-" + IdPart(fund));
}

v1::Account AccountOfCommitments(const std::string& fund) {
  return Account(v1::Account::COMMITMENTS, fund, "commitments-" + IdPart(fund));
}

v1::Account AccountOfGiver(const v1::Fund& fund) {
  if (fund.partner().empty()) {
    return Account(v1::Account::GIVER, fund.name(), "giver-" + IdPart(fund.name()));
  }
  return Account(v1::Account::PARTNER, fund.name(), "partner-" + IdPart(fund.partner()));
}

v1::Account AccountOfRep(const std::string& rep) {
  v1::Account account = Account(v1::Account::REP, rep, "rep-" + IdPart(rep));
  account.set_rep(rep);
  return account;
}

v1::Account AccountOfBank(const std::string& in_forum_of) {
  return Account(v1::Account::BANK, in_forum_of, "bank");
}

v1::Transfer Opening(const v1::Fund& fund) {
  return Move(v1::Transfer::OPENING, AccountOfGiver(fund), AccountOfFund(fund.name()),
              fund.amount_pence());
}

v1::Transfer Pending(const v1::Commitment& commitment) {
  v1::Transfer transfer = Move(v1::Transfer::PENDING, AccountOfFund(commitment.fund()),
                               AccountOfCommitments(commitment.fund()), commitment.amount_pence());
  transfer.set_commitment(commitment.name());
  return transfer;
}

v1::Transfer EndOf(const v1::Transfer& pending, v1::Transfer::Kind how) {
  v1::Transfer transfer;
  transfer.set_kind(how);
  transfer.set_debit(pending.credit());
  transfer.set_credit(pending.debit());
  transfer.set_amount_pence(pending.amount_pence());
  transfer.set_pending(pending.name());
  return transfer;
}

v1::Transfer Approved(const v1::ClaimLine& line) {
  v1::Transfer transfer = Move(v1::Transfer::APPROVED, AccountOfFund(line.fund()),
                               AccountOfRep(line.rep()), line.amount_pence());
  transfer.set_claim_line(line.name());
  return transfer;
}

v1::Transfer Paid(const v1::Claim& claim, int64_t total_pence) {
  v1::Transfer transfer =
      Move(v1::Transfer::PAID, AccountOfRep(claim.rep()), AccountOfBank(claim.name()), total_pence);
  transfer.set_claim(claim.name());
  return transfer;
}

int64_t BalanceOf(const v1::Account& account, const std::vector<v1::Transfer>& transfers) {
  int64_t balance = 0;
  for (const auto& transfer : transfers) {
    if (transfer.credit() == account.name()) balance += transfer.amount_pence();
    if (transfer.debit() == account.name()) balance -= transfer.amount_pence();
  }
  return balance;
}

std::string Pounds(int64_t pence) {
  char text[48];
  std::snprintf(text, sizeof text, "%s%lld.%02lld pounds", pence < 0 ? "-" : "",
                static_cast<long long>(pence < 0 ? -(pence / 100) : pence / 100),
                static_cast<long long>(pence < 0 ? -(pence % 100) : pence % 100));
  return text;
}

}  // namespace hub::remuneration
