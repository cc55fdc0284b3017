// Funds are opened, rates set; reps claim, the chairs approve, the treasurer pays.
#include "coproduction/remuneration/v1/claims.pb.h"
#include "coproduction/remuneration/v1/entitlements.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "coproduction/remuneration/v1/rates.pb.h"
#include "services/hubctl/demo_turn.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::remuneration::v1;
using coproduction::scheduling::v1::Activity;

constexpr int kTenthsOfAPenny = 10;

std::string Treasurer(const Turn& turn) { return turn.Holder("TREASURER"); }

// The giver is a partner's key, whose funder then opens it, or an organisation.
Status OpenFund(Turn& turn) {
  std::string who = Treasurer(turn);
  v1::CreateFundRequest create;
  create.set_parent(turn.forum());
  v1::Fund* fund = create.mutable_fund();
  fund->set_title(turn["Name"]);
  fund->set_giver(turn["Giver"]);
  for (const Row& partner : turn.book().rows("partners")) {
    if (partner["Key"] != turn["Giver"]) continue;
    fund->set_giver(partner["Name"]);
    fund->set_partner(turn.forum() + "/partners/" + partner["Id"]);
    who = OfficerOf(turn.book(), partner["Id"], "FUNDER");
  }
  fund->set_from_date(DayOf(turn["From"]));
  fund->set_to_date(DayOf(turn["Until"]));
  fund->set_amount_pence(DigitsOf(turn["Pounds"]));
  for (const std::string& kind : ListOf(turn["Kinds of activity"])) {
    fund->add_pays(ValueOf(kind, Activity::Kind_Parse));
  }
  return turn.Make(who, create);
}

Status SetRate(Turn& turn) {
  v1::SetRateRequest set;
  set.set_parent(turn.forum());
  v1::Rate* rate = set.mutable_rate();
  rate->set_kind(turn["Kind"] == "FEE"
                     ? v1::Rate::FEE_TWO_HOURS
                     : ValueOf(turn["Kind"] + "_" + turn["Mode"], v1::Rate::Kind_Parse));
  rate->set_from_date(DayOf(turn["From"]));
  rate->set_tenth_pence(DigitsOf(turn["Pounds"]) * kTenthsOfAPenny);
  rate->set_source((turn["Invented"] == "yes" ? "Invented for the demonstration. " : "") +
                   turn["Note"]);
  return turn.Do(Treasurer(turn), set);
}

// The attended session that a journey was for.
StatusOr<std::string> EntitlementOf(Turn& turn, const std::string& session) {
  v1::ListEntitlementsRequest list;
  list.set_parent(turn.forum());
  list.set_filter("session = \"" + turn.Name(session) + "\"");
  ASSIGN_OR_RETURN(const auto own,
                   turn.Read<v1::ListEntitlementsResponse>(Turn::Rep(turn["Rep"]), list));
  return own.entitlements_size() == 1 ? own.entitlements(0).name() : "";
}

Status AddJourneys(Turn& turn) {
  for (const Row& journey : turn.book().rows("journeys")) {
    if (journey["Claim"] != turn["Key"]) continue;
    v1::AddLineRequest add;
    add.set_name(turn.Name(turn["Key"]));
    add.set_kind(v1::ClaimLine::MILEAGE);
    add.set_date(DayOf(journey["Date"]));
    ASSIGN_OR_RETURN(*add.mutable_entitlement(), EntitlementOf(turn, journey["Session"]));
    add.set_vehicle(ValueOf(journey["Mode"], v1::ClaimLine::Vehicle_Parse));
    add.set_tenths_of_miles(DigitsOf(journey["Miles"]));
    add.set_evidence(journey["Purpose"]);
    RETURN_IF_ERROR(turn.Do(Turn::Rep(turn["Rep"]), add, journey["Key"]));
  }
  return Status();
}

template <class Step>
Step Named(const Turn& turn) {
  Step step;
  step.set_name(turn.Name(turn["Key"]));
  return step;
}

Status Submit(Turn& turn) {
  return turn.Do(Turn::Rep(turn["Rep"]), Named<v1::SubmitClaimRequest>(turn));
}

Status Claim(Turn& turn) {
  const std::string date = DayOf(turn.book().row("sessions", turn["Session"])["Date"]);
  v1::PrefillClaimRequest prefill;
  prefill.set_parent(turn.forum());
  prefill.set_from_date(date);
  prefill.set_to_date(date);
  RETURN_IF_ERROR(turn.Make(Turn::Rep(turn["Rep"]), prefill));
  RETURN_IF_ERROR(AddJourneys(turn));
  return Submit(turn);
}

Status Return(Turn& turn) {
  auto give_back = Named<v1::ReturnClaimRequest>(turn);
  give_back.set_reason(turn["Why returned"]);
  return turn.Do(turn.Holder("CHAIR"), give_back);
}

Status Approve(Turn& turn) {
  auto approve = Named<v1::ApproveClaimRequest>(turn);
  approve.set_fund(turn.Name(turn["Fund"]));
  return turn.Do(turn.Member(turn["Approved by"]), approve);
}

Status Pay(Turn& turn) {
  return turn.Do(turn.Member(turn["Paid by"]), Named<v1::PayClaimRequest>(turn));
}

}  // namespace

void PlanMoney(Plan* plan) {
  for (const Row& row : plan->book().rows("funds")) {
    plan->On(row, "Opened", Step::kMoney, OpenFund);
  }
  for (const Row& row : plan->book().rows("rates")) {
    plan->On(row, "Set on", Step::kMoney, SetRate);
  }
  for (const Row& row : plan->book().rows("claims")) {
    plan->On(row, "Submitted", Step::kMoney, Claim);
    plan->On(row, "Returned", Step::kMoney, Return);
    plan->On(row, "Submitted again", Step::kMoney, Submit);
    plan->On(row, "Approved", Step::kMoney, Approve);
    plan->On(row, "Paid", Step::kMoney, Pay);
  }
}

}  // namespace hub::ctl
