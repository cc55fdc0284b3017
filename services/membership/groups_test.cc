// Groups: eligibility, rosters over time, and outside systems kept in step, on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/duplicates.pb.h"
#include "coproduction/membership/v1/groups.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/rights.pb.h"
#include "services/membership/groups_rules.h"
#include "services/membership/module.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using coproduction::options::v1::FACILITATOR;
using coproduction::options::v1::MEMBER;
using coproduction::options::v1::MEMBERSHIP_ADMIN;
using coproduction::options::v1::MEMBERSHIP_PLATFORM;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kForum;
using testing::MiniService;
using testing::Refused;

v1::Member Active() {
  v1::Member member;
  member.set_state(v1::Member::ACTIVE);
  member.set_joined_on("2021-05-04");
  return member;
}

TEST(GroupsRules, EligibilityIsAllThatItSays) {
  v1::Eligibility anybody, reps, good, invited, local;
  reps.set_standing(v1::Eligibility::REP);
  good.set_standing(v1::Eligibility::REP_IN_GOOD_STANDING);
  invited.set_consent(v1::Consent::INVITATIONS);
  local.add_postcode_districts("CV21");
  Candidate jo{Active()};
  EXPECT_EQ(NotEligible(anybody, jo), "");
  EXPECT_THAT(NotEligible(reps, jo), HasSubstr("active reps"));
  jo.rep.set_state(v1::Rep::ACTIVE);
  jo.missing = "the induction is not done";
  EXPECT_EQ(NotEligible(reps, jo), "");
  EXPECT_THAT(NotEligible(good, jo), HasSubstr("the induction is not done"));
  jo.missing = "";
  EXPECT_EQ(NotEligible(good, jo), "");
  EXPECT_THAT(NotEligible(invited, jo), HasSubstr("invitations"));
  auto* consent = jo.member.add_consents();
  consent->set_purpose(v1::Consent::INVITATIONS);
  EXPECT_THAT(NotEligible(invited, jo), HasSubstr("invitations"));
  consent->set_given(true);
  EXPECT_EQ(NotEligible(invited, jo), "");
  EXPECT_THAT(NotEligible(local, jo), HasSubstr("CV21"));
  jo.member.set_postcode_district("CV21");
  EXPECT_EQ(NotEligible(local, jo), "");
  jo.member.mutable_restriction()->set_since_on("2021-09-01");
  EXPECT_NE(NotEligible(anybody, jo), "");
  jo.member.clear_restriction();
  jo.member.set_state(v1::Member::LEFT);
  EXPECT_NE(NotEligible(anybody, jo), "");
}

v1::GroupMembership Time(const std::string& member, const std::string& from,
                         const std::string& until) {
  v1::GroupMembership one;
  one.set_member(member);
  one.set_from_on(from);
  one.set_until_on(until);
  return one;
}

TEST(GroupsRules, ATimeHoldsItsFirstDayAndNotItsLast) {
  const std::vector<v1::GroupMembership> times = {Time("a", "2021-09-01", "2021-10-01"),
                                                  Time("b", "2021-10-01", ""),
                                                  Time("a", "2021-11-01", "2021-11-01")};
  auto on = [&](const std::string& date) {
    std::vector<std::string> members;
    for (const auto& one : RosterOn(times, date)) members.push_back(one.member());
    return members;
  };
  EXPECT_THAT(on("2021-08-31"), IsEmpty());
  EXPECT_THAT(on("2021-09-30"), ElementsAre("a"));
  EXPECT_THAT(on("2021-10-01"), ElementsAre("b"));
  EXPECT_THAT(on("2021-11-01"), ElementsAre("b"));
  const auto come = Without(RosterOn(times, "2021-10-01"), RosterOn(times, "2021-09-01"));
  ASSERT_EQ(come.size(), 1u);
  EXPECT_EQ(come[0].member(), "b");
}

TEST(GroupsRules, TimesOfAMemberFollowOneAnother) {
  const auto known = {Time("a", "2021-09-01", "2021-10-01")};
  EXPECT_TRUE(CheckComing(Active(), known, "2021-10-01", "2021-12-03").ok());
  EXPECT_TRUE(Refused(CheckComing(Active(), known, "2021-09-30", "2021-12-03"),
                      errors::INVALID_FIELD, "from_on"));
  EXPECT_TRUE(Refused(CheckComing(Active(), {}, "2021-05-03", "2021-12-03"), errors::INVALID_FIELD,
                      "from_on"));
  EXPECT_TRUE(Refused(CheckComing(Active(), {}, "2021-12-04", "2021-12-03"), errors::INVALID_FIELD,
                      "from_on"));
  EXPECT_TRUE(
      Refused(CheckComing(Active(), {Time("a", "2021-09-01", "")}, "2021-10-01", "2021-12-03"),
              errors::RULE_REFUSED, "in_group"));
  EXPECT_TRUE(Refused(CheckGoing(*known.begin(), "2021-10-02", "2021-12-03"), errors::RULE_REFUSED,
                      "not_in_group"));
  EXPECT_TRUE(Refused(CheckGoing(Time("a", "2021-09-01", ""), "2021-08-31", "2021-12-03"),
                      errors::INVALID_FIELD, "until_on"));
}

v1::RosterRow Row(const std::string& key, const std::string& email) {
  v1::RosterRow row;
  row.set_outside_key(key);
  row.set_email(email);
  return row;
}

Known Person(const std::string& name, const std::string& email, const std::string& key, bool in) {
  v1::Member member = Active();
  member.set_name(name);
  member.set_email(email);
  return {member, key, in};
}

TEST(GroupsRules, ARowIsALinkedAccountOrAnAddressOfOneAlone) {
  const std::vector<Known> people = {
      Person("linked", "one@example.org", "U1", true),
      Person("by-email", "Two@example.org", "", true),
      Person("not-in-group", "three@example.org", "", false),
      Person("couple-a", "home@example.org", "", true),
      Person("couple-b", "home@example.org", "", false),
      Person("missing", "", "U9", true),
  };
  const auto check = Compare(people, {Row("U2", " two@EXAMPLE.org"), Row("U3", "three@example.org"),
                                      Row("U4", "home@example.org"), Row("U5", "who@example.org"),
                                      Row("U6", "one@example.org"), Row("U7", ""),
                                      Row("U8", "two@example.org"), Row("U1", "x@example.org")});
  auto members = [](const auto& lines) {
    std::vector<std::string> found;
    for (const auto& line : lines) found.push_back(line.member());
    return found;
  };
  EXPECT_THAT(members(check.in_step()), ElementsAre("linked", "by-email"));
  EXPECT_THAT(members(check.to_remove()), ElementsAre("not-in-group"));
  EXPECT_THAT(members(check.to_add()), ElementsAre("couple-a", "missing"));
  std::vector<std::string> reasons;
  for (const auto& line : check.unknown()) {
    EXPECT_EQ(line.member(), "");
    reasons.push_back(absl::StrCat(line.row().outside_key(), ": ", line.reason()));
  }
  EXPECT_THAT(reasons, ElementsAre(HasSubstr("U4: 2 members share"), HasSubstr("U5: no member has"),
                                   HasSubstr("U6: the member with this e-mail address is linked"),
                                   HasSubstr("U7: the account is not linked"),
                                   HasSubstr("U8: another row")));
}

// Whom one adds one links; whom one removes goes: then there is nothing left to do, and the members
// in the outside system are those of the group.
TEST(GroupsRules, ApplyingTheDifferenceMakesTheRostersEqual) {
  EXPECT_TRUE(rc::check([] {
    std::vector<Known> people;
    const int size = *rc::gen::inRange(0, 12);
    for (int i = 0; i < size; ++i) {
      const int address = *rc::gen::inRange(0, 8);  // some share one, some have none
      people.push_back(Person(
          absl::StrCat("m", i), address == 0 ? "" : absl::StrCat("a", address, "@example.org"),
          *rc::gen::arbitrary<bool>() ? absl::StrCat("U", i) : "", *rc::gen::arbitrary<bool>()));
    }
    std::vector<v1::RosterRow> rows;
    const int accounts = *rc::gen::inRange(0, 16);
    for (int i = 0; i < accounts; ++i) {
      const int address = *rc::gen::inRange(0, 10), key = *rc::gen::inRange(0, 16);
      rows.push_back(Row(key == 0 ? "" : absl::StrCat("U", key),
                         address == 0 ? "" : absl::StrCat("a", address, "@example.org")));
    }
    const auto check = Compare(people, rows);
    RC_ASSERT(check.in_step_size() + check.to_remove_size() + check.unknown_size() ==
              static_cast<int>(rows.size()));

    std::vector<v1::RosterRow> after;
    for (const auto& line : check.in_step()) after.push_back(line.row());
    for (const auto& line : check.unknown()) after.push_back(line.row());
    int made = 0;
    for (const auto& line : check.to_add()) {
      for (Known& person : people) {
        if (person.member.name() != line.member()) continue;
        if (person.outside_key.empty()) person.outside_key = absl::StrCat("new", made++);
        after.push_back(Row(person.outside_key, line.row().email()));
      }
    }
    const auto again = Compare(people, after);
    RC_ASSERT(again.to_add_size() == 0);
    RC_ASSERT(again.to_remove_size() == 0);
    std::set<std::string> outside, inside;
    for (const auto& line : again.in_step()) outside.insert(line.member());
    for (const Known& person : people) {
      if (person.in_group) inside.insert(person.member.name());
    }
    RC_ASSERT(outside == inside);
  }));
}

class Groups : public ::testing::TestWithParam<db::Engine> {
 protected:
  Groups() : mini_(MakeMembershipModule(), GetParam()), admin_(mini_.Token(MEMBERSHIP_ADMIN)) {
    mini_.SetDate("2021-09-01");
    bot_ = mini_.Token(MEMBERSHIP_PLATFORM);
  }
  v1::Member Join(const std::string& name, const std::string& email = "") {
    v1::CreateMemberRequest request;
    request.set_parent(kForum);
    auto* member = request.mutable_member();
    member->set_given_name(name);
    member->set_family_name("Example");
    member->set_email(email);
    member->set_joined_on("2021-05-04");
    auto* consent = member->add_consents();
    consent->set_purpose(v1::Consent::INVITATIONS);
    consent->set_given(true);
    consent->set_wording("1");
    auto created = mini_.Call<v1::Member>(admin_, request);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? *created : v1::Member();
  }
  v1::Group Make(const v1::Eligibility& eligibility) {
    v1::CreateGroupRequest request;
    request.set_parent(kForum);
    auto* group = request.mutable_group();
    group->set_display_name("Home to school transport");
    group->set_kind(v1::Group::PANEL);
    group->set_system("slack");
    *group->mutable_eligibility() = eligibility;
    auto made = mini_.Call<v1::Group>(admin_, request);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : v1::Group();
  }
  StatusOr<v1::GroupMembership> Add(const v1::Group& group, const v1::Member& member,
                                    const std::string& from_on = "") {
    v1::AddGroupMemberRequest request;
    request.set_parent(kForum);
    request.set_group(group.name());
    request.set_member(member.name());
    request.set_from_on(from_on);
    return mini_.Call<v1::GroupMembership>(admin_, request);
  }
  StatusOr<v1::GroupMembership> Remove(const std::string& token, const std::string& name) {
    v1::RemoveGroupMemberRequest request;
    request.set_name(name);
    return mini_.Call<v1::GroupMembership>(token, request);
  }
  v1::Roster RosterOf(const v1::Group& group, const std::string& on = "",
                      const std::string& since = "") {
    v1::GetRosterRequest request;
    request.set_name(group.name());
    request.set_on_date(on);
    request.set_since_on(since);
    auto roster = mini_.Call<v1::Roster>(admin_, request);
    EXPECT_TRUE(roster.ok()) << roster.status();
    return roster.ok() ? *roster : v1::Roster();
  }
  static std::set<std::string> Members(
      const google::protobuf::RepeatedPtrField<v1::GroupMembership>& times) {
    std::set<std::string> members;
    for (const auto& one : times) members.insert(one.member());
    return members;
  }
  std::vector<events::GroupMembershipChanged> Told() {
    return mini_.Published<events::GroupMembershipChanged>(kForum);
  }
  Status Link(const v1::Member& member, const std::string& key) {
    v1::LinkOutsideAccountRequest request;
    request.set_parent(kForum);
    request.mutable_outside_account()->set_member(member.name());
    request.mutable_outside_account()->set_system("slack");
    request.mutable_outside_account()->set_outside_key(key);
    return mini_.Call<v1::OutsideAccount>(bot_, request).status();
  }
  StatusOr<v1::RosterCheck> Check(const v1::Group& group, const std::vector<v1::RosterRow>& rows) {
    v1::CheckRosterRequest request;
    request.set_name(group.name());
    for (const auto& row : rows) *request.add_rows() = row;
    return mini_.Call<v1::RosterCheck>(bot_, request);
  }

  MiniService mini_;
  std::string admin_, bot_;
};

ON_BOTH_DATABASES(Groups);

TEST_P(Groups, TheRosterOfAnyDayAndTheDifferenceOfTwoAreHad) {
  const auto group = Make({});
  const auto ash = Join("Ash"), bo = Join("Bo"), cam = Join("Cam");
  const auto first = Add(group, ash, "2021-06-01");
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(Add(group, bo).ok());
  EXPECT_TRUE(Refused(Add(group, bo).status(), errors::RULE_REFUSED, "in_group"));
  mini_.SetDate("2021-10-01");
  ASSERT_TRUE(Add(group, cam).ok());
  ASSERT_TRUE(Remove(admin_, first->name()).ok());
  EXPECT_TRUE(
      Refused(Remove(admin_, first->name()).status(), errors::RULE_REFUSED, "not_in_group"));
  EXPECT_EQ(Members(RosterOf(group).group_memberships()), (std::set{bo.name(), cam.name()}));
  EXPECT_EQ(Members(RosterOf(group, "2021-08-31").group_memberships()), (std::set{ash.name()}));
  const auto between = RosterOf(group, "2021-10-01", "2021-09-30");
  EXPECT_EQ(Members(between.come()), (std::set{cam.name()}));
  EXPECT_EQ(Members(between.gone()), (std::set{ash.name()}));
  ASSERT_TRUE(Add(group, ash).ok());  // comes back on the day of leaving
  EXPECT_EQ(RosterOf(group).group_memberships_size(), 3);
  ASSERT_EQ(Told().size(), 5u);
  EXPECT_EQ(Told()[3].group(), group.name());
  EXPECT_EQ(Told()[3].member(), ash.name());
  EXPECT_EQ(Told()[3].until_on(), "2021-10-01");
}

TEST_P(Groups, WhoLeavesTheForumLeavesItsGroupsAndTheBotHearsIt) {
  const auto group = Make({});
  const auto leaves = Join("Ash"), erased = Join("Bo"), stored = Join("Cam"), stays = Join("Di");
  for (const auto& one : {leaves, erased, stored, stays}) ASSERT_TRUE(Add(group, one).ok());
  v1::LeaveMemberRequest leave;
  leave.set_name(leaves.name());
  ASSERT_TRUE(mini_.Call<v1::Member>(admin_, leave).ok());
  for (const auto& [member, kind] : {std::pair{erased, v1::RightsRequest::ERASURE},
                                     std::pair{stored, v1::RightsRequest::RESTRICTION}}) {
    v1::CreateRightsRequestRequest create;
    create.set_parent(kForum);
    create.set_member(member.name());
    create.set_kind(kind);
    if (kind == v1::RightsRequest::RESTRICTION) {
      create.set_ground(v1::Restriction::ACCURACY_CONTESTED);
    }
    auto request = mini_.Call<v1::RightsRequest>(admin_, create);
    ASSERT_TRUE(request.ok()) << request.status();
    v1::CompleteRightsRequestRequest complete;
    complete.set_name(request->name());
    complete.set_outcome("as asked");
    ASSERT_TRUE(mini_.Call<v1::RightsRequest>(admin_, complete).ok());
  }
  mini_.SetDate("2021-09-01");  // the timers of the moment
  EXPECT_EQ(Members(RosterOf(group).group_memberships()), (std::set{stays.name()}));
  ASSERT_EQ(Told().size(), 7u);
  std::set<std::string> gone;
  for (size_t i = 4; i < 7; ++i) {
    EXPECT_EQ(Told()[i].until_on(), "2021-09-01");
    gone.insert(Told()[i].member());
  }
  EXPECT_EQ(gone, (std::set{leaves.name(), erased.name(), stored.name()}));
  EXPECT_TRUE(Refused(Add(group, leaves).status(), errors::RULE_REFUSED, "not_eligible"));
}

TEST_P(Groups, WhoIsNotEligibleAnyMoreLeavesTheDayAfter) {
  v1::Eligibility invited;
  invited.set_consent(v1::Consent::INVITATIONS);
  const auto group = Make(invited);
  const auto ash = Join("Ash"), bo = Join("Bo");
  ASSERT_TRUE(Add(group, ash).ok());
  ASSERT_TRUE(Add(group, bo).ok());
  mini_.SetDate("2021-09-02");
  v1::SetConsentRequest set;
  set.set_name(ash.name());
  set.mutable_consent()->set_purpose(v1::Consent::INVITATIONS);
  ASSERT_TRUE(mini_.Call<v1::Member>(admin_, set).ok());
  mini_.SetDate("2021-09-03");
  EXPECT_EQ(Members(RosterOf(group).group_memberships()), (std::set{bo.name()}));
  EXPECT_EQ(Told().back().member(), ash.name());
  EXPECT_EQ(Told().back().until_on(), "2021-09-03");

  v1::UpdateGroupRequest update;
  *update.mutable_group() = group;
  update.mutable_group()->clear_etag();
  update.mutable_group()->mutable_eligibility()->set_standing(v1::Eligibility::REP);
  update.mutable_update_mask()->add_paths("eligibility");
  ASSERT_TRUE(mini_.Call<v1::Group>(admin_, update).ok());
  mini_.SetDate("2021-09-04");
  EXPECT_EQ(RosterOf(group).group_memberships_size(), 0);
}

TEST_P(Groups, AnOutsideRosterIsKeptInStep) {
  const auto group = Make({});
  const auto ash = Join("Ash", "ash@example.org"), bo = Join("Bo", "home@example.org"),
             cam = Join("Cam", "home@example.org"), di = Join("Di", "di@example.org");
  for (const auto& one : {ash, bo, di}) ASSERT_TRUE(Add(group, one).ok());
  ASSERT_TRUE(Link(bo, "U-bo").ok());
  EXPECT_TRUE(Refused(Link(cam, "U-bo"), errors::RULE_REFUSED, "account_linked"));
  auto check = Check(
      group, {Row("U-ash", "Ash@example.org"), Row("U-bo", ""), Row("U-cam", "home@example.org")});
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_EQ(check->in_step_size(), 2);
  ASSERT_EQ(check->to_add_size(), 1);
  EXPECT_EQ(check->to_add(0).member(), di.name());
  EXPECT_EQ(check->to_add(0).row().email(), "di@example.org");
  EXPECT_EQ(check->to_add(0).row().display_name(), "Di Example");
  ASSERT_EQ(check->unknown_size(), 1);
  EXPECT_THAT(check->unknown(0).reason(), HasSubstr("2 members share"));
  ASSERT_TRUE(Link(cam, "U-cam").ok());
  check = Check(group, {Row("U-cam", "home@example.org")});
  ASSERT_EQ(check->to_remove_size(), 1);
  EXPECT_EQ(check->to_remove(0).member(), cam.name());
  ASSERT_TRUE(Link(cam, "").ok());
  EXPECT_TRUE(Link(ash, "U-cam").ok());

  std::vector<v1::RosterRow> many(2000, Row("U-x", ""));
  EXPECT_TRUE(Check(group, many).ok());
  many.push_back(Row("U-x", ""));
  EXPECT_TRUE(Refused(Check(group, many).status(), errors::INVALID_FIELD, "rows"));
}

TEST_P(Groups, WhoIsKeptOfTwoIsInTheGroupsOfBothUntilThatIsUndone) {
  const auto panel = Make({}), both = Make({});
  const auto kept = Join("Ash"), other = Join("Ash");
  ASSERT_TRUE(Add(panel, other).ok());
  ASSERT_TRUE(Add(both, other).ok());
  const auto own = Add(both, kept);
  ASSERT_TRUE(own.ok());
  ASSERT_TRUE(Link(other, "U1").ok());
  mini_.SetDate("2021-10-01");
  v1::MergeMembersRequest merge;
  merge.set_parent(kForum);
  merge.set_kept(kept.name());
  merge.set_member(other.name());
  const auto merged = mini_.Call<v1::Duplicate>(admin_, merge);
  ASSERT_TRUE(merged.ok()) << merged.status();
  for (const auto& group : {panel, both}) {
    EXPECT_EQ(Members(RosterOf(group).group_memberships()), (std::set{kept.name()}));
  }
  v1::RosterRow row;
  row.set_outside_key("U1");
  auto check = Check(panel, {row});
  ASSERT_TRUE(check.ok());
  ASSERT_EQ(check->in_step_size(), 1) << "the account is the person's";
  EXPECT_EQ(check->in_step(0).member(), kept.name());

  v1::UndoMergeRequest undo;
  undo.set_name(merged->name());
  ASSERT_TRUE(mini_.Call<v1::Duplicate>(admin_, undo).ok());
  EXPECT_EQ(Members(RosterOf(panel).group_memberships()), (std::set{other.name()}));
  EXPECT_EQ(Members(RosterOf(both).group_memberships()), (std::set{kept.name(), other.name()}));

  ASSERT_TRUE(mini_.Call<v1::Duplicate>(admin_, merge).ok());
  mini_.SetDate("2022-01-10");
  check = Check(panel, {row});
  ASSERT_TRUE(check.ok());
  ASSERT_EQ(check->in_step_size(), 1) << "also after the other entry is erased";
  EXPECT_EQ(check->in_step(0).member(), kept.name());
}

TEST_P(Groups, AMemberLeavesTheOwnGroupsAlone) {
  const auto group = Make({});
  const auto ash = Join("Ash"), bo = Join("Bo");
  const auto its = Add(group, ash), others = Add(group, bo);
  ASSERT_TRUE(its.ok() && others.ok());
  const std::string own = mini_.Token(MEMBER, IdOf(ash.name()));
  EXPECT_TRUE(Refused(Remove(own, others->name()).status(), errors::RESOURCE_NOT_FOUND));
  EXPECT_TRUE(Remove(own, its->name()).ok());
  v1::ListGroupMembershipsRequest list;
  list.set_parent(kForum);
  auto seen = mini_.Call<v1::ListGroupMembershipsResponse>(own, list);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(Members(seen->group_memberships()), (std::set{ash.name()}));
  EXPECT_TRUE(
      Refused(mini_.Call<v1::ListGroupMembershipsResponse>(mini_.Token(FACILITATOR), list).status(),
              errors::ROLE_NOT_ALLOWED));
}

}  // namespace
}  // namespace hub::membership
