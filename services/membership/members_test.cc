// Members: rules, and the handlers on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/mini_service.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/settings.pb.h"
#include "services/membership/members_rules.h"
#include "services/membership/module.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using coproduction::options::v1::CASE_SYSTEM;
using coproduction::options::v1::CHAIR;
using coproduction::options::v1::FACILITATOR;
using coproduction::options::v1::MEMBER;
using coproduction::options::v1::MEMBERSHIP_ADMIN;
using coproduction::options::v1::MEMBERSHIP_PLATFORM;
using MemberErased = ::coproduction::hub::events::v1::MemberErased;
using testing::kForum;
using testing::MiniService;
using testing::Refused;

v1::Member Jo() {
  v1::Member member;
  member.set_given_name("Jo");
  member.set_family_name("Example");
  member.set_email("jo@example.org");
  member.set_residence(v1::Member::LIVES_HERE);
  member.set_reach_by(v1::Member::EMAIL);
  member.set_joined_on("2021-05-04");
  return member;
}

TEST(MembersRules, NobodyJoinsInTheFutureOrCannotBeReached) {
  EXPECT_TRUE(CheckMember(Jo(), {}, "2021-07-31").ok());
  EXPECT_TRUE(
      Refused(CheckMember(Jo(), {}, "2021-05-03"), errors::INVALID_FIELD, "member.joined_on"));
  v1::Member silent = Jo();
  silent.clear_email();
  EXPECT_TRUE(
      Refused(CheckMember(silent, {}, "2021-07-31"), errors::INVALID_FIELD, "member.email"));
  v1::Member left = Jo();
  EXPECT_TRUE(Refused(CheckLeaving(left, "2021-05-03", "2021-07-31"), errors::INVALID_FIELD));
  left.set_left_on("2021-06-01");
  EXPECT_TRUE(Refused(CheckRejoining(left, "2021-05-31", "2021-07-31"), errors::INVALID_FIELD));
}

TEST(MembersRules, OfWhoComesTogetherOnlyWhatEachMayKnowIsSaid) {
  const auto say = [](v1::Member* member, bool given) {
    auto* consent = member->add_consents();
    consent->set_purpose(v1::Consent::FIRST_NAME);
    consent->set_given(given);
  };
  v1::Member open = Jo(), shy = Jo(), other = Jo(), stored = Jo();
  say(&open, true);
  say(&shy, false);
  say(&stored, true);
  open.set_format("large print");
  other.set_format("large print");
  stored.set_format("audio");
  stored.mutable_restriction()->set_since_on("2021-07-01");
  const auto told = AttendeesOf({open, shy, other, stored, v1::Member()});
  EXPECT_THAT(told.first_names(), ::testing::ElementsAre("Jo"));
  EXPECT_EQ(told.others(), 4);
  ASSERT_EQ(told.provisions_size(), 1);
  EXPECT_EQ(told.provisions(0).format(), "large print");
  EXPECT_EQ(told.provisions(0).people(), 2);
}

TEST(MembersRules, WhoSaidNothingHasNotSaidNo) {
  v1::Member member = Jo();
  EXPECT_FALSE(SaidNo(member, v1::Consent::INVITATIONS));
  auto* consent = member.add_consents();
  consent->set_purpose(v1::Consent::INVITATIONS);
  EXPECT_TRUE(SaidNo(member, v1::Consent::INVITATIONS));
  EXPECT_FALSE(SaidNo(member, v1::Consent::NEWS));
  consent->set_given(true);
  EXPECT_FALSE(SaidNo(member, v1::Consent::INVITATIONS));
  member.add_objections()->set_purpose(v1::Consent::INVITATIONS);
  EXPECT_TRUE(SaidNo(member, v1::Consent::INVITATIONS));
}

class Members : public ::testing::TestWithParam<db::Engine> {
 protected:
  Members() : mini_(MakeMembershipModule(), GetParam()) {
    mini_.SetDate("2021-07-31");
    admin_ = mini_.Token(MEMBERSHIP_ADMIN);
  }
  v1::CreateMemberRequest Request(const v1::Member& member) {
    v1::CreateMemberRequest request;
    request.set_parent(kForum);
    *request.mutable_member() = member;
    return request;
  }
  v1::Member Create(const v1::Member& member) {
    auto created = mini_.Call<v1::Member>(admin_, Request(member));
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? *created : v1::Member();
  }
  StatusOr<v1::Member> Get(const std::string& token, const std::string& name) {
    v1::GetMemberRequest request;
    request.set_name(name);
    return mini_.Call<v1::Member>(token, request);
  }
  int Count(const std::string& on) {
    v1::GetMembershipFiguresRequest request;
    request.set_parent(kForum);
    request.set_from(on);
    request.set_to(on);
    request.set_membership_from(on);
    auto figures = mini_.Call<v1::MembershipFigures>(admin_, request);
    EXPECT_TRUE(figures.ok()) << figures.status();
    return figures.ok() ? figures->members_start() : -1;
  }

  MiniService mini_;
  std::string admin_;
};

ON_BOTH_DATABASES(Members);

TEST_P(Members, JoinIsOneRowOneJournalRowAndOneEventEach) {
  v1::Member member = Create(Jo());
  EXPECT_EQ(member.state(), v1::Member::ACTIVE);
  EXPECT_EQ(member.etag(), "\"1\"");
  EXPECT_EQ(mini_.Rows("members"), 1);
  EXPECT_EQ(mini_.Rows("journal"), 1);
  ASSERT_EQ(mini_.Published<events::MemberJoined>().size(), 1u);
  EXPECT_EQ(mini_.Published<events::MemberJoined>("forums/warwickshire")[0].member(),
            member.name());
  EXPECT_TRUE(mini_.Events("forums/warwickshire/partners/wcc").empty());
}

TEST_P(Members, AResendIsAnsweredByteByByteAndAChangedBodyRefused) {
  auto request = Request(Jo());
  request.set_request_id("one");
  auto first = mini_.Call<v1::Member>(admin_, request);
  auto again = mini_.Call<v1::Member>(admin_, request);
  ASSERT_TRUE(first.ok() && again.ok()) << again.status();
  EXPECT_EQ(first->SerializeAsString(), again->SerializeAsString());
  EXPECT_EQ(mini_.Rows("members"), 1);
  request.mutable_member()->set_given_name("Another");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, request).status(), errors::REQUEST_ID_REUSED));
  // Another principal's same id is another key.
  auto other = mini_.Call<v1::Member>(
      mini_.Token(MEMBERSHIP_ADMIN, "0190a5f2-7b1c-7e4e-8a43-0242ac120002"), request);
  EXPECT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(mini_.Rows("members"), 2);
}

TEST_P(Members, BadInputIsNamedAndLeavesNothing) {
  v1::Member nameless = Jo();
  nameless.clear_given_name();
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, Request(nameless)).status(),
                      errors::FIELD_REQUIRED, "member.given_name"));
  v1::Member odd = Jo();
  odd.set_email("no address");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, Request(odd)).status(), errors::INVALID_FIELD,
                      "member.email"));
  v1::Member day = Jo();
  day.set_joined_on("31/07/2021");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, Request(day)).status(), errors::INVALID_FIELD,
                      "member.joined_on"));
  EXPECT_EQ(mini_.Rows("journal"), 0);
  EXPECT_EQ(mini_.Rows("keys"), 0);
}

TEST_P(Members, ValidateOnlyAnswersAndLeavesNothing) {
  auto request = Request(Jo());
  request.set_request_id("checked");
  request.set_validate_only(true);
  auto checked = mini_.Call<v1::Member>(admin_, request);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->state(), v1::Member::ACTIVE);
  EXPECT_EQ(
      mini_.Rows("members") + mini_.Rows("keys") + mini_.Rows("journal") + mini_.Rows("payloads"),
      0);
  request.set_validate_only(false);
  EXPECT_TRUE(mini_.Call<v1::Member>(admin_, request).ok());
  EXPECT_EQ(mini_.Rows("members"), 1);
}

TEST_P(Members, OnlyTheOwnForumSeesAMember) {
  v1::Member member = Create(Jo());
  EXPECT_TRUE(
      Refused(Get(mini_.Token(FACILITATOR), member.name()).status(), errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(
      Refused(Get(mini_.Token(CASE_SYSTEM), member.name()).status(), errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(
      Refused(Get(mini_.StrangerToken(), member.name()).status(), errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(Refused(Get("", member.name()).status(), errors::UNAUTHENTICATED));
  EXPECT_TRUE(Get(mini_.Token(CHAIR), member.name()).ok());
  // A member sees the own record, and another's looks like a missing one.
  EXPECT_TRUE(Get(mini_.Token(MEMBER, IdOf(member.name())), member.name()).ok());
  auto other = Get(mini_.Token(MEMBER, "0190a5f2-7b1c-7e4e-8a43-0242ac120002"), member.name());
  EXPECT_TRUE(Refused(other.status(), errors::RESOURCE_NOT_FOUND));
}

TEST_P(Members, OfManyUpdatesWithOneEtagOneSucceeds) {
  v1::Member member = Create(Jo());
  v1::UpdateMemberRequest update;
  *update.mutable_member() = member;
  update.mutable_update_mask()->add_paths("phone");
  int done = 0, stale = 0;
  for (int i = 0; i < 5; ++i) {
    update.mutable_member()->set_phone("07700 90000" + std::to_string(i));
    auto changed = mini_.Call<v1::Member>(admin_, update);
    changed.ok() ? ++done : ++stale;
    if (changed.ok()) continue;
    EXPECT_TRUE(Refused(changed.status(), errors::ETAG_MISMATCH));
  }
  EXPECT_EQ(done, 1);
  EXPECT_EQ(stale, 4);
  update.mutable_member()->clear_etag();
  update.mutable_update_mask()->add_paths("joined_on");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, update).status(), errors::FIELD_READ_ONLY,
                      "joined_on"));
}

TEST_P(Members, CountsAsOfAnyDateComeFromHistory) {
  v1::Member member = Create(Jo());
  EXPECT_EQ(Count("2021-05-03"), 0);
  EXPECT_EQ(Count("2021-05-04"), 1);
  mini_.SetDate("2021-09-01");
  v1::LeaveMemberRequest leave;
  leave.set_name(member.name());
  ASSERT_TRUE(mini_.Call<v1::Member>(admin_, leave).ok());
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, leave).status(), errors::STATE_NOT_ALLOWED));
  mini_.SetDate("2021-10-01");
  v1::RejoinMemberRequest back;
  back.set_name(member.name());
  ASSERT_TRUE(mini_.Call<v1::Member>(admin_, back).ok());
  EXPECT_EQ(Count("2021-08-31"), 1);
  EXPECT_EQ(Count("2021-09-01"), 0);
  EXPECT_EQ(Count("2021-10-01"), 1);
  EXPECT_EQ(mini_.Published<events::MemberLeft>().size(), 1u);
}

TEST_P(Members, PagesCoverAllOnceAndATokenServesOnlyItsList) {
  for (int i = 0; i < 7; ++i) Create(Jo());
  v1::ListMembersRequest list;
  list.set_parent(kForum);
  list.set_page_size(3);
  std::set<std::string> seen;
  int pages = 0;
  std::string token;
  do {
    list.set_page_token(token);
    auto page = mini_.Call<v1::ListMembersResponse>(admin_, list);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& member : page->members()) EXPECT_TRUE(seen.insert(member.name()).second);
    if (pages == 0) {
      v1::ListMembersRequest other = list;
      other.set_page_token(page->next_page_token());
      other.set_filter("state = \"ACTIVE\"");
      EXPECT_TRUE(Refused(mini_.Call<v1::ListMembersResponse>(admin_, other).status(),
                          errors::PAGE_TOKEN_INVALID));
    }
    token = page->next_page_token();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(pages, 3);
  list.clear_page_token();
  list.set_filter("email = \"jo@example.org\"");
  EXPECT_TRUE(
      Refused(mini_.Call<v1::ListMembersResponse>(admin_, list).status(), errors::FILTER_INVALID));
}

TEST_P(Members, AnApplicationIsConfirmedOnceByItsTokenAndCountsFromThen) {
  v1::ApplyMemberRequest apply;
  apply.set_parent(kForum);
  *apply.mutable_member() = Jo();
  apply.mutable_member()->clear_joined_on();
  auto applied = mini_.Call<v1::ApplyMemberResponse>(mini_.Token(MEMBERSHIP_PLATFORM), apply);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->member().state(), v1::Member::APPLIED);
  EXPECT_EQ(applied->confirm_by(), "2021-08-14");
  EXPECT_EQ(Count("2021-07-31"), 0);
  EXPECT_EQ(mini_.Rows("confirmations WHERE token_hash = '" + applied->confirmation_token() + "'"),
            0);
  v1::ConfirmMemberRequest confirm;
  confirm.set_name(applied->member().name());
  confirm.set_confirmation_token("a guess");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, confirm).status(), errors::INVALID_FIELD,
                      "confirmation_token"));
  confirm.set_confirmation_token(applied->confirmation_token());
  mini_.SetDate("2021-08-14");
  auto joined = mini_.Call<v1::Member>(admin_, confirm);
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(joined->state(), v1::Member::ACTIVE);
  EXPECT_EQ(joined->joined_on(), "2021-08-14");
  EXPECT_EQ(Count("2021-08-13"), 0);
  EXPECT_EQ(Count("2021-08-14"), 1);
  EXPECT_EQ(mini_.Published<events::MemberJoined>().size(), 1u);
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, confirm).status(), errors::STATE_NOT_ALLOWED));
}

TEST_P(Members, AnApplicationThatNobodyConfirmsIsErased) {
  v1::ApplyMemberRequest apply;
  apply.set_parent(kForum);
  *apply.mutable_member() = Jo();
  auto applied = mini_.Call<v1::ApplyMemberResponse>(admin_, apply);
  ASSERT_TRUE(applied.ok()) << applied.status();
  mini_.SetDate("2021-08-14");
  EXPECT_TRUE(mini_.Published<MemberErased>().empty());
  mini_.SetDate("2021-08-15");
  ASSERT_EQ(mini_.Published<MemberErased>().size(), 1u);
  EXPECT_EQ(Get(admin_, applied->member().name())->state(), v1::Member::ERASED);
  EXPECT_EQ(mini_.Rows("confirmations"), 0);
  EXPECT_EQ(Count("2021-08-15"), 0);
  v1::ConfirmMemberRequest confirm;
  confirm.set_name(applied->member().name());
  confirm.set_confirmation_token(applied->confirmation_token());
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, confirm).status(), errors::STATE_NOT_ALLOWED));
}

TEST_P(Members, WhoLivesHereLivesInTheArea) {
  v1::UpdateMembershipSettingsRequest settings;
  settings.mutable_membership_settings()->set_name("forums/warwickshire/membershipSettings");
  settings.mutable_membership_settings()->add_postcode_districts("CV34");
  settings.mutable_update_mask()->add_paths("postcode_districts");
  auto set = mini_.Call<v1::MembershipSettings>(mini_.Token(CHAIR), settings);
  ASSERT_TRUE(set.ok()) << set.status();
  v1::Member far = Jo();
  far.set_postcode_district("LS1");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, Request(far)).status(), errors::INVALID_FIELD,
                      "member.postcode_district"));
  far.set_residence(v1::Member::USES_SERVICES_HERE);
  EXPECT_TRUE(mini_.Call<v1::Member>(admin_, Request(far)).ok());
}

TEST_P(Members, AConsentNamesTheWordingThatWasRead) {
  v1::Member member = Jo();
  auto* consent = member.add_consents();
  consent->set_purpose(v1::Consent::NEWS);
  consent->set_given(true);
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, Request(member)).status(),
                      errors::INVALID_FIELD, "member.consents.wording"));
  consent->set_wording("2021-1");
  const v1::Member joined = Create(member);
  EXPECT_EQ(joined.consents(0).wording(), "2021-1");
  v1::SetConsentRequest set;
  set.set_name(joined.name());
  set.mutable_consent()->set_purpose(v1::Consent::SURVEYS);
  set.mutable_consent()->set_given(true);
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, set).status(), errors::INVALID_FIELD,
                      "consent.wording"));
  set.mutable_consent()->set_given(false);
  EXPECT_TRUE(mini_.Call<v1::Member>(admin_, set).ok()) << "a refusal needs none";
}

TEST_P(Members, ACountIsHadAgainAsItWasKnown) {
  Create(Jo());
  mini_.SetDate("2021-08-10");
  Create(Jo());  // joined in May, and was entered in August
  v1::GetMembershipFiguresRequest request;
  request.set_parent(kForum);
  request.set_from("2021-04-30");
  request.set_to("2021-07-31");
  request.set_membership_from("2021-04-30");
  auto now = mini_.Call<v1::MembershipFigures>(admin_, request);
  ASSERT_TRUE(now.ok()) << now.status();
  EXPECT_EQ(now->members_end(), 2);
  EXPECT_EQ(now->members_joined(), 2);
  request.set_known_on("2021-08-09");
  auto then = mini_.Call<v1::MembershipFigures>(admin_, request);
  EXPECT_EQ(then->members_end(), 1);
  EXPECT_EQ(then->members_joined(), 1);
}

}  // namespace
}  // namespace hub::membership
