#include "services/remuneration/claim_lines_rpc.h"

#include "common/rpc/door.h"
#include "coproduction/remuneration/v1/settings.pb.h"
#include "services/remuneration/commitments_rpc.h"
#include "services/remuneration/funds_rpc.h"
#include "services/remuneration/rates_rpc.h"
#include "services/remuneration/transfers_rpc.h"

namespace hub::remuneration {

StatusOr<std::vector<v1::ClaimLine>> StandingLines(Read& read, const v1::Claim& claim) {
  return read.Select<v1::ClaimLine>("claim_id = $2 AND state = 'CLAIMED' ORDER BY position",
                                    {IdOf(claim.name())});
}

StatusOr<int64_t> TotalPence(Read& read, const v1::Claim& claim) {
  return read.Number(
      "SELECT CAST(SUM(amount_pence) AS BIGINT) FROM claim_lines"
      " WHERE forum = $1 AND claim_id = $2 AND state = 'CLAIMED'",
      {read.forum(), IdOf(claim.name())});
}

Status AddTo(Write& write, v1::Claim* claim, v1::ClaimLine line) {
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::RemunerationSettings>());
  RETURN_IF_ERROR(CheckRoom(*claim, settings.claim_lines_max()));
  claim->set_lines(claim->lines() + 1);
  line.set_claim(claim->name());
  line.set_position(claim->lines());
  return write.Create(std::move(line)).status();
}

Status PriceJourney(Write& write, v1::ClaimLine* journey) {
  // Locked, so that two journeys of one rep do not both take the last miles at the full rate.
  RETURN_IF_ERROR(write.Get<v1::Account>(AccountOfRep(journey->rep()).name()).status());
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::RemunerationSettings>());
  ASSIGN_OR_RETURN(auto rates, RatesFor(write, journey->date()));
  ASSIGN_OR_RETURN(int64_t before,
                   write.Number("SELECT CAST(SUM(tenths_of_miles) AS BIGINT) FROM claim_lines"
                                " WHERE forum = $1 AND rep_id = $2 AND date >= $3 AND date <= $4"
                                " AND kind = 'MILEAGE' AND vehicle = 'CAR' AND state = 'CLAIMED'",
                                {write.forum(), IdOf(journey->rep()), TaxYearStart(journey->date()),
                                 TaxYearEnd(journey->date())}));
  ASSIGN_OR_RETURN(int64_t pence,
                   MileagePence(rates, *journey, settings.mileage_threshold_miles(), before));
  journey->set_amount_pence(pence);
  return absl::OkStatus();
}

Status WithdrawLines(Write& write, const v1::Claim& claim) {
  ASSIGN_OR_RETURN(auto lines, StandingLines(write, claim));
  for (const auto& found : lines) {
    ASSIGN_OR_RETURN(auto line, write.Get<v1::ClaimLine>(found.name()));
    line.set_state(v1::ClaimLine::WITHDRAWN);
    RETURN_IF_ERROR(write.Put(std::move(line)).status());
  }
  return absl::OkStatus();
}

Status ApproveLine(Write& write, v1::ClaimLine line, const std::string& wanted) {
  Purpose purpose{Activity::PRIORITY, "", line.date()};
  std::string fund = wanted;
  if (line.has_entitlement()) {
    ASSIGN_OR_RETURN(auto session, write.Get<v1::Entitlement>(line.entitlement()));
    purpose = {session.activity_kind(), session.partner(), session.session_date()};
    if (session.has_commitment()) {
      ASSIGN_OR_RETURN(auto promise, write.Get<v1::Commitment>(session.commitment()));
      fund = promise.fund();
      if (line.kind() == v1::ClaimLine::TIME && promise.state() == v1::Commitment::EARNED) {
        RETURN_IF_ERROR(End(write, std::move(promise), v1::Commitment::CLAIMED).status());
      }
    }
  }
  ASSIGN_OR_RETURN(v1::Fund payer, TakeFund(write, purpose, fund, line.amount_pence()));
  ASSIGN_OR_RETURN(line, write.Get<v1::ClaimLine>(line.name()));
  line.set_fund(payer.name());
  if (line.amount_pence() > 0) RETURN_IF_ERROR(Move(write, Approved(line)));
  RETURN_IF_ERROR(NoteIfNearlySpent(write, payer.name()));
  return write.Put(std::move(line)).status();
}

}  // namespace hub::remuneration
