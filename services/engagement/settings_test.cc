#include "coproduction/engagement/v1/settings.pb.h"

#include <gtest/gtest.h>

#include "services/engagement/mini_engagement.h"

namespace hub::engagement {
namespace {

using testing::Refused;

class Settings : public MiniEngagement {};
ON_BOTH_DATABASES(Settings);

TEST_P(Settings, AreTheForumsWithTheSchemasDefaults) {
  auto get = Named<v1::GetEngagementSettingsRequest>("engagementSettings");
  auto settings = Done<v1::EngagementSettings>(chair_, get);
  EXPECT_EQ(settings.influence_days(), 60);
  EXPECT_EQ(settings.draft_working_days(), 5);
  v1::UpdateEngagementSettingsRequest update;
  update.mutable_settings()->set_name(get.name());
  update.mutable_settings()->set_influence_days(30);
  update.mutable_update_mask()->add_paths("influence_days");
  for (int64_t days : {30, 45}) {  // made, then changed
    update.mutable_settings()->set_influence_days(days);
    EXPECT_EQ(Done<v1::EngagementSettings>(chair_, update).influence_days(), days);
  }
  EXPECT_EQ(Done<v1::EngagementSettings>(chair_, get).share_working_days(), 10);
  ASSERT_TRUE(Present("7").ok());
  EXPECT_EQ(AccountNow("7").due_on(), "2022-01-17");
  update.mutable_settings()->set_influence_days(0);
  EXPECT_TRUE(Refused(mini_.Call<v1::EngagementSettings>(chair_, update).status(),
                      errors::INVALID_FIELD, "settings.influence_days"));
  EXPECT_TRUE(Refused(mini_.Call<v1::EngagementSettings>(facilitator_, update).status(),
                      errors::ROLE_NOT_ALLOWED));
}

}  // namespace
}  // namespace hub::engagement
