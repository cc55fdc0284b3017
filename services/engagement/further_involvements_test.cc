#include "services/engagement/further_involvements_rules.h"

#include <gtest/gtest.h>

#include "coproduction/engagement/events/v1/further_involvements.pb.h"
#include "services/engagement/mini_engagement.h"

namespace hub::engagement {
namespace {

namespace events = ::coproduction::engagement::events::v1;
using testing::Refused;

TEST(FurtherInvolvement, IsDecidedOnAnItemThatWasPresented) {
  v1::DecideFurtherInvolvementRequest in;
  in.set_parent("forums/w");
  in.set_item("forums/w/items/1");
  EXPECT_EQ(ErrorInfoOf(MayDecide(in, {})).metadata().at("rule"), "not_presented");
  EXPECT_TRUE(MayDecide(in, v1::InfluenceAccount()).ok());
  in.set_parent("forums/other");
  EXPECT_FALSE(MayDecide(in, v1::InfluenceAccount()).ok());
}

TEST(FurtherInvolvement, LinksTheItemItsRequestAndItsAccount) {
  v1::InfluenceAccount account;
  account.set_name("forums/w/influenceAccounts/1");
  account.set_item("forums/w/items/1");
  account.set_request("forums/w/requests/1");
  account.set_session("forums/w/sessions/1");
  account.set_session_date("2021-12-03");
  account.set_title("Exclusion film");
  v1::DecideFurtherInvolvementRequest in;
  in.set_item("forums/w/items/1");
  in.set_decision(v1::FurtherInvolvement::CO_DESIGN);
  in.set_wish("the script, before filming");
  auto decision = NewFurtherInvolvement(in, account, "2021-12-06");
  EXPECT_EQ(decision.request(), "forums/w/requests/1");
  EXPECT_EQ(decision.influence_account(), "forums/w/influenceAccounts/1");
  EXPECT_EQ(decision.title(), "Exclusion film");
  EXPECT_EQ(decision.decision(), v1::FurtherInvolvement::CO_DESIGN);
  EXPECT_EQ(decision.wish(), "the script, before filming");
  EXPECT_EQ(decision.decided_on(), "2021-12-06");
}

class FurtherInvolvements : public MiniEngagement {};
ON_BOTH_DATABASES(FurtherInvolvements);

TEST_P(FurtherInvolvements, AreDecidedByTheForumOncePerItem) {
  v1::DecideFurtherInvolvementRequest decide;
  decide.set_parent(testing::kForum);
  decide.set_item(Name("items/7"));
  decide.set_decision(v1::FurtherInvolvement::RETURN);
  EXPECT_TRUE(Refused(mini_.Call<v1::FurtherInvolvement>(chair_, decide).status(),
                      errors::RULE_REFUSED, "not_presented"));
  ASSERT_TRUE(Present("7").ok());
  EXPECT_TRUE(Refused(mini_.Call<v1::FurtherInvolvement>(facilitator_, decide).status(),
                      errors::ROLE_NOT_ALLOWED));
  auto decision = Done<v1::FurtherInvolvement>(chair_, decide);
  EXPECT_EQ(decision.name(), Name("furtherInvolvements/7"));
  decide.set_decision(v1::FurtherInvolvement::NONE);
  EXPECT_TRUE(Refused(mini_.Call<v1::FurtherInvolvement>(chair_, decide).status(),
                      errors::RESOURCE_EXISTS));
  auto told = mini_.Published<events::FurtherInvolvementDecided>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].further_involvement(), decision.name());
  EXPECT_EQ(told[0].request(), Name("requests/7"));
  EXPECT_EQ(told[0].influence_account(), Name("influenceAccounts/7"));
  EXPECT_EQ(told[0].decision(), v1::FurtherInvolvement::RETURN);
  EXPECT_EQ(mini_.Published<events::FurtherInvolvementDecided>(Name("partners/wcc")).size(), 1u);
}

}  // namespace
}  // namespace hub::engagement
