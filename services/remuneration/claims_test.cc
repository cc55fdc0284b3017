#include <gtest/gtest.h>

#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/hub/v1/people.pb.h"
#include "coproduction/remuneration/events/v1/claims.pb.h"
#include "services/remuneration/claims_rules.h"
#include "services/remuneration/mini_remuneration.h"

namespace hub::remuneration {
namespace {

namespace hub_v1 = ::coproduction::hub::v1;

v1::Claim Claim() {
  v1::Claim claim;
  claim.set_name("forums/w/claims/k");
  claim.set_rep("forums/w/reps/ann");
  claim.set_from_date("2022-04-01");
  claim.set_to_date("2022-05-31");
  return claim;
}

v1::Entitlement Session() {
  v1::Entitlement session;
  session.set_name("forums/w/entitlements/e");
  session.set_rep("forums/w/reps/ann");
  session.set_session("forums/w/sessions/s");
  session.set_session_date("2022-05-06");
  session.set_minutes(120);
  return session;
}

v1::AddLineRequest Line(v1::ClaimLine::Kind kind) {
  v1::AddLineRequest in;
  in.set_name(Claim().name());
  in.set_kind(kind);
  in.set_date("2022-05-06");
  in.set_entitlement(Session().name());
  in.set_evidence("ticket");
  if (kind == v1::ClaimLine::MILEAGE) {
    in.set_vehicle(v1::ClaimLine::CAR);
    in.set_tenths_of_miles(124);
  } else {
    in.set_amount_pence(350);
  }
  return in;
}

const char kToday[] = "2022-05-20";

// The field that is refused, or '' where the line can stand.
std::string Refused(const v1::AddLineRequest& in, bool with_session = true) {
  v1::Entitlement session = Session();
  Status status = CheckLine(in, Claim(), with_session ? &session : nullptr, kToday);
  if (status.ok()) return "";
  EXPECT_EQ(ReasonOf(status), errors::INVALID_FIELD);
  return ErrorInfoOf(status).metadata().at("field");
}

TEST(CheckLine, EachKindOfExpense) {
  for (auto kind :
       {v1::ClaimLine::MILEAGE, v1::ClaimLine::FARE, v1::ClaimLine::CARE, v1::ClaimLine::OTHER}) {
    EXPECT_EQ(Refused(Line(kind)), "") << kind;
  }
}

TEST(CheckLine, AFeeIsNeverTyped) { EXPECT_EQ(Refused(Line(v1::ClaimLine::TIME)), "kind"); }

TEST(CheckLine, TheDayIsWithinThePeriodAndNotAhead) {
  auto line = Line(v1::ClaimLine::FARE);
  for (const char* day : {"2022-03-31", "2022-06-01", "2022-05-21"}) {
    line.set_date(day);
    EXPECT_EQ(Refused(line), "date") << day;
  }
  for (const char* day : {"2022-04-01", "2022-05-20"}) {
    line.set_date(day);
    EXPECT_EQ(Refused(line), "") << day;
  }
}

TEST(CheckLine, OnlyOtherNeedsNoSession) {
  EXPECT_EQ(Refused(Line(v1::ClaimLine::MILEAGE), false), "entitlement");
  EXPECT_EQ(Refused(Line(v1::ClaimLine::FARE), false), "entitlement");
  EXPECT_EQ(Refused(Line(v1::ClaimLine::CARE), false), "entitlement");
  EXPECT_EQ(Refused(Line(v1::ClaimLine::OTHER), false), "");
}

TEST(CheckLine, NotAnotherRepsSession) {
  v1::Entitlement session = Session();
  session.set_rep("forums/w/reps/bob");
  Status status = CheckLine(Line(v1::ClaimLine::FARE), Claim(), &session, kToday);
  EXPECT_EQ(ErrorInfoOf(status).metadata().at("field"), "entitlement");
}

TEST(CheckLine, AJourneyHasMilesAndNoAmount) {
  auto line = Line(v1::ClaimLine::MILEAGE);
  line.set_amount_pence(1);
  EXPECT_EQ(Refused(line), "amount_pence");
  line = Line(v1::ClaimLine::MILEAGE);
  line.set_tenths_of_miles(0);
  EXPECT_EQ(Refused(line), "tenths_of_miles");
  line = Line(v1::ClaimLine::MILEAGE);
  line.clear_vehicle();
  EXPECT_EQ(Refused(line), "vehicle");
  line = Line(v1::ClaimLine::MILEAGE);
  line.set_passengers(1);
  EXPECT_EQ(Refused(line), "");
  line.set_vehicle(v1::ClaimLine::CYCLE);
  EXPECT_EQ(Refused(line), "passengers");
}

TEST(CheckLine, AnotherExpenseHasAnAmountAndNoMiles) {
  auto line = Line(v1::ClaimLine::FARE);
  line.set_amount_pence(0);
  EXPECT_EQ(Refused(line), "amount_pence");
  line = Line(v1::ClaimLine::FARE);
  line.set_tenths_of_miles(5);
  EXPECT_EQ(Refused(line), "tenths_of_miles");
}

TEST(Lines, OnlyReimbursedCostIsAnExpense) {
  EXPECT_EQ(ClassOf(v1::ClaimLine::TIME), v1::ClaimLine::INVOLVEMENT_FEE);
  EXPECT_EQ(ClassOf(v1::ClaimLine::MILEAGE), v1::ClaimLine::EXPENSE);
  EXPECT_EQ(ClassOf(v1::ClaimLine::CARE), v1::ClaimLine::EXPENSE);
}

TEST(Lines, AreMadeOfWhatWasSaid) {
  v1::ClaimLine fee = FeeLine(Session(), 5000);
  EXPECT_EQ(fee.date(), "2022-05-06");
  EXPECT_EQ(fee.minutes(), 120);
  EXPECT_EQ(fee.entitlement(), Session().name());
  EXPECT_EQ(fee.amount_pence(), 5000);
  v1::ClaimLine journey = ExpenseLine(Line(v1::ClaimLine::MILEAGE), Claim());
  EXPECT_EQ(journey.rep(), Claim().rep());
  EXPECT_EQ(journey.tenths_of_miles(), 124);
  EXPECT_EQ(journey.evidence(), "ticket");
  auto other = Line(v1::ClaimLine::OTHER);
  other.clear_entitlement();
  EXPECT_FALSE(ExpenseLine(other, Claim()).has_entitlement());
}

TEST(Claims, HaveRoomForSoManyLinesAndAreNotSubmittedEmpty) {
  v1::Claim claim = Claim();
  claim.set_lines(59);
  EXPECT_TRUE(CheckRoom(claim, 60).ok());
  claim.set_lines(60);
  EXPECT_EQ(ErrorInfoOf(CheckRoom(claim, 60)).metadata().at("rule"), "claim_full");
  EXPECT_EQ(ErrorInfoOf(CheckNotEmpty({})).metadata().at("rule"), "empty_claim");
  EXPECT_TRUE(CheckNotEmpty({v1::ClaimLine()}).ok());
}

TEST(CheckPeriod, BegunAndInOrder) {
  EXPECT_TRUE(CheckPeriod("2022-05-20", "2022-06-30", kToday).ok());
  EXPECT_EQ(ErrorInfoOf(CheckPeriod("2022-05-02", "2022-05-01", kToday)).metadata().at("field"),
            "to_date");
  EXPECT_EQ(ErrorInfoOf(CheckPeriod("2022-05-21", "2022-05-31", kToday)).metadata().at("field"),
            "from_date");
}

TEST(ThreePeople, ClaimApproveAndPay) {
  v1::Claim claim = Claim();
  EXPECT_FALSE(CheckApprover(claim, "ann").ok());
  EXPECT_FALSE(CheckApprover(claim, "").ok());
  EXPECT_TRUE(CheckApprover(claim, "cat").ok());
  EXPECT_TRUE(CheckClaimant("ann").ok());
  EXPECT_FALSE(CheckClaimant("").ok());
  claim.set_approver("cat");
  EXPECT_FALSE(CheckPayer(claim, "ann").ok());
  EXPECT_FALSE(CheckPayer(claim, "cat").ok());
  EXPECT_FALSE(CheckPayer(claim, "").ok());
  EXPECT_TRUE(CheckPayer(claim, "dan").ok());
  EXPECT_EQ(ErrorInfoOf(CheckPayer(claim, "cat")).metadata().at("rule"), "three_people");
}

using testing::Refused;
namespace events = ::coproduction::remuneration::events::v1;

class Claims : public MiniRemuneration {
 protected:
  void SetUp() override {
    mini_.SetDate("2022-05-02");
    SetRate(v1::Rate::FEE_TWO_HOURS, "2022-05-01", 50000);
    SetRate(v1::Rate::MILEAGE_CAR, "2021-01-01", 300);
    SetRate(v1::Rate::MILEAGE_CAR, "2022-04-25", 450);
    SetRate(v1::Rate::MILEAGE_CAR_AFTER_THRESHOLD, "2021-01-01", 250);
    fund_ = OpenFund(1750000).name();
    commitment_ = Reserve(kAnn, "s1").value().name();
    EXPECT_TRUE(Allocated(kAnn, "s1").ok());
    mini_.SetDate("2022-05-20");
    EXPECT_TRUE(Attended(kAnn, "s0", "2022-04-22").ok());
    EXPECT_TRUE(Attended(kAnn, "s1", "2022-05-06").ok());
    EXPECT_TRUE(Attended(kAnn, "s2", "2022-05-20").ok());
    v1::ListEntitlementsRequest in;
    in.set_parent(kForum);
    const auto all = Done<v1::ListEntitlementsResponse>(ann_, in);
    sessions_ = {all.entitlements().begin(), all.entitlements().end()};
  }
  v1::Claim Prefill(const std::string& token) {
    v1::PrefillClaimRequest in;
    in.set_parent(kForum);
    in.set_from_date("2022-04-01");
    in.set_to_date("2022-05-31");
    return Done<v1::Claim>(token, in);
  }
  StatusOr<v1::Claim> Drive(const v1::Claim& claim, const v1::Entitlement& session,
                            int64_t tenths_of_miles) {
    v1::AddLineRequest in;
    in.set_name(claim.name());
    in.set_kind(v1::ClaimLine::MILEAGE);
    in.set_date(session.session_date());
    in.set_entitlement(session.name());
    in.set_vehicle(v1::ClaimLine::CAR);
    in.set_tenths_of_miles(tenths_of_miles);
    in.set_evidence("home to the hub and back");
    return mini_.Call<v1::Claim>(ann_, in);
  }
  std::vector<v1::ClaimLine> Lines(const v1::Claim& claim) {
    v1::ListClaimLinesRequest in;
    in.set_parent(kForum);
    in.set_filter("claim = \"" + claim.name() + "\"");
    auto out = Done<v1::ListClaimLinesResponse>(chair_, in);
    return {out.claim_lines().begin(), out.claim_lines().end()};
  }
  template <class Req>
  StatusOr<v1::Claim> Act(const std::string& token, const v1::Claim& claim) {
    Req in;
    in.set_name(claim.name());
    if constexpr (requires { in.set_reason(""); }) in.set_reason("The ticket is missing.");
    return mini_.Call<v1::Claim>(token, in);
  }

  std::string fund_, commitment_;
  std::vector<v1::Entitlement> sessions_;
};
ON_BOTH_DATABASES(Claims);

TEST_P(Claims, FromAttendanceToPayment) {
  v1::Claim claim = Prefill(ann_);
  EXPECT_EQ(claim.state(), v1::Claim::DRAFT);
  EXPECT_EQ(claim.rep(), RepOf(kAnn));
  EXPECT_EQ(claim.lines(), 2);  // no fee was paid in April
  EXPECT_EQ(claim.total_pence(), 10000);
  claim = *Drive(claim, sessions_[0], 100);
  claim = *Drive(claim, sessions_[1], 103);
  EXPECT_EQ(claim.total_pence(), 10000 + 300 + 464);  // 30p, then 45p: 463.5 pence, half a penny up
  ASSERT_TRUE(Act<v1::SubmitClaimRequest>(ann_, claim).ok());
  auto approved = Act<v1::ApproveClaimRequest>(chair_, claim);
  ASSERT_TRUE(approved.ok()) << approved.status();
  EXPECT_EQ(approved->approver(), kCat);
  EXPECT_EQ(approved->approved_on(), "2022-05-20");
  EXPECT_EQ(Balance("rep-" + std::string(kAnn)), 10764);
  EXPECT_EQ(Balance("fund-" + IdOf(fund_)), 1750000 - 10764);
  EXPECT_EQ(Balance("commitments-" + IdOf(fund_)), 0);
  EXPECT_EQ(CommitmentNow(commitment_).state(), v1::Commitment::CLAIMED);
  for (const auto& line : Lines(claim)) EXPECT_EQ(line.fund(), fund_);

  EXPECT_EQ(Act<v1::PayClaimRequest>(treasurer_, claim)->state(), v1::Claim::PAID);
  EXPECT_EQ(Balance("rep-" + std::string(kAnn)), 0);
  EXPECT_EQ(Balance("bank"), 10764);
  EXPECT_EQ(mini_.Published<events::ClaimSubmitted>().size(), 1u);
  EXPECT_EQ(mini_.Published<events::ClaimApproved>().size(), 1u);
  ASSERT_EQ(mini_.Published<events::PaymentSettled>("forums/warwickshire").size(), 1u);
  EXPECT_EQ(mini_.Published<events::PaymentSettled>()[0].paid_on(), "2022-05-20");
  EXPECT_TRUE(mini_.Published<events::PaymentSettled>(kWcc).empty());
  EXPECT_TRUE(
      Refused(Act<v1::PayClaimRequest>(treasurer_, claim).status(), errors::STATE_NOT_ALLOWED));

  v1::GetRemunerationFiguresRequest in;
  in.set_parent(kForum);
  in.set_from_date("2022-05-01");
  in.set_to_date("2022-05-31");
  auto figures = Done<v1::RemunerationFigures>(scheduling_, in);
  EXPECT_EQ(figures.minutes_given(), 240);
  EXPECT_EQ(figures.minutes_paid(), 240);
  EXPECT_EQ(figures.fees_pence(), 10000);
  EXPECT_EQ(figures.expenses_pence(), 464);
  ASSERT_EQ(figures.by_fund_size(), 1);
  EXPECT_EQ(figures.by_fund(0).fund(), fund_);
  EXPECT_EQ(figures.by_fund(0).expenses_pence(), 464);
}

TEST_P(Claims, OfWhoWasErasedTheSumsAloneStayAfterSixYears) {
  v1::Claim claim = Prefill(ann_);
  claim = *Drive(claim, sessions_[0], 100);
  ASSERT_TRUE(Act<v1::SubmitClaimRequest>(ann_, claim).ok());
  ASSERT_TRUE(Act<v1::ApproveClaimRequest>(chair_, claim).ok());
  ASSERT_TRUE(Act<v1::PayClaimRequest>(treasurer_, claim).ok());
  mini_.Answer<hub_v1::ConfirmErasureRequest, hub_v1::ConfirmErasureResponse>(
      [](const auto&) -> StatusOr<hub_v1::ConfirmErasureResponse> {
        return hub_v1::ConfirmErasureResponse();
      });
  ::coproduction::hub::events::v1::MemberErased erased;
  erased.set_member(std::string(kForum) + "/members/" + kAnn);
  erased.set_rights_request(std::string(kForum) + "/rightsRequests/r1");
  mini_.SetDate("2022-06-01");
  ASSERT_TRUE(mini_.Deliver(erased.rights_request(), erased).ok());
  ASSERT_TRUE(mini_.runtime().FinishErasures().ok());
  const auto lines_on = [&](const std::string& date) {
    mini_.SetDate(date);
    EXPECT_TRUE(mini_.runtime().engine().EndRetentions(date).ok());
    return Lines(claim);
  };
  for (const auto& line : lines_on("2028-05-31")) EXPECT_NE(line.date(), "");
  for (const auto& line : lines_on("2028-06-01")) {
    EXPECT_EQ(line.date(), "");
    EXPECT_EQ(line.vehicle(), v1::ClaimLine::VEHICLE_UNSPECIFIED);
    EXPECT_GT(line.amount_pence(), 0);
  }
  EXPECT_EQ(Balance("bank"), 10000 + 300);
  EXPECT_EQ(mini_.Rows("erasures WHERE step = 3"), 1);
}

TEST_P(Claims, OneAttendanceIsClaimedOncePerKind) {
  v1::Claim claim = Prefill(ann_);
  ASSERT_TRUE(Drive(claim, sessions_[1], 100).ok());
  EXPECT_TRUE(Refused(Drive(claim, sessions_[1], 100).status(), errors::RESOURCE_EXISTS));
  v1::Claim again = Prefill(ann_);
  EXPECT_EQ(again.lines(), 0);
  EXPECT_TRUE(Refused(Drive(again, sessions_[1], 100).status(), errors::RESOURCE_EXISTS));
  EXPECT_TRUE(Refused(Act<v1::SubmitClaimRequest>(ann_, again).status(), errors::RULE_REFUSED,
                      "empty_claim"));
  // Cancelled or refused, its sessions can be claimed again.
  ASSERT_TRUE(Act<v1::CancelClaimRequest>(ann_, claim).ok());
  EXPECT_EQ(Lines(claim)[0].state(), v1::ClaimLine::WITHDRAWN);
  EXPECT_TRUE(Drive(again, sessions_[1], 100).ok());
  v1::Claim third = Prefill(ann_);
  EXPECT_EQ(third.lines(), 2);
  ASSERT_TRUE(Act<v1::SubmitClaimRequest>(ann_, third).ok());
  ASSERT_TRUE(Act<v1::RefuseClaimRequest>(chair_, third).ok());
  EXPECT_EQ(Prefill(ann_).lines(), 2);
}

TEST_P(Claims, ClaimantApproverAndPayerAreThreePeople) {
  v1::Claim claim = Prefill(ann_);
  ASSERT_TRUE(Act<v1::SubmitClaimRequest>(ann_, claim).ok());
  const std::string ann_as_chair = mini_.Token(options::CHAIR, kAnn);
  EXPECT_TRUE(Refused(Act<v1::ApproveClaimRequest>(ann_as_chair, claim).status(),
                      errors::RULE_REFUSED, "three_people"));
  EXPECT_TRUE(
      Refused(Act<v1::ApproveClaimRequest>(treasurer_, claim).status(), errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(
      Refused(Act<v1::PayClaimRequest>(treasurer_, claim).status(), errors::STATE_NOT_ALLOWED));
  ASSERT_TRUE(Act<v1::ApproveClaimRequest>(chair_, claim).ok());
  for (const char* person : {kAnn, kCat}) {
    EXPECT_TRUE(
        Refused(Act<v1::PayClaimRequest>(mini_.Token(options::TREASURER, person), claim).status(),
                errors::RULE_REFUSED, "three_people"));
  }
  EXPECT_EQ(Act<v1::PayClaimRequest>(treasurer_, claim)->payer(), kDan);
  // The database itself refuses it too.
  EXPECT_FALSE(Sql("UPDATE claims SET payer = approver").ok());
}

TEST_P(Claims, AReturnedClaimIsChangedAndSubmittedAgain) {
  v1::Claim claim = Prefill(ann_);
  ASSERT_TRUE(Act<v1::SubmitClaimRequest>(ann_, claim).ok());
  EXPECT_TRUE(Refused(Drive(claim, sessions_[0], 100).status(), errors::STATE_NOT_ALLOWED));
  auto returned = Act<v1::ReturnClaimRequest>(chair_, claim);
  ASSERT_TRUE(returned.ok()) << returned.status();
  EXPECT_EQ(returned->reason(), "The ticket is missing.");
  v1::GetClaimRequest get;
  get.set_name(claim.name());
  EXPECT_EQ(Done<v1::Claim>(ann_, get).reason(), "The ticket is missing.");
  EXPECT_EQ(Done<v1::Claim>(ann_, get).approver(), "");
  v1::WithdrawLineRequest in;
  in.set_name(claim.name());
  in.set_line(Lines(claim)[0].name());
  EXPECT_EQ(Done<v1::Claim>(ann_, in).total_pence(), 5000);
  EXPECT_EQ(Drive(claim, sessions_[0], 100)->lines(), 3);
  ASSERT_TRUE(Act<v1::SubmitClaimRequest>(ann_, claim).ok());
  EXPECT_EQ(Act<v1::ApproveClaimRequest>(chair_, claim)->total_pence(), 5300);
}

TEST_P(Claims, MilesOverTheThresholdOfTheTaxYearAreSplit) {
  v1::Claim claim = Prefill(ann_);
  ASSERT_TRUE(Drive(claim, sessions_[0], 99950).ok());
  EXPECT_EQ(Lines(claim)[2].amount_pence(), 299850);
  ASSERT_TRUE(Drive(claim, sessions_[1], 100).ok());
  EXPECT_EQ(Lines(claim)[3].amount_pence(), 225 + 125);
}

TEST_P(Claims, AFundWithoutEnoughMoneyPaysNothing) {
  fund_ = OpenFund(100).name();
  ASSERT_TRUE(Attended(kBob, "p1", "2022-05-20", Activity::PROJECT, kWcc).ok());
  v1::Claim claim = Prefill(bob_);
  EXPECT_EQ(claim.lines(), 1);
  ASSERT_TRUE(Act<v1::SubmitClaimRequest>(bob_, claim).ok());
  EXPECT_TRUE(Refused(Act<v1::ApproveClaimRequest>(chair_, claim).status(), errors::RULE_REFUSED,
                      "no_fund_pays"));
  v1::Fund shared = OpenFund(5000, kWcc);
  ASSERT_TRUE(Act<v1::ApproveClaimRequest>(chair_, claim).ok());
  EXPECT_EQ(Balance("fund-" + IdOf(shared.name())), 0);
}

TEST_P(Claims, ARepSeesAndMovesOwnClaimsAlone) {
  v1::Claim claim = Prefill(ann_);
  v1::ListClaimsRequest list;
  list.set_parent(kForum);
  EXPECT_EQ(Done<v1::ListClaimsResponse>(ann_, list).claims_size(), 1);
  EXPECT_EQ(Done<v1::ListClaimsResponse>(bob_, list).claims_size(), 0);
  EXPECT_TRUE(
      Refused(Act<v1::SubmitClaimRequest>(bob_, claim).status(), errors::RESOURCE_NOT_FOUND));
  EXPECT_TRUE(Refused(mini_.Call<v1::ListClaimsResponse>(facilitator_, list).status(),
                      errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(Refused(Act<v1::GetClaimRequest>(mini_.StrangerToken(), claim).status(),
                      errors::ROLE_NOT_ALLOWED));
  v1::Claim bobs = Prefill(bob_);
  v1::AddLineRequest in;
  in.set_name(bobs.name());
  in.set_kind(v1::ClaimLine::FARE);
  in.set_date("2022-05-06");
  in.set_entitlement(sessions_[1].name());
  in.set_amount_pence(350);
  in.set_evidence("bus ticket");
  EXPECT_TRUE(Refused(mini_.Call<v1::Claim>(bob_, in).status(), errors::RESOURCE_NOT_FOUND));
}

}  // namespace
}  // namespace hub::remuneration
