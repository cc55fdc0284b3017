// Not part of the change that is counted: proves that the field of field.patch is stored, comes
// back, and can be changed, with no code that knows it. touch/run puts it beside the service's
// tests in the scratch copy.
#include <gtest/gtest.h>

#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/members.pb.h"
#include "services/membership/module.h"

namespace hub::membership {
namespace {

namespace v1 = ::coproduction::membership::v1;

class TouchField : public ::testing::TestWithParam<db::Engine> {};
INSTANTIATE_TEST_SUITE_P(One, TouchField, ::testing::Values(db::Engine::kSqlite),
                         [](const auto&) { return "Sqlite"; });

TEST_P(TouchField, IsStoredAndComesBack) {
  testing::MiniService mini(MakeMembershipModule(), GetParam());
  const std::string admin = mini.Token(coproduction::options::v1::MEMBERSHIP_ADMIN);
  v1::CreateMemberRequest create;
  create.set_parent(testing::kForum);
  create.mutable_member()->set_given_name("Josephine");
  create.mutable_member()->set_family_name("Example");
  create.mutable_member()->set_joined_on("2021-05-04");
  create.mutable_member()->set_known_as("Jo");
  auto member = mini.Call<v1::Member>(admin, create);
  ASSERT_TRUE(member.ok()) << member.status();
  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(member->name());
  update.mutable_member()->set_known_as("Josie");
  update.mutable_update_mask()->add_paths("known_as");
  ASSERT_TRUE(mini.Call<v1::Member>(admin, update).ok());
  v1::GetMemberRequest get;
  get.set_name(member->name());
  EXPECT_EQ(mini.Call<v1::Member>(admin, get)->known_as(), "Josie");
  update.mutable_member()->set_known_as(std::string(81, 'x'));
  EXPECT_TRUE(testing::Refused(mini.Call<v1::Member>(admin, update).status(), errors::INVALID_FIELD,
                               "member.known_as"));
}

}  // namespace
}  // namespace hub::membership
