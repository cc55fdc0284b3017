#include "services/remuneration/commitments_rpc.h"

#include "common/rpc/door.h"
#include "coproduction/remuneration/events/v1/commitments.pb.h"
#include "services/remuneration/funds_rpc.h"
#include "services/remuneration/rates_rpc.h"
#include "services/remuneration/transfers_rpc.h"

namespace hub::remuneration {

namespace events = ::coproduction::remuneration::events::v1;

StatusOr<std::optional<v1::Commitment>> StandingCommitment(Read& read, const std::string& rep,
                                                           const std::string& session) {
  ASSIGN_OR_RETURN(auto found,
                   read.Select<v1::Commitment>("rep_id = $2 AND session_id = $3 AND state IN"
                                               " ('RESERVED', 'CONFIRMED', 'EARNED', 'CLAIMED')",
                                               {IdOf(rep), IdOf(session)}));
  return found.empty() ? std::nullopt : std::optional<v1::Commitment>(found[0]);
}

static Purpose PurposeOf(const v1::Commitment& terms) {
  return {terms.activity_kind(), terms.partner(), terms.session_date()};
}

StatusOr<v1::Commitment> MakePromise(Write& write, v1::Commitment terms,
                                     const std::string& wanted) {
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::RemunerationSettings>());
  ASSIGN_OR_RETURN(auto rates, RatesFor(write, terms.session_date()));
  terms.set_amount_pence(FeePence(rates, terms.session_date(), terms.minutes()));
  ASSIGN_OR_RETURN(v1::Fund fund, TakeFund(write, PurposeOf(terms), wanted, terms.amount_pence()));
  terms.set_fund(fund.name());
  terms.set_expires_on(ExpiresOn(terms, settings, write.today()));
  ASSIGN_OR_RETURN(auto commitment, write.Create(std::move(terms)));
  write.Emit<events::CommitmentMade>(commitment);
  if (commitment.amount_pence() > 0) RETURN_IF_ERROR(Move(write, Pending(commitment)));
  RETURN_IF_ERROR(NoteIfNearlySpent(write, fund.name()));
  return commitment;
}

StatusOr<v1::Commitment> Keep(Write& write, v1::Commitment commitment,
                              v1::Commitment::State state) {
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::RemunerationSettings>());
  commitment.set_state(state);
  commitment.set_expires_on(ExpiresOn(commitment, settings, write.today()));
  return write.Put(std::move(commitment));
}

StatusOr<v1::Commitment> End(Write& write, v1::Commitment commitment, v1::Commitment::State state) {
  RETURN_IF_ERROR(
      EndPending(write, commitment,
                 state == v1::Commitment::CLAIMED ? v1::Transfer::POSTED : v1::Transfer::VOIDED));
  commitment.set_state(state);
  return write.Put(std::move(commitment));
}

static StatusOr<v1::Commitment> ReserveCommitment(Write& write,
                                                  const v1::ReserveCommitmentRequest& in) {
  const v1::Commitment terms = TermsOf(in);
  // The funds are locked first, so that of two calls for one rep and session the second finds the
  // promise of the first.
  RETURN_IF_ERROR(LockFunds(write, PurposeOf(terms)));
  ASSIGN_OR_RETURN(auto standing, StandingCommitment(write, in.rep(), in.session()));
  if (standing.has_value()) return *standing;
  return MakePromise(write, terms, in.fund());
}

static StatusOr<v1::Commitment> ConfirmCommitment(Write& write,
                                                  const v1::ConfirmCommitmentRequest& in) {
  ASSIGN_OR_RETURN(auto commitment, write.Get<v1::Commitment>(in.name(), in.etag()));
  return Keep(write, std::move(commitment), v1::Commitment::CONFIRMED);
}

static StatusOr<v1::Commitment> ReleaseCommitment(Write& write,
                                                  const v1::ReleaseCommitmentRequest& in) {
  ASSIGN_OR_RETURN(auto commitment, write.Get<v1::Commitment>(in.name(), in.etag()));
  if (commitment.state() == v1::Commitment::RELEASED ||
      commitment.state() == v1::Commitment::EXPIRED) {
    return commitment;
  }
  return End(write, std::move(commitment), v1::Commitment::RELEASED);
}

void BindCommitments(Door& door) {
  const char service[] = "coproduction.remuneration.v1.Commitments";
  door.Bind(service, "ReserveCommitment", ReserveCommitment);
  door.Bind(service, "ConfirmCommitment", ConfirmCommitment);
  door.Bind(service, "ReleaseCommitment", ReleaseCommitment);
}

}  // namespace hub::remuneration
