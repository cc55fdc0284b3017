#include "services/remuneration/funds_rpc.h"

#include "common/rpc/door.h"
#include "coproduction/remuneration/events/v1/funds.pb.h"
#include "coproduction/remuneration/v1/settings.pb.h"
#include "services/remuneration/transfers_rpc.h"

namespace hub::remuneration {

namespace events = ::coproduction::remuneration::events::v1;

namespace {

StatusOr<std::vector<v1::Fund>> FundsThatPay(Read& read, const Purpose& purpose) {
  ASSIGN_OR_RETURN(auto funds, read.Select<v1::Fund>("from_date <= $2 AND to_date >= $3",
                                                     {purpose.date, purpose.date}));
  return ThatPay(std::move(funds), purpose);
}

StatusOr<int64_t> LeftOf(Read& read, const std::string& fund) {
  return Balance(read, AccountOfFund(fund));
}

}  // namespace

Status LockFunds(Write& write, const Purpose& purpose) {
  ASSIGN_OR_RETURN(auto could, FundsThatPay(write, purpose));
  for (const auto& fund : could) RETURN_IF_ERROR(write.Get<v1::Fund>(fund.name()).status());
  return absl::OkStatus();
}

StatusOr<v1::Fund> TakeFund(Write& write, const Purpose& purpose, const std::string& wanted,
                            int64_t pence) {
  ASSIGN_OR_RETURN(auto could, FundsThatPay(write, purpose));
  std::vector<int64_t> left;
  for (const auto& candidate : could) {
    ASSIGN_OR_RETURN(v1::Fund fund, write.Get<v1::Fund>(candidate.name()));
    ASSIGN_OR_RETURN(int64_t has, LeftOf(write, fund.name()));
    if (has >= pence && (wanted.empty() || wanted == fund.name())) return fund;
    left.push_back(has);
  }
  return RuleRefused("no_fund_pays", WhyUnfunded(purpose, could, left));
}

Status NoteIfNearlySpent(Write& write, const std::string& name) {
  ASSIGN_OR_RETURN(v1::Fund fund, write.Get<v1::Fund>(name));
  ASSIGN_OR_RETURN(int64_t left, LeftOf(write, name));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::RemunerationSettings>());
  if (fund.has_nearly_spent_on() || !NearlySpent(fund, left, settings.nearly_spent_percent())) {
    return absl::OkStatus();
  }
  fund.set_nearly_spent_on(write.today());
  write.Emit<events::FundNearlySpent>(fund);
  return write.Put(std::move(fund)).status();
}

static StatusOr<v1::Fund> CreateFund(Write& write, const v1::CreateFundRequest& in) {
  v1::Fund fund = in.fund();
  const std::string partner = write.partner();
  RETURN_IF_ERROR(OpenedBy(partner.empty() ? "" : in.parent() + "/partners/" + partner, &fund));
  RETURN_IF_ERROR(CheckFund(fund));
  ASSIGN_OR_RETURN(fund, write.Create(std::move(fund)));
  for (const auto& account : {AccountOfFund(fund.name()), AccountOfCommitments(fund.name()),
                              AccountOfGiver(fund), AccountOfBank(fund.name())}) {
    RETURN_IF_ERROR(OpenAccount(write, account));
  }
  RETURN_IF_ERROR(Move(write, Opening(fund)));
  *write.Emit<events::FundOpened>(fund).mutable_pays() = fund.pays();
  return fund;
}

static StatusOr<v1::CheckFundingResponse> CheckFunding(Read& read,
                                                       const v1::CheckFundingRequest& in) {
  Purpose purpose{in.activity_kind(), in.partner(), in.date()};
  ASSIGN_OR_RETURN(auto could, FundsThatPay(read, purpose));
  v1::CheckFundingResponse out;
  std::vector<int64_t> left;
  for (const auto& fund : could) {
    ASSIGN_OR_RETURN(int64_t has, LeftOf(read, fund.name()));
    left.push_back(has);
    if (has <= 0) continue;
    out.add_could_pay(fund.name());
    if (out.fund().empty() && (in.fund().empty() || in.fund() == fund.name())) {
      out.set_fund(fund.name());
    }
  }
  out.set_allowed(!out.fund().empty());
  if (!out.allowed()) out.set_reason(WhyUnfunded(purpose, could, left));
  *out.mutable_answered_at() = ToTimestamp(read.now());
  return out;
}

static StatusOr<v1::RemunerationFigures> GetRemunerationFigures(
    Read& read, const v1::GetRemunerationFiguresRequest& in) {
  v1::RemunerationFigures out;
  ASSIGN_OR_RETURN(int64_t given,
                   read.Number("SELECT CAST(SUM(minutes) AS BIGINT) FROM entitlements"
                               " WHERE forum = $1 AND session_date >= $2 AND session_date <= $3",
                               {read.forum(), in.from_date(), in.to_date()}));
  out.set_minutes_given(given);
  RETURN_IF_ERROR(read.sql().Query(
      "SELECT f.id, f.title, CAST(SUM(l.minutes) AS BIGINT),"
      " CAST(SUM(CASE WHEN l.payment_class = 'EXPENSE' THEN 0 ELSE l.amount_pence END) AS BIGINT),"
      " CAST(SUM(CASE WHEN l.payment_class = 'EXPENSE' THEN l.amount_pence ELSE 0 END) AS BIGINT),"
      " COALESCE(f.partner_id, '')"
      " FROM claim_lines l JOIN claims c ON c.forum = l.forum AND c.id = l.claim_id"
      " JOIN funds f ON f.forum = l.forum AND f.id = l.fund_id"
      " WHERE l.forum = $1 AND l.date >= $2 AND l.date <= $3 AND l.state = 'CLAIMED'"
      " AND c.state = 'PAID' GROUP BY f.id, f.title, f.partner_id ORDER BY f.id",
      {read.forum(), in.from_date(), in.to_date()}, [&](const db::Row& row) {
        out.set_minutes_paid(out.minutes_paid() + row.Int(2));
        out.set_fees_pence(out.fees_pence() + row.Int(3));
        out.set_expenses_pence(out.expenses_pence() + row.Int(4));
        // A partner's officer, for whom it is asked, is told of the partner's own funds alone.
        if (!read.partner().empty() && row.Text(5) != read.partner()) return absl::OkStatus();
        auto& fund = *out.add_by_fund();
        fund.set_fund("forums/" + read.forum() + "/funds/" + std::string(row.Text(0)));
        fund.set_title(std::string(row.Text(1)));
        fund.set_fees_pence(row.Int(3));
        fund.set_expenses_pence(row.Int(4));
        return absl::OkStatus();
      }));
  return out;
}

static Status FillFund(Read& read, v1::Fund* fund) {
  ASSIGN_OR_RETURN(int64_t left, LeftOf(read, fund->name()));
  ASSIGN_OR_RETURN(int64_t promised, Balance(read, AccountOfCommitments(fund->name())));
  fund->set_available_pence(left);
  fund->set_promised_pence(promised);
  fund->set_spent_pence(fund->amount_pence() - left - promised);
  return absl::OkStatus();
}

void BindFunds(Door& door) {
  const char service[] = "coproduction.remuneration.v1.Funds";
  door.Bind(service, "CreateFund", CreateFund);
  door.Bind(service, "CheckFunding", CheckFunding);
  door.Bind(service, "GetRemunerationFigures", GetRemunerationFigures);
  door.Computed<v1::Fund>(FillFund);
}

}  // namespace hub::remuneration
