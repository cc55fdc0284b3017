#include "services/remuneration/claims_rules.h"

namespace hub::remuneration {
namespace {

Status CheckAmounts(const v1::AddLineRequest& in) {
  const std::string kind = v1::ClaimLine::Kind_Name(in.kind());
  if (in.kind() == v1::ClaimLine::MILEAGE) {
    if (in.vehicle() == v1::ClaimLine::VEHICLE_UNSPECIFIED) {
      return InvalidField("vehicle",
                          "Say what the journey was made with: CAR, MOTORCYCLE or CYCLE.");
    }
    if (in.tenths_of_miles() == 0) {
      return InvalidField("tenths_of_miles",
                          "Say how long the journey was, as 124 for 12.4 miles.");
    }
    if (in.passengers() > 0 && in.vehicle() != v1::ClaimLine::CAR) {
      return InvalidField("passengers", "Passengers are paid for in a CAR only. Leave them out.");
    }
    if (in.amount_pence() != 0) {
      return InvalidField("amount_pence",
                          "A journey is priced by its miles. Leave the amount out.");
    }
    return absl::OkStatus();
  }
  if (in.amount_pence() == 0) {
    return InvalidField("amount_pence", "Say what was spent, in pence, as 350 for 3.50 pounds.");
  }
  if (in.tenths_of_miles() != 0 || in.passengers() != 0 ||
      in.vehicle() != v1::ClaimLine::VEHICLE_UNSPECIFIED) {
    return InvalidField("tenths_of_miles",
                        "A line of kind " + kind +
                            " has no miles, passengers or "
                            "vehicle. Leave them out, or add a line of kind MILEAGE.");
  }
  return absl::OkStatus();
}

std::string IdPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

}  // namespace

v1::ClaimLine::PaymentClass ClassOf(v1::ClaimLine::Kind kind) {
  return kind == v1::ClaimLine::TIME ? v1::ClaimLine::INVOLVEMENT_FEE : v1::ClaimLine::EXPENSE;
}

Status CheckClaimant(const std::string& person) {
  if (!person.empty()) return absl::OkStatus();
  return RuleRefused("three_people", "A claim is made by a person. Your access is not one's.");
}

v1::Claim Draft(const std::string& rep, const v1::PrefillClaimRequest& in) {
  v1::Claim claim;
  claim.set_rep(rep);
  claim.set_state(v1::Claim::DRAFT);
  claim.set_from_date(in.from_date());
  claim.set_to_date(in.to_date());
  return claim;
}

Status CheckPeriod(const std::string& from, const std::string& to, const std::string& today) {
  if (from > to) {
    return InvalidField("to_date",
                        "The period ends on " + to + ", before it begins on " + from + ".");
  }
  if (from > today) {
    return InvalidField("from_date", "The period begins on " + from +
                                         ", which is still to come. "
                                         "Claim what was done by today, " +
                                         today + ".");
  }
  return absl::OkStatus();
}

Status CheckLine(const v1::AddLineRequest& in, const v1::Claim& claim,
                 const v1::Entitlement* session, const std::string& today) {
  if (in.kind() == v1::ClaimLine::TIME) {
    return InvalidField("kind",
                        "A fee comes from attendance alone: pre-fill a claim for the period "
                        "of the session. Here add MILEAGE, FARE, CARE or OTHER.");
  }
  if (in.date() < claim.from_date() || in.date() > claim.to_date() || in.date() > today) {
    return InvalidField("date", "The day " + in.date() + " is not within the claim's period, " +
                                    claim.from_date() + " to " + claim.to_date() +
                                    ", or still to come. Use a claim for the period it is in.");
  }
  if (session == nullptr && in.kind() != v1::ClaimLine::OTHER) {
    return InvalidField("entitlement",
                        "Name the attended session that it was for; the list of "
                        "entitlements has those of yours.");
  }
  if (session != nullptr && session->rep() != claim.rep()) {
    return InvalidField("entitlement",
                        "That is another rep's session. Name one that you attended.");
  }
  return CheckAmounts(in);
}

v1::ClaimLine ExpenseLine(const v1::AddLineRequest& in, const v1::Claim& claim) {
  v1::ClaimLine line;
  line.set_state(v1::ClaimLine::CLAIMED);
  line.set_payment_class(ClassOf(in.kind()));
  line.set_rep(claim.rep());
  line.set_kind(in.kind());
  line.set_date(in.date());
  if (!in.entitlement().empty()) line.set_entitlement(in.entitlement());
  line.set_vehicle(in.vehicle());
  line.set_tenths_of_miles(in.tenths_of_miles());
  line.set_passengers(in.passengers());
  line.set_evidence(in.evidence());
  line.set_amount_pence(in.amount_pence());
  return line;
}

v1::ClaimLine FeeLine(const v1::Entitlement& session, int64_t fee_pence) {
  v1::ClaimLine line;
  line.set_rep(session.rep());
  line.set_state(v1::ClaimLine::CLAIMED);
  line.set_kind(v1::ClaimLine::TIME);
  line.set_payment_class(ClassOf(v1::ClaimLine::TIME));
  line.set_date(session.session_date());
  line.set_entitlement(session.name());
  line.set_minutes(session.minutes());
  line.set_evidence("attended " + session.session());
  line.set_amount_pence(fee_pence);
  return line;
}

Status CheckRoom(const v1::Claim& claim, int64_t lines_max) {
  if (claim.lines() < lines_max) return absl::OkStatus();
  return RuleRefused("claim_full",
                     "A claim has at most " + std::to_string(lines_max) +
                         " lines. Use another claim for the rest, or pre-fill one for "
                         "a shorter period.");
}

Status CheckNotEmpty(const std::vector<v1::ClaimLine>& standing) {
  if (!standing.empty()) return absl::OkStatus();
  return RuleRefused("empty_claim", "The claim has no line that stands. Add one, or cancel it.");
}

Status CheckApprover(const v1::Claim& claim, const std::string& person) {
  if (person.empty()) {
    return RuleRefused("three_people",
                       "A claim is approved by a person. Your access is not one's.");
  }
  if (person == IdPart(claim.rep())) {
    return RuleRefused("three_people",
                       "You made this claim, so somebody else decides on it: the chair "
                       "or the vice chair.");
  }
  return absl::OkStatus();
}

Status CheckPayer(const v1::Claim& claim, const std::string& person) {
  if (person.empty()) {
    return RuleRefused("three_people", "A claim is paid by a person. Your access is not one's.");
  }
  if (person == IdPart(claim.rep()) || person == claim.approver()) {
    return RuleRefused("three_people", std::string("You ") +
                                           (person == claim.approver() ? "approved" : "made") +
                                           " this claim. Who claims, who approves and who pays are "
                                           "three people: another treasurer pays it.");
  }
  return absl::OkStatus();
}

}  // namespace hub::remuneration
