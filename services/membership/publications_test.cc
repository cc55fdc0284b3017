// Figures on what members say of themselves: questions and words, and the figures of a forum on
// both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/rights.pb.h"
#include "services/membership/module.h"
#include "services/membership/publications_rules.h"

namespace hub::membership {
namespace {

using coproduction::options::v1::CHAIR;
using coproduction::options::v1::FACILITATOR;
using coproduction::options::v1::MEMBER;
using coproduction::options::v1::MEMBERSHIP_ADMIN;
using coproduction::options::v1::OPERATOR;
using ::testing::HasSubstr;
using testing::kForum;
using testing::MiniService;
using v1::Publication;

TEST(PublicationsRules, WhatIsNoAnswer) {
  v1::MemberCharacteristics said;
  for (const auto question : Questions()) {
    EXPECT_EQ(AnswerTo(question, said), Answered::kNothing);
  }
  for (const auto none : {v1::NOT_ASKED, v1::NOT_ANSWERED, v1::PREFER_NOT_TO_SAY}) {
    said.set_disability(none);
    EXPECT_EQ(AnswerTo(Publication::DISABILITY, said), Answered::kNothing);
  }
  said.set_disability(v1::NO);
  EXPECT_EQ(AnswerTo(Publication::DISABILITY, said), Answered::kUncounted);
  said.set_disability(v1::YES);
  EXPECT_EQ(AnswerTo(Publication::DISABILITY, said), Answered::kCounted);
  said.set_gender("prefer not to say");
  EXPECT_EQ(AnswerTo(Publication::GENDER, said), Answered::kNothing);
  said.set_gender(" Male");
  EXPECT_EQ(AnswerTo(Publication::GENDER, said), Answered::kCounted);
  said.set_gender("non-binary");
  EXPECT_EQ(AnswerTo(Publication::GENDER, said), Answered::kUncounted);
  said.set_ethnicity("White British");
  EXPECT_EQ(AnswerTo(Publication::ETHNICITY, said), Answered::kUncounted);
  said.set_ethnicity("Gypsy or Irish Traveller");
  EXPECT_EQ(AnswerTo(Publication::ETHNICITY, said), Answered::kCounted);
}

TEST(PublicationsRules, TheCalendar) {
  EXPECT_EQ(LastOnCalendar("2022-06-14"), "2022-04-01");
  EXPECT_EQ(LastOnCalendar("2022-07-01"), "2022-07-01");
  EXPECT_EQ(NextOnCalendar("2022-07-01"), "2022-10-01");
  EXPECT_EQ(NextOnCalendar("2022-12-31"), "2023-01-01");
}

TEST(PublicationsRules, Words) {
  const Row row = *NextRow(kForumMeasure, {}, "2022-07-01", {254, {254}}, {61});
  const Publication figure = PublicationOf(Publication::DISABILITY, row, 1, "");
  EXPECT_EQ(figure.text(),
            "1 July 2022: about 60 of about 255 members who answered (24%) say that they are "
            "disabled.");
  const Row small = *NextRow(kForumMeasure, {}, "2022-07-01", {140, {140}}, {6});
  EXPECT_EQ(PublicationOf(Publication::GENDER, small, 1, "").text(),
            "1 July 2022: fewer than 8 of about 140 members who answered say that they are men; "
            "over 90% gave another answer.");
}

TEST(PublicationsRules, AnEditedRowBreaksTheChain) {
  std::vector<Publication> rows;
  for (int64_t number = 1; number <= 3; ++number) {
    const Row row = *NextRow(kForumMeasure, {}, "2022-07-01", {100, {100}}, {40 + number});
    rows.push_back(PublicationOf(Publication::DISABILITY, row, number,
                                 rows.empty() ? "" : rows.back().hash()));
  }
  EXPECT_EQ(BrokenAt(rows), std::nullopt);
  rows[1].set_high(rows[1].high() + 1);
  EXPECT_EQ(BrokenAt(rows), 2);
  rows[1].set_high(rows[1].high() - 1);
  rows.erase(rows.begin());
  EXPECT_EQ(BrokenAt(rows), 1);
}

class Publications : public ::testing::TestWithParam<db::Engine> {
 protected:
  Publications() : mini_(MakeMembershipModule(), GetParam()) {}
  void SetUp() override {
    mini_.SetDate("2022-06-20");
    v1::CreateForumRequest request;
    request.set_forum_id("warwickshire");
    request.mutable_forum()->set_display_name("Example Parent Carer Voice");
    auto forum = mini_.Call<v1::Forum>(mini_.Token(OPERATOR), request);
    ASSERT_TRUE(forum.ok()) << forum.status();
    mini_.SetDate("2022-06-21");
  }

  // Members who join and say whether they are disabled.
  void Join(int count, int disabled) {
    for (int i = 0; i < count; ++i) {
      v1::CreateMemberRequest request;
      request.set_parent(kForum);
      request.mutable_member()->set_given_name("Jo");
      request.mutable_member()->set_family_name(absl::StrCat("Example ", members_.size()));
      request.mutable_member()->set_email("jo@example.org");
      request.mutable_member()->set_reach_by(v1::Member::EMAIL);
      request.mutable_member()->set_residence(v1::Member::LIVES_HERE);
      request.mutable_member()->set_joined_on("2022-06-01");
      auto member = mini_.Call<v1::Member>(mini_.Token(MEMBERSHIP_ADMIN), request);
      ASSERT_TRUE(member.ok()) << member.status();
      members_.push_back(*member);
      Say(*member, i < disabled ? v1::YES : v1::NO);
    }
  }
  void Say(const v1::Member& member, v1::Answer answer) {
    const std::string id = member.name().substr(member.name().rfind('/') + 1);
    v1::SetCharacteristicsRequest request;
    request.set_parent(kForum);
    auto& said = said_[id];
    said.set_disability(answer);
    *request.mutable_characteristics() = said;
    auto kept = mini_.Call<v1::MemberCharacteristics>(mini_.Token(MEMBER, id), request);
    ASSERT_TRUE(kept.ok()) << kept.status();
    said = *kept;
  }
  void Leave(const v1::Member& member) {
    v1::LeaveMemberRequest request;
    request.set_name(member.name());
    auto left = mini_.Call<v1::Member>(mini_.Token(MEMBERSHIP_ADMIN), request);
    ASSERT_TRUE(left.ok()) << left.status();
  }
  std::vector<Publication> Published(const std::string& token) {
    v1::ListPublicationsRequest request;
    request.set_parent(kForum);
    auto list = mini_.Call<v1::ListPublicationsResponse>(token, request);
    EXPECT_TRUE(list.ok()) << list.status();
    return {list->publications().begin(), list->publications().end()};
  }

  MiniService mini_;
  std::vector<v1::Member> members_;
  std::map<std::string, v1::MemberCharacteristics> said_;
};
INSTANTIATE_TEST_SUITE_P(Engines, Publications,
                         ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres));

TEST_P(Publications, ComeOnTheDaysOfTheCalendarAndAreNeverMadeAgain) {
  Join(40, 13);
  mini_.SetDate("2022-06-30");
  EXPECT_TRUE(Published(mini_.Token(CHAIR)).empty());
  mini_.SetDate("2022-07-03");
  const auto first = Published(mini_.Token(CHAIR));
  ASSERT_EQ(first.size(), 1u);  // nobody answered the other questions
  EXPECT_EQ(first[0].date(), "2022-07-01");
  EXPECT_EQ(first[0].question(), Publication::DISABILITY);
  EXPECT_EQ(first[0].figure(), 15);
  EXPECT_EQ(first[0].base(), 40);
  EXPECT_EQ(first[0].percent(), 0) << "none of fewer than 100";
  EXPECT_THAT(first[0].text(), HasSubstr("about 15 of about 40"));
  // Seven more are too few for another figure.
  Join(7, 7);
  mini_.SetDate("2022-10-01");
  EXPECT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  Join(5, 0);
  mini_.SetDate("2023-01-01");
  const auto second = Published(mini_.Token(CHAIR));
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].SerializeAsString(), first[0].SerializeAsString());
  EXPECT_EQ(second[1].answered(), 52);
  EXPECT_EQ(second[1].figure(), 20);
  EXPECT_EQ(BrokenAt(second), std::nullopt);
}

TEST_P(Publications, WhoLeavesOrChangesTheAnswerCountsAsSuch) {
  Join(60, 20);
  mini_.SetDate("2022-07-01");
  ASSERT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  // Six go, four change: ten people moved, each once.
  for (int i = 0; i < 6; ++i) Leave(members_[static_cast<size_t>(i)]);
  for (int i = 50; i < 53; ++i) Say(members_[static_cast<size_t>(i)], v1::YES);
  Say(members_[53], v1::PREFER_NOT_TO_SAY);
  Say(members_[50], v1::NO);
  Say(members_[50], v1::YES);
  mini_.SetDate("2022-10-01");
  const auto figures = Published(mini_.Token(CHAIR));
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[1].answered(), 53);
  // 20 - 6 + 3 is 17. Of 53, 50 were counted before, and 10 of the 60 are gone.
  EXPECT_EQ(figures[1].ceiling(), std::min<int64_t>(53 - 7, figures[0].high() + 3 - 4));
  EXPECT_EQ(figures[1].floor(), std::max<int64_t>(0, figures[0].low() - 10 + 4));
}

TEST_P(Publications, WhoIsErasedOrWhoseDataMayOnlyBeStoredIsNotCounted) {
  Join(52, 20);
  mini_.SetDate("2022-07-01");
  ASSERT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  auto ask = [&](size_t member, v1::RightsRequest::Kind kind) {
    v1::CreateRightsRequestRequest create;
    create.set_parent(kForum);
    create.set_member(members_[member].name());
    create.set_kind(kind);
    if (kind == v1::RightsRequest::RESTRICTION) create.set_ground(v1::Restriction::ACCURACY_CONTESTED);
    auto request = mini_.Call<v1::RightsRequest>(mini_.Token(MEMBERSHIP_ADMIN), create);
    ASSERT_TRUE(request.ok()) << request.status();
    v1::CompleteRightsRequestRequest complete;
    complete.set_name(request->name());
    complete.set_outcome("done as asked");
    request = mini_.Call<v1::RightsRequest>(mini_.Token(MEMBERSHIP_ADMIN), complete);
    ASSERT_TRUE(request.ok()) << request.status();
  };
  for (size_t i = 0; i < 5; ++i) ask(i, v1::RightsRequest::ERASURE);
  for (size_t i = 5; i < 10; ++i) ask(i, v1::RightsRequest::RESTRICTION);
  mini_.SetDate("2022-10-01");
  const auto figures = Published(mini_.Token(CHAIR));
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[1].answered(), 42);
  EXPECT_EQ(figures[1].floor(), std::max<int64_t>(0, figures[0].low() - 10 + 4));
}

TEST_P(Publications, APartnerSeesWhatIsPrintedAndNotTheRegister) {
  Join(40, 13);
  mini_.SetDate("2022-07-01");
  const auto seen = Published(mini_.Token(FACILITATOR));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].figure(), 15);
  EXPECT_THAT(seen[0].text(), HasSubstr("about 15"));
  EXPECT_EQ(seen[0].answered(), 0);
  EXPECT_EQ(seen[0].high(), 0);
  EXPECT_EQ(seen[0].hash(), "");
}

}  // namespace
}  // namespace hub::membership
