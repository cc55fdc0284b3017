#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "services/remuneration/mini_remuneration.h"
#include "services/remuneration/transfers_rules.h"

namespace hub::remuneration {
namespace {

const char kFund[] = "forums/w/funds/f";

v1::Fund Fund(const std::string& partner = "") {
  v1::Fund fund;
  fund.set_name(kFund);
  if (!partner.empty()) fund.set_partner(partner);
  fund.set_amount_pence(1750000);
  return fund;
}

TEST(Transfers, AccountsAreNamedByWords) {
  EXPECT_EQ(AccountOfFund(kFund).name(), "forums/w/accounts/fund-f");
  EXPECT_EQ(AccountOfCommitments(kFund).name(), "forums/w/accounts/commitments-f");
  EXPECT_EQ(AccountOfGiver(Fund()).name(), "forums/w/accounts/giver-f");
  EXPECT_EQ(AccountOfGiver(Fund("forums/w/partners/wcc")).name(), "forums/w/accounts/partner-wcc");
  EXPECT_EQ(AccountOfRep("forums/w/reps/r").name(), "forums/w/accounts/rep-r");
  EXPECT_EQ(AccountOfRep("forums/w/reps/r").rep(), "forums/w/reps/r");
  EXPECT_EQ(AccountOfBank("forums/w/claims/c").name(), "forums/w/accounts/bank");
}

TEST(Transfers, FromTheGiverToTheBank) {
  v1::Commitment commitment;
  commitment.set_name("forums/w/commitments/c");
  commitment.set_fund(kFund);
  commitment.set_amount_pence(5000);
  v1::ClaimLine line;
  line.set_name("forums/w/claimLines/l");
  line.set_fund(kFund);
  line.set_rep("forums/w/reps/r");
  line.set_amount_pence(6250);  // the session was longer than planned
  v1::Claim claim;
  claim.set_name("forums/w/claims/k");
  claim.set_rep("forums/w/reps/r");

  std::vector<v1::Transfer> ledger = {Opening(Fund())};
  auto balances = [&] {
    std::vector<int64_t> all;
    for (const auto& account :
         {AccountOfGiver(Fund()), AccountOfFund(kFund), AccountOfCommitments(kFund),
          AccountOfRep("forums/w/reps/r"), AccountOfBank(kFund)}) {
      all.push_back(BalanceOf(account, ledger));
    }
    return all;
  };
  using Row = std::vector<int64_t>;
  EXPECT_EQ(balances(), (Row{-1750000, 1750000, 0, 0, 0}));
  ledger.push_back(Pending(commitment));
  EXPECT_EQ(balances(), (Row{-1750000, 1745000, 5000, 0, 0}));
  ledger.push_back(EndOf(ledger.back(), v1::Transfer::POSTED));
  ledger.push_back(Approved(line));
  EXPECT_EQ(balances(), (Row{-1750000, 1743750, 0, 6250, 0}));
  ledger.push_back(Paid(claim, 6250));
  EXPECT_EQ(balances(), (Row{-1750000, 1743750, 0, 0, 6250}));
}

TEST(Transfers, EachNamesWhatItIsFor) {
  v1::Transfer pending;
  pending.set_name("forums/w/transfers/t");
  EXPECT_EQ(EndOf(pending, v1::Transfer::VOIDED).pending(), "forums/w/transfers/t");
  v1::Commitment commitment;
  commitment.set_name("forums/w/commitments/c");
  EXPECT_EQ(Pending(commitment).commitment(), "forums/w/commitments/c");
  v1::ClaimLine line;
  line.set_name("forums/w/claimLines/l");
  EXPECT_EQ(Approved(line).claim_line(), "forums/w/claimLines/l");
  v1::Claim claim;
  claim.set_name("forums/w/claims/k");
  EXPECT_EQ(Paid(claim, 1).claim(), "forums/w/claims/k");
}

// Whatever happens in whatever order, all balances sum to zero, no promise is negative, and a
// promise that ended holds nothing.
RC_GTEST_PROP(Transfers, BalancesSumToZero, ()) {
  std::vector<v1::Transfer> ledger;
  std::vector<v1::Transfer> open;  // pending ones not yet ended
  auto fund = [&] { return "forums/w/funds/" + std::to_string(*rc::gen::inRange(0, 3)); };
  auto rep = [&] { return "forums/w/reps/" + std::to_string(*rc::gen::inRange(0, 3)); };
  auto pence = [&] { return *rc::gen::inRange<int64_t>(1, 10000000); };
  int steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 5)) {
      case 0: {
        v1::Fund given;
        given.set_name(fund());
        if (*rc::gen::arbitrary<bool>()) given.set_partner("forums/w/partners/wcc");
        given.set_amount_pence(pence());
        ledger.push_back(Opening(given));
        break;
      }
      case 1: {
        v1::Commitment commitment;
        commitment.set_fund(fund());
        commitment.set_amount_pence(pence());
        ledger.push_back(Pending(commitment));
        open.push_back(ledger.back());
        break;
      }
      case 2:
        if (open.empty()) break;
        ledger.push_back(EndOf(open.back(), *rc::gen::arbitrary<bool>() ? v1::Transfer::POSTED
                                                                        : v1::Transfer::VOIDED));
        open.pop_back();
        break;
      case 3: {
        v1::ClaimLine line;
        line.set_fund(fund());
        line.set_rep(rep());
        line.set_amount_pence(pence());
        ledger.push_back(Approved(line));
        break;
      }
      case 4: {
        v1::Claim claim;
        claim.set_name("forums/w/claims/k");
        claim.set_rep(rep());
        ledger.push_back(Paid(claim, pence()));
        break;
      }
    }
  }
  std::set<std::string> accounts;
  for (const auto& transfer : ledger) {
    RC_ASSERT(transfer.amount_pence() > 0 && transfer.debit() != transfer.credit());
    accounts.insert({transfer.debit(), transfer.credit()});
  }
  int64_t sum = 0, promised = 0;
  for (const auto& name : accounts) {
    v1::Account account;
    account.set_name(name);
    int64_t balance = BalanceOf(account, ledger);
    sum += balance;
    if (name.find("commitments-") != std::string::npos) {
      RC_ASSERT(balance >= 0);
      promised += balance;
    }
  }
  RC_ASSERT(sum == 0);
  for (const auto& pending : open) promised -= pending.amount_pence();
  RC_ASSERT(promised == 0);
}

TEST(Pounds, WithPence) {
  EXPECT_EQ(Pounds(1750000), "17500.00 pounds");
  EXPECT_EQ(Pounds(5), "0.05 pounds");
  EXPECT_EQ(Pounds(-105), "-1.05 pounds");
  EXPECT_EQ(Pounds(-5), "-0.05 pounds");
}

class Ledger : public MiniRemuneration {};
ON_BOTH_DATABASES(Ledger);

TEST_P(Ledger, IsAppendOnlyAndAPromiseEndsOnce) {
  SetRate(v1::Rate::FEE_TWO_HOURS, "2022-05-01", 50000);
  OpenFund(1750000);
  auto commitment = *Reserve(kAnn, "s1");
  v1::ReleaseCommitmentRequest release;
  release.set_name(commitment.name());
  Done<v1::Commitment>(scheduling_, release);
  EXPECT_EQ(mini_.Rows("transfers"), 3);
  EXPECT_FALSE(Sql("UPDATE transfers SET amount_pence = 1").ok());
  EXPECT_FALSE(Sql("DELETE FROM transfers").ok());
  EXPECT_FALSE(
      Sql("INSERT INTO transfers SELECT forum, 'twice', version, kind, debit_id, credit_id,"
          " amount_pence, date, pending_id, commitment_id, claim_line_id, claim_id"
          " FROM transfers WHERE kind = 'VOIDED'")
          .ok());
  EXPECT_EQ(mini_.Rows("transfers"), 3);
}

TEST_P(Ledger, ARepSeesTheOwnAccountAlone) {
  OpenFund(1750000);
  mini_.SetDate("2022-05-06");
  ASSERT_TRUE(Attended(kAnn, "s1").ok());
  ASSERT_TRUE(Attended(kBob, "s1").ok());
  v1::ListAccountsRequest in;
  in.set_parent(kForum);
  auto own = Done<v1::ListAccountsResponse>(ann_, in);
  ASSERT_EQ(own.accounts_size(), 1);
  EXPECT_EQ(own.accounts(0).rep(), RepOf(kAnn));
  v1::ListTransfersRequest transfers;
  transfers.set_parent(kForum);
  EXPECT_TRUE(testing::Refused(mini_.Call<v1::ListTransfersResponse>(ann_, transfers).status(),
                               errors::ROLE_NOT_ALLOWED));
  transfers.set_filter("credit = \"" + std::string(kForum) + "/accounts/bank\"");
  EXPECT_EQ(Done<v1::ListTransfersResponse>(treasurer_, transfers).transfers_size(), 0);
}

}  // namespace
}  // namespace hub::remuneration
