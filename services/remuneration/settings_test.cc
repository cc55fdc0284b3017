#include <gtest/gtest.h>

#include "coproduction/remuneration/v1/settings.pb.h"
#include "services/remuneration/mini_remuneration.h"

namespace hub::remuneration {
namespace {

class Settings : public MiniRemuneration {};
ON_BOTH_DATABASES(Settings);

TEST_P(Settings, WhatTheForumHasNotSetHasItsDefault) {
  v1::GetRemunerationSettingsRequest get;
  get.set_name(std::string(kForum) + "/remunerationSettings");
  auto defaults = Done<v1::RemunerationSettings>(treasurer_, get);
  EXPECT_EQ(defaults.mileage_threshold_miles(), 10000);
  EXPECT_EQ(defaults.nearly_spent_percent(), 90);
  v1::UpdateRemunerationSettingsRequest in;
  in.mutable_remuneration_settings()->set_name(get.name());
  in.mutable_remuneration_settings()->set_reservation_days(3);
  in.mutable_update_mask()->add_paths("reservation_days");
  EXPECT_EQ(Done<v1::RemunerationSettings>(treasurer_, in).reservation_days(), 3);
  auto now = Done<v1::RemunerationSettings>(chair_, get);
  EXPECT_EQ(now.reservation_days(), 3);
  EXPECT_EQ(now.claim_wait_days(), 180);
  OpenFund(1750000);
  EXPECT_EQ(Reserve(kAnn, "s1")->expires_on(), "2022-05-05");
  EXPECT_TRUE(testing::Refused(mini_.Call<v1::RemunerationSettings>(ann_, in).status(),
                               errors::ROLE_NOT_ALLOWED));
}

}  // namespace
}  // namespace hub::remuneration
