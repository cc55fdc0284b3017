#include <gtest/gtest.h>

#include "coproduction/remuneration/events/v1/funds.pb.h"
#include "services/remuneration/funds_rules.h"
#include "services/remuneration/mini_remuneration.h"

namespace hub::remuneration {
namespace {

v1::Fund MakeFund(const std::string& id, const std::string& partner,
                  const std::vector<Activity::Kind>& pays, const std::string& to = "2022-03-31") {
  v1::Fund fund;
  fund.set_name("forums/w/funds/" + id);
  fund.set_title(id);
  if (!partner.empty()) fund.set_partner(partner);
  fund.set_from_date("2021-04-01");
  fund.set_to_date(to);
  fund.set_amount_pence(1750000);
  for (auto kind : pays) fund.add_pays(kind);
  return fund;
}

const char kCouncil[] = "forums/w/partners/wcc";
const char kIcb[] = "forums/w/partners/icb";
const v1::Fund kGrant =
    MakeFund("grant", "", {Activity::HUB, Activity::PREP, Activity::BOARD, Activity::PRIORITY});
const v1::Fund kShared = MakeFund("shared", kCouncil, {Activity::PROJECT, Activity::HUB});

TEST(Pays, TheGrantPaysTheHubAlsoForACouncilsItem) {
  EXPECT_TRUE(Pays(kGrant, {Activity::HUB, "", "2021-12-03"}));
  EXPECT_TRUE(Pays(kGrant, {Activity::HUB, kCouncil, "2021-12-03"}));
  EXPECT_FALSE(Pays(kGrant, {Activity::PROJECT, "", "2021-12-03"}));  // not in its purposes
}

TEST(Pays, OnlyWithinItsPeriod) {
  EXPECT_FALSE(Pays(kGrant, {Activity::HUB, "", "2021-03-31"}));
  EXPECT_TRUE(Pays(kGrant, {Activity::HUB, "", "2021-04-01"}));
  EXPECT_TRUE(Pays(kGrant, {Activity::HUB, "", "2022-03-31"}));
  EXPECT_FALSE(Pays(kGrant, {Activity::HUB, "", "2022-04-01"}));
}

TEST(Pays, WhatAPartnerAsksForNeedsThatPartnersContribution) {
  for (auto kind : {Activity::PROJECT, Activity::TASK_AND_FINISH, Activity::CONSULTATION}) {
    v1::Fund any = MakeFund("any", "", {kind});
    v1::Fund own = MakeFund("own", kCouncil, {kind});
    EXPECT_FALSE(Pays(any, {kind, kCouncil, "2021-12-03"}));
    EXPECT_TRUE(Pays(any, {kind, "", "2021-12-03"}));  // the forum's own project
    EXPECT_TRUE(Pays(own, {kind, kCouncil, "2021-12-03"}));
    EXPECT_FALSE(Pays(own, {kind, kIcb, "2021-12-03"}));
    EXPECT_FALSE(Pays(own, {kind, "", "2021-12-03"}));
  }
}

TEST(ThatPay, OwnContributionFirstThenWhatEndsFirst) {
  v1::Fund later = MakeFund("a-later", "", {Activity::HUB}, "2023-03-31");
  auto names = [](const std::vector<v1::Fund>& funds) {
    std::string text;
    for (const auto& fund : funds) text += fund.title() + " ";
    return text;
  };
  std::vector<v1::Fund> funds = {later, kGrant, kShared};
  EXPECT_EQ(names(ThatPay(funds, {Activity::HUB, kCouncil, "2021-12-03"})),
            "shared grant a-later ");
  EXPECT_EQ(names(ThatPay(funds, {Activity::HUB, "", "2021-12-03"})), "grant a-later ");
  EXPECT_EQ(names(ThatPay(funds, {Activity::PROJECT, kCouncil, "2021-12-03"})), "shared ");
  EXPECT_EQ(names(ThatPay(funds, {Activity::PROJECT, kIcb, "2021-12-03"})), "");
}

TEST(WhyUnfunded, NamesTheFundsThatCouldPayOrWhatWouldHelp) {
  Purpose project{Activity::PROJECT, kCouncil, "2021-12-03"};
  EXPECT_EQ(
      WhyUnfunded(project, {kShared}, {12345}),
      "PROJECT on 2021-12-03 asked for by forums/w/partners/wcc cannot be paid as asked. Funds "
      "that pay it: shared (forums/w/funds/shared), 123.45 pounds left.");
  EXPECT_EQ(WhyUnfunded(project, {}, {}),
            "No fund pays PROJECT on 2021-12-03 asked for by forums/w/partners/wcc. It needs a "
            "contribution of that partner: agree one and open it as a fund that pays PROJECT.");
  EXPECT_EQ(WhyUnfunded({Activity::HUB, "", "2021-12-03"}, {}, {}),
            "No fund pays HUB on 2021-12-03. Open a fund that pays it, or choose a day within the "
            "period of one that does.");
}

TEST(CheckFund, PeriodInOrderAndEachKindOnce) {
  EXPECT_TRUE(CheckFund(kGrant).ok());
  v1::Fund backwards = kGrant;
  backwards.set_to_date("2021-03-31");
  EXPECT_EQ(ReasonOf(CheckFund(backwards)), errors::INVALID_FIELD);
  v1::Fund twice = kGrant;
  twice.add_pays(Activity::HUB);
  EXPECT_EQ(ReasonOf(CheckFund(twice)), errors::INVALID_FIELD);
  v1::Fund none = kGrant;
  none.add_pays(Activity::KIND_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(CheckFund(none)), errors::INVALID_FIELD);
}

TEST(OpenedBy, APartnerGivesItsOwnContribution) {
  v1::Fund fund = kGrant;
  EXPECT_TRUE(OpenedBy("", &fund).ok());
  EXPECT_EQ(fund.partner(), "");
  EXPECT_TRUE(OpenedBy(kCouncil, &fund).ok());
  EXPECT_EQ(fund.partner(), kCouncil);
  Status refused = OpenedBy(kIcb, &fund);
  EXPECT_EQ(ErrorInfoOf(refused).metadata().at("field"), "fund.partner");
  EXPECT_EQ(fund.partner(), kCouncil);
}

TEST(NearlySpent, AtTheShareTheForumSet) {
  EXPECT_FALSE(NearlySpent(kGrant, 175001, 90));
  EXPECT_TRUE(NearlySpent(kGrant, 175000, 90));
  EXPECT_TRUE(NearlySpent(kGrant, 0, 100));
  EXPECT_FALSE(NearlySpent(kGrant, 1, 100));
}

using testing::Refused;
namespace events = ::coproduction::remuneration::events::v1;

class Funds : public MiniRemuneration {
 protected:
  v1::CheckFundingResponse Check(Activity::Kind kind, const std::string& partner,
                                 const std::string& fund = "") {
    v1::CheckFundingRequest in;
    in.set_parent(kForum);
    in.set_activity_kind(kind);
    in.set_partner(partner);
    in.set_date("2022-05-06");
    in.set_fund(fund);
    return Done<v1::CheckFundingResponse>(scheduling_, in);
  }
};
ON_BOTH_DATABASES(Funds);

TEST_P(Funds, OpeningMovesTheGiversMoney) {
  v1::Fund fund = OpenFund(1750000);
  EXPECT_EQ(fund.available_pence(), 1750000);
  EXPECT_EQ(fund.promised_pence(), 0);
  EXPECT_EQ(Balance("fund-" + IdOf(fund.name())), 1750000);
  EXPECT_EQ(Balance("giver-" + IdOf(fund.name())), -1750000);
  auto opened = mini_.Published<events::FundOpened>();
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(opened[0].fund(), fund.name());
  EXPECT_EQ(opened[0].amount_pence(), 1750000);
  EXPECT_EQ(opened[0].pays_size(), 4);
}

TEST_P(Funds, APartnerSeesAndHearsOfItsOwnContributionAlone) {
  OpenFund(1750000);
  v1::Fund own = OpenFund(500000, kWcc);
  v1::ListFundsRequest in;
  in.set_parent(kForum);
  auto seen = Done<v1::ListFundsResponse>(facilitator_, in);
  ASSERT_EQ(seen.funds_size(), 1);
  EXPECT_EQ(seen.funds(0).name(), own.name());
  EXPECT_EQ(seen.funds(0).available_pence(), 500000);
  EXPECT_EQ(Balance("partner-wcc"), -500000);
  EXPECT_EQ(mini_.Published<events::FundOpened>("forums/warwickshire").size(), 2u);
  auto heard = mini_.Published<events::FundOpened>(kWcc);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].fund(), own.name());
}

TEST_P(Funds, AProjectOfTheCouncilIsRefusedToTheGrantWithTheFundsThatCouldPay) {
  v1::Fund grant = OpenFund(1750000);
  auto none = Check(Activity::PROJECT, kWcc);
  EXPECT_FALSE(none.allowed());
  EXPECT_EQ(none.could_pay_size(), 0);
  EXPECT_NE(none.reason().find("contribution of that partner"), std::string::npos);
  v1::Fund shared = OpenFund(500000, kWcc);
  auto other = Check(Activity::PROJECT, kWcc, grant.name());
  EXPECT_FALSE(other.allowed());
  ASSERT_EQ(other.could_pay_size(), 1);
  EXPECT_EQ(other.could_pay(0), shared.name());
  EXPECT_NE(other.reason().find("5000.00 pounds left"), std::string::npos);
  EXPECT_EQ(Check(Activity::PROJECT, kWcc).fund(), shared.name());
  EXPECT_EQ(Check(Activity::HUB, kWcc).fund(), grant.name());
  EXPECT_TRUE(Check(Activity::HUB, kWcc).has_answered_at());
}

TEST_P(Funds, AFunderOpensTheOwnContributionOfThePartner) {
  v1::CreateFundRequest in;
  in.set_parent(kForum);
  *in.mutable_fund() = kGrant;
  in.mutable_fund()->clear_name();
  in.mutable_fund()->set_giver("Council");
  in.mutable_fund()->set_partner(std::string(kForum) + "/partners/icb");
  const std::string funder = mini_.Token(options::FUNDER);
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Fund>(funder, in).status(), errors::INVALID_FIELD, "fund.partner"));
  in.mutable_fund()->clear_partner();
  EXPECT_EQ(Done<v1::Fund>(funder, in).partner(), kWcc);
  EXPECT_EQ(Balance("partner-wcc"), -kGrant.amount_pence());
  EXPECT_EQ(mini_.Published<events::FundOpened>(kWcc).size(), 1u);
}

TEST_P(Funds, OnlyTheTreasurerTheChairOrAFunderOpensOne) {
  v1::CreateFundRequest in;
  in.set_parent(kForum);
  for (const auto& token : {ann_, facilitator_, mini_.Token(options::VICE_CHAIR)}) {
    EXPECT_TRUE(Refused(mini_.Call<v1::Fund>(token, in).status(), errors::ROLE_NOT_ALLOWED));
  }
  EXPECT_TRUE(Refused(mini_.Call<v1::Fund>(chair_, in).status(), errors::FIELD_REQUIRED));
  EXPECT_EQ(mini_.Rows("accounts"), 0);
}

}  // namespace
}  // namespace hub::remuneration
