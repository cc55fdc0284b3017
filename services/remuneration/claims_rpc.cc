#include <optional>

#include "common/rpc/door.h"
#include "coproduction/remuneration/events/v1/claims.pb.h"
#include "services/remuneration/claim_lines_rpc.h"
#include "services/remuneration/rates_rpc.h"
#include "services/remuneration/transfers_rpc.h"

namespace hub::remuneration {

namespace events = ::coproduction::remuneration::events::v1;

static StatusOr<v1::Claim> PrefillClaim(Write& write, const v1::PrefillClaimRequest& in) {
  RETURN_IF_ERROR(CheckClaimant(write.person()));
  RETURN_IF_ERROR(CheckPeriod(in.from_date(), in.to_date(), write.today()));
  v1::Claim claim = Draft("forums/" + write.forum() + "/reps/" + write.person(), in);
  RETURN_IF_ERROR(OpenAccount(write, AccountOfRep(claim.rep())));
  ASSIGN_OR_RETURN(claim, write.Create(std::move(claim)));
  ASSIGN_OR_RETURN(auto rates, RatesFor(write, in.to_date()));
  ASSIGN_OR_RETURN(auto sessions,
                   write.Select<v1::Entitlement>(
                       "rep_id = $2 AND session_date >= $3 AND session_date <= $4 AND NOT EXISTS"
                       " (SELECT 1 FROM claim_lines l WHERE l.forum = entitlements.forum"
                       " AND l.entitlement_id = entitlements.id AND l.kind = 'TIME'"
                       " AND l.state = 'CLAIMED') ORDER BY session_date, id",
                       {write.person(), in.from_date(), in.to_date()}));
  for (const auto& session : sessions) {
    const int64_t fee = FeePence(rates, session.session_date(), session.minutes());
    if (fee > 0) RETURN_IF_ERROR(AddTo(write, &claim, FeeLine(session, fee)));
  }
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> AddLine(Write& write, const v1::AddLineRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  std::optional<v1::Entitlement> session;
  if (!in.entitlement().empty()) {
    ASSIGN_OR_RETURN(session, write.Get<v1::Entitlement>(in.entitlement()));
  }
  RETURN_IF_ERROR(CheckLine(in, claim, session ? &*session : nullptr, write.today()));
  v1::ClaimLine line = ExpenseLine(in, claim);
  if (line.kind() == v1::ClaimLine::MILEAGE) RETURN_IF_ERROR(PriceJourney(write, &line));
  RETURN_IF_ERROR(AddTo(write, &claim, std::move(line)));
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> WithdrawLine(Write& write, const v1::WithdrawLineRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(auto line, write.Get<v1::ClaimLine>(in.line()));
  if (line.claim() != claim.name()) {
    return InvalidField("line", in.line() + " stands in another claim, " + line.claim() + ".");
  }
  line.set_state(v1::ClaimLine::WITHDRAWN);
  RETURN_IF_ERROR(write.Put(std::move(line)).status());
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> SubmitClaim(Write& write, const v1::SubmitClaimRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(auto lines, StandingLines(write, claim));
  RETURN_IF_ERROR(CheckNotEmpty(lines));
  claim.set_state(v1::Claim::SUBMITTED);
  claim.set_submitted_on(write.today());
  write.Emit<events::ClaimSubmitted>(claim);
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> ApproveClaim(Write& write, const v1::ApproveClaimRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  RETURN_IF_ERROR(CheckApprover(claim, write.person()));
  ASSIGN_OR_RETURN(auto lines, StandingLines(write, claim));
  for (const auto& line : lines) RETURN_IF_ERROR(ApproveLine(write, line, in.fund()));
  claim.set_state(v1::Claim::APPROVED);
  claim.set_approved_on(write.today());
  claim.set_approver(write.person());
  write.Emit<events::ClaimApproved>(claim);
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> ReturnClaim(Write& write, const v1::ReturnClaimRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  RETURN_IF_ERROR(CheckApprover(claim, write.person()));
  claim.set_state(v1::Claim::RETURNED);
  claim.set_reason(in.reason());
  write.Emit<events::ClaimReturned>(claim);
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> RefuseClaim(Write& write, const v1::RefuseClaimRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  RETURN_IF_ERROR(CheckApprover(claim, write.person()));
  RETURN_IF_ERROR(WithdrawLines(write, claim));
  claim.set_state(v1::Claim::REFUSED);
  claim.set_reason(in.reason());
  write.Emit<events::ClaimRefused>(claim);
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> PayClaim(Write& write, const v1::PayClaimRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  RETURN_IF_ERROR(CheckPayer(claim, write.person()));
  ASSIGN_OR_RETURN(int64_t total, TotalPence(write, claim));
  if (total > 0) RETURN_IF_ERROR(Move(write, Paid(claim, total)));
  claim.set_state(v1::Claim::PAID);
  claim.set_paid_on(write.today());
  claim.set_payer(write.person());
  write.Emit<events::PaymentSettled>(claim);
  return write.Put(std::move(claim));
}

static StatusOr<v1::Claim> CancelClaim(Write& write, const v1::CancelClaimRequest& in) {
  ASSIGN_OR_RETURN(v1::Claim claim, write.Get<v1::Claim>(in.name(), in.etag()));
  RETURN_IF_ERROR(WithdrawLines(write, claim));
  claim.set_state(v1::Claim::CANCELLED);
  return write.Put(std::move(claim));
}

static Status FillClaim(Read& read, v1::Claim* claim) {
  ASSIGN_OR_RETURN(int64_t total, TotalPence(read, *claim));
  claim->set_total_pence(total);
  return absl::OkStatus();
}

void BindClaims(Door& door) {
  const char service[] = "coproduction.remuneration.v1.Claims";
  door.Bind(service, "PrefillClaim", PrefillClaim);
  door.Bind(service, "AddLine", AddLine);
  door.Bind(service, "WithdrawLine", WithdrawLine);
  door.Bind(service, "SubmitClaim", SubmitClaim);
  door.Bind(service, "ApproveClaim", ApproveClaim);
  door.Bind(service, "ReturnClaim", ReturnClaim);
  door.Bind(service, "RefuseClaim", RefuseClaim);
  door.Bind(service, "PayClaim", PayClaim);
  door.Bind(service, "CancelClaim", CancelClaim);
  door.Computed<v1::Claim>(FillClaim);
}

}  // namespace hub::remuneration
