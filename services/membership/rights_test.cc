// Rights: the clocks, and the handlers on both databases, up to what is left of a person who was
// erased.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "common/testing/mini_service.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/hub/v1/people.pb.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/membership/module.h"
#include "services/membership/reps_rules.h"
#include "services/membership/rights_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
namespace hub_v1 = ::coproduction::hub::v1;
using coproduction::hub::events::v1::MemberErased;
using coproduction::options::v1::CHAIR;
using coproduction::options::v1::FACILITATOR;
using coproduction::options::v1::MEMBER;
using coproduction::options::v1::MEMBERSHIP_ADMIN;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kForum;
using testing::MiniService;
using ::testing::Not;
using testing::Refused;
using v1::RightsRequest;

RightsRequest Received(RightsRequest::Kind kind, const std::string& on) {
  RightsRequest request;
  request.set_kind(kind);
  request.set_received_on(on);
  request.set_state(RightsRequest::RECEIVED);
  return request;
}

v1::MembershipSettings Settings() {
  v1::MembershipSettings settings;
  settings.set_rights_notice_days(7);
  return settings;
}

TEST(RightsRules, AMonthEndsOnTheCorrespondingDateOrTheLastAndOnAWorkingDay) {
  auto due = [](const std::string& on) { return DueOn(Received(RightsRequest::ACCESS, on)); };
  EXPECT_EQ(due("2021-09-03"), "2021-10-04");  // 3 October is a Sunday
  EXPECT_EQ(due("2022-01-31"), "2022-02-28");
  EXPECT_EQ(due("2024-01-31"), "2024-02-29");
  EXPECT_EQ(due("2022-03-15"), "2022-04-19");  // Good Friday to Easter Monday
  EXPECT_EQ(due("2021-11-25"), "2021-12-29");  // Christmas, and its days in lieu
  EXPECT_EQ(due("2022-05-02"), "2022-06-06");  // the Jubilee's two days and a weekend
  EXPECT_EQ(due("2021-12-15"), "2022-01-17");  // over the year
}

TEST(RightsRules, TheClockRestsWhileThePersonIsAskedAndIsExtendedOnceInTime) {
  RightsRequest request = Received(RightsRequest::ERASURE, "2021-09-06");
  SetClock(&request, Settings(), "2021-09-06");
  EXPECT_EQ(request.due_on(), "2021-10-06");
  EXPECT_EQ(request.notice_on(), "2021-09-29");
  EXPECT_EQ(request.overdue_from(), "2021-10-07");
  request.set_state(RightsRequest::WAITING_FOR_PERSON);
  SetClock(&request, Settings(), "2021-09-10");
  EXPECT_EQ(request.due_on() + request.notice_on() + request.overdue_from(), "");
  request.set_state(RightsRequest::IN_HAND);
  request.set_days_rested(5);
  SetClock(&request, Settings(), "2021-09-15");
  EXPECT_EQ(request.due_on(), "2021-10-11");
  EXPECT_TRUE(CheckExtension(request, "2021-10-11").ok());
  EXPECT_TRUE(Refused(CheckExtension(request, "2021-10-12"), errors::RULE_REFUSED, "extension"));
  request.set_extended_months(2);
  SetClock(&request, Settings(), "2021-10-11");
  EXPECT_EQ(request.due_on(), "2021-12-13");  // 6 December and five days: a Saturday
  EXPECT_TRUE(Refused(CheckExtension(request, "2021-10-11"), errors::RULE_REFUSED, "extension"));
  request.set_state(RightsRequest::ERASING);
  SetClock(&request, Settings(), "2021-10-20");
  EXPECT_EQ(request.overdue_from(), "2021-10-22") << "services answer within a day";
  request.set_state(RightsRequest::DONE);
  SetClock(&request, Settings(), "2021-10-20");
  EXPECT_EQ(request.notice_on() + request.overdue_from(), "");
}

TEST(RightsRules, AComplaintIsAcknowledgedWithinThirtyDays) {
  RightsRequest request = Received(RightsRequest::COMPLAINT, "2022-06-01");
  SetClock(&request, Settings(), "2022-06-01");
  EXPECT_EQ(request.due_on(), "2022-07-01");
  EXPECT_TRUE(Refused(CheckExtension(request, "2022-06-02"), errors::RULE_REFUSED));
  request.set_acknowledged_on("2022-06-20");
  request.set_state(RightsRequest::IN_HAND);
  SetClock(&request, Settings(), "2022-06-20");
  EXPECT_EQ(request.due_on() + request.overdue_from(), "");
}

TEST(RightsRules, EachKindSaysWhatItNeedsAndNoMore) {
  const std::string today = "2021-09-06";
  RightsRequest request = Received(RightsRequest::ACCESS, today);
  EXPECT_TRUE(CheckRightsRequest(request, today, true).ok());
  request.set_received_on("2021-09-01");
  EXPECT_TRUE(CheckRightsRequest(request, today, false).ok());
  EXPECT_TRUE(
      Refused(CheckRightsRequest(request, today, true), errors::INVALID_FIELD, "received_on"));
  request.set_received_on("2021-09-07");
  EXPECT_TRUE(
      Refused(CheckRightsRequest(request, today, false), errors::INVALID_FIELD, "received_on"));
  for (auto [kind, field] : {std::pair(RightsRequest::OBJECTION, "purpose"),
                             std::pair(RightsRequest::RESTRICTION, "ground"),
                             std::pair(RightsRequest::RECTIFICATION, "details"),
                             std::pair(RightsRequest::COMPLAINT, "details")}) {
    EXPECT_TRUE(Refused(CheckRightsRequest(Received(kind, today), today, false),
                        errors::INVALID_FIELD, field));
  }
  request = Received(RightsRequest::ACCESS, today);
  request.set_purpose(v1::Consent::NEWS);
  EXPECT_TRUE(Refused(CheckRightsRequest(request, today, false), errors::INVALID_FIELD, "purpose"));
}

TEST(RightsRules, OnlyTheMemberTurnsOnWhatTheMemberObjectedTo) {
  v1::Member member;
  auto* consent = member.add_consents();
  consent->set_purpose(v1::Consent::NEWS);
  consent->set_given(true);
  Object(&member, v1::Consent::NEWS, "2021-09-06");
  Object(&member, v1::Consent::NEWS, "2021-09-07");
  EXPECT_FALSE(member.consents(0).given());
  ASSERT_EQ(member.objections_size(), 1);
  EXPECT_TRUE(CheckConsents(&member, false).ok());
  member.mutable_consents(0)->set_given(true);
  EXPECT_TRUE(Refused(CheckConsents(&member, false), errors::RULE_REFUSED, "objection"));
  EXPECT_TRUE(CheckConsents(&member, true).ok());
  EXPECT_THAT(member.objections(), IsEmpty());
  member.set_state(v1::Member::ERASED);
  EXPECT_TRUE(Refused(CheckConsents(&member, true), errors::RULE_REFUSED, "erased"));
}

TEST(RightsRules, AnErasureIsDoneWithTheLastServiceThatConfirms) {
  RightsRequest request = Received(RightsRequest::ERASURE, "2021-09-06");
  request.set_state(RightsRequest::ERASING);
  hub_v1::ErasureConfirmation said;
  said.set_service("membership");
  const std::set<std::string> both = {"membership", "scheduling"};
  EXPECT_TRUE(Confirm(&request, said, both, "2021-09-07"));
  EXPECT_FALSE(Confirm(&request, said, both, "2021-09-07")) << "said before";
  said.set_service("stranger");
  EXPECT_FALSE(Confirm(&request, said, both, "2021-09-07"));
  EXPECT_EQ(request.state(), RightsRequest::ERASING);
  said.set_service("scheduling");
  EXPECT_TRUE(Confirm(&request, said, both, "2021-09-08"));
  EXPECT_EQ(request.state(), RightsRequest::DONE);
  EXPECT_EQ(request.done_on(), "2021-09-08");
}

class Rights : public ::testing::TestWithParam<db::Engine> {
 protected:
  Rights() : mini_(MakeMembershipModule(), GetParam()) {
    mini_.SetDate("2021-09-06");
    admin_ = mini_.Token(MEMBERSHIP_ADMIN);
    member_ = Join("Wilhelmina");
    own_ = mini_.Token(MEMBER, IdOf(member_));
  }
  std::string Join(const std::string& given_name) {
    v1::CreateMemberRequest& request = joined_[given_name];
    request.set_parent(kForum);
    request.set_request_id("join " + given_name);
    auto& member = *request.mutable_member();
    member.set_given_name(given_name);
    member.set_family_name("Example");
    member.set_email(given_name + "@example.org");
    member.set_joined_on("2021-05-04");
    member.set_source_key("sheet-" + given_name);
    auto* consent = member.add_consents();
    consent->set_purpose(v1::Consent::NEWS);
    consent->set_given(true);
    consent->set_wording("of " + given_name);
    auto created = mini_.Call<v1::Member>(admin_, request);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? created->name() : "";
  }
  v1::CreateRightsRequestRequest Asking(RightsRequest::Kind kind) {
    v1::CreateRightsRequestRequest request;
    request.set_parent(kForum);
    request.set_member(member_);
    request.set_kind(kind);
    return request;
  }
  RightsRequest Ask(const v1::CreateRightsRequestRequest& request, const std::string& token) {
    auto made = mini_.Call<RightsRequest>(token, request);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : RightsRequest();
  }
  template <class Req>
  StatusOr<RightsRequest> Do(Req request, const std::string& name) {
    request.set_name(name);
    return mini_.Call<RightsRequest>(admin_, request);
  }
  StatusOr<RightsRequest> Complete(const std::string& name) {
    v1::CompleteRightsRequestRequest request;
    request.set_outcome("done as asked");
    return Do(request, name);
  }
  v1::Member Get(const std::string& token) {
    v1::GetMemberRequest request;
    request.set_name(member_);
    auto member = mini_.Call<v1::Member>(token, request);
    EXPECT_TRUE(member.ok()) << member.status();
    return member.ok() ? *member : v1::Member();
  }
  StatusOr<hub_v1::PersonalData> Data(const std::string& token, const std::string& name,
                                      int page_size = 0) {
    hub_v1::GetPersonalDataRequest request;
    request.set_name(name);
    request.set_page_size(page_size);
    hub_v1::PersonalData all;
    do {
      ASSIGN_OR_RETURN(const auto page, mini_.Call<hub_v1::PersonalData>(token, request));
      all.MergeFrom(page);
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    all.clear_next_page_token();
    return all;
  }
  Status Consent(const std::string& token, bool given) {
    v1::SetConsentRequest request;
    request.set_name(member_);
    request.mutable_consent()->set_purpose(v1::Consent::NEWS);
    request.mutable_consent()->set_given(given);
    if (given) request.mutable_consent()->set_wording("2");
    return mini_.Call<v1::Member>(token, request).status();
  }

  MiniService mini_;
  std::string admin_, member_, own_;
  std::map<std::string, v1::CreateMemberRequest> joined_;
};

ON_BOTH_DATABASES(Rights);

TEST_P(Rights, AreAskedForByThePersonOrForThePersonAndToldWhenTheyAreDue) {
  auto request = Ask(Asking(RightsRequest::ACCESS), own_);
  EXPECT_EQ(request.due_on(), "2021-10-06");
  ASSERT_EQ(mini_.Published<events::RightsRequested>().size(), 1u);
  const std::string another = Join("Another");
  auto of_another = Asking(RightsRequest::ACCESS);
  of_another.set_member(another);
  EXPECT_TRUE(
      Refused(mini_.Call<RightsRequest>(own_, of_another).status(), errors::RESOURCE_NOT_FOUND));
  EXPECT_TRUE(Refused(
      mini_.Call<RightsRequest>(mini_.Token(FACILITATOR), Asking(RightsRequest::ACCESS)).status(),
      errors::ROLE_NOT_ALLOWED));
  mini_.SetDate("2021-09-28");
  EXPECT_TRUE(mini_.Published<events::RightsDueSoon>().empty());
  mini_.SetDate("2021-09-29");
  EXPECT_EQ(mini_.Published<events::RightsDueSoon>().size(), 1u);
  mini_.SetDate("2021-10-06");
  EXPECT_TRUE(mini_.Published<events::RightsOverdue>().empty());
  mini_.SetDate("2021-10-07");
  mini_.SetDate("2021-10-08");
  EXPECT_EQ(mini_.Published<events::RightsDueSoon>().size(), 1u);
  ASSERT_EQ(mini_.Published<events::RightsOverdue>("forums/warwickshire").size(), 1u);
  EXPECT_TRUE(mini_.Published<events::RightsOverdue>("forums/warwickshire/partners/wcc").empty());
  ASSERT_TRUE(Complete(request.name()).ok());
  EXPECT_TRUE(Refused(Complete(request.name()).status(), errors::STATE_NOT_ALLOWED));
}

TEST_P(Rights, TheClockRestsFromTheQuestionToTheAnswer) {
  auto request = Ask(Asking(RightsRequest::ACCESS), admin_);
  mini_.SetDate("2021-09-08");
  v1::AskPersonRequest question;
  question.set_question("Which years?");
  auto waiting = Do(question, request.name());
  ASSERT_TRUE(waiting.ok()) << waiting.status();
  EXPECT_EQ(waiting->due_on(), "");
  mini_.SetDate("2021-11-08");
  EXPECT_TRUE(mini_.Published<events::RightsOverdue>().empty());
  v1::AnswerQuestionRequest answer;
  answer.set_name(request.name());
  answer.set_answer("All of them.");
  auto again = mini_.Call<RightsRequest>(own_, answer);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->days_rested(), 61);
  EXPECT_EQ(again->due_on(), "2021-12-06");
  v1::ExtendRightsRequestRequest more;
  more.set_months(1);
  more.set_reason("Many records.");
  auto extended = Do(more, request.name());
  ASSERT_TRUE(extended.ok()) << extended.status();
  EXPECT_EQ(extended->due_on(), "2022-01-06");
  v1::RefuseRightsRequestRequest no;
  no.set_reason("It was answered in August.");
  auto refused = Do(no, request.name());
  ASSERT_TRUE(refused.ok()) << refused.status();
  mini_.SetDate("2022-03-01");
  EXPECT_TRUE(mini_.Published<events::RightsOverdue>().empty());
}

TEST_P(Rights, AnObjectionHoldsAtOnceAndIsTheMembersToTakeBack) {
  auto asking = Asking(RightsRequest::OBJECTION);
  asking.set_purpose(v1::Consent::NEWS);
  EXPECT_EQ(Ask(asking, own_).state(), RightsRequest::DONE);
  v1::Member member = Get(admin_);
  EXPECT_FALSE(member.consents(0).given());
  ASSERT_EQ(member.objections_size(), 1);
  EXPECT_EQ(member.objections(0).objected_on(), "2021-09-06");
  EXPECT_TRUE(Refused(Consent(admin_, true), errors::RULE_REFUSED, "objection"));
  v1::UpdateMemberRequest update;
  *update.mutable_member() = member;
  update.mutable_member()->mutable_consents(0)->set_given(true);
  update.mutable_update_mask()->add_paths("consents");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, update).status(), errors::RULE_REFUSED));
  update.mutable_update_mask()->set_paths(0, "objections");
  EXPECT_TRUE(Refused(mini_.Call<v1::Member>(admin_, update).status(), errors::FIELD_READ_ONLY));
  EXPECT_TRUE(Consent(own_, true).ok());
  EXPECT_TRUE(Get(own_).consents(0).given());
  EXPECT_THAT(Get(own_).objections(), IsEmpty());
}

TEST_P(Rights, WhatMayOnlyBeStoredIsInNoListAndNoRepIsInGoodStanding) {
  v1::CreateRepRequest apply;
  apply.set_parent(kForum);
  apply.set_member(member_);
  auto rep = mini_.Call<v1::Rep>(admin_, apply);
  ASSERT_TRUE(rep.ok()) << rep.status();
  auto asking = Asking(RightsRequest::RESTRICTION);
  asking.set_ground(v1::Restriction::ACCURACY_CONTESTED);
  ASSERT_TRUE(Complete(Ask(asking, own_).name()).ok());
  v1::ListMembersRequest list;
  list.set_parent(kForum);
  auto listed = mini_.Call<v1::ListMembersResponse>(admin_, list);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->members_size(), 1);
  EXPECT_EQ(listed->members(0).email() + listed->members(0).given_name(), "");
  EXPECT_EQ(listed->members(0).restriction().since_on(), "2021-09-06");
  auto to_self = mini_.Call<v1::ListMembersResponse>(own_, list);
  ASSERT_TRUE(to_self.ok());
  EXPECT_EQ(to_self->members(0).given_name(), "Wilhelmina");
  EXPECT_EQ(Get(admin_).given_name(), "Wilhelmina") << "it is stored, and the case is dealt with";
  v1::GetRepRequest get;
  get.set_name(rep->name());
  auto seen = mini_.Call<v1::Rep>(mini_.Token(CHAIR), get);
  ASSERT_TRUE(seen.ok());
  EXPECT_THAT(seen->standing_reason(), HasSubstr("may only be stored since 2021-09-06"));
  v1::CheckAllocationRequest check;
  check.set_parent(kForum);
  check.set_rep(rep->name());
  auto word = mini_.Call<v1::CheckAllocationResponse>(mini_.ServiceToken("scheduling"), check);
  ASSERT_TRUE(word.ok()) << word.status();
  EXPECT_EQ(word->reason(), v1::CheckAllocationResponse::RESTRICTED);
  v1::LiftRestrictionRequest lift;
  lift.set_name(member_);
  lift.set_told_on("2021-09-07");
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Member>(admin_, lift).status(), errors::INVALID_FIELD, "told_on"));
  lift.set_told_on("2021-09-06");
  EXPECT_TRUE(mini_.Call<v1::Member>(admin_, lift).ok());
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Member>(admin_, lift).status(), errors::RULE_REFUSED, "restriction"));
  EXPECT_EQ(mini_.Call<v1::ListMembersResponse>(admin_, list)->members(0).given_name(),
            "Wilhelmina");
}

TEST_P(Rights, APersonsDataAreAllThatIsAboutThePersonAndNothingOfAnother) {
  const std::string another = Join("Another");
  v1::SetCharacteristicsRequest told;
  told.set_parent(kForum);
  told.mutable_characteristics()->set_gender_words("of a word of my own");
  ASSERT_TRUE(mini_.Call<v1::MemberCharacteristics>(own_, told).ok());
  Get(mini_.Token(CHAIR));
  auto data = Data(own_, member_);
  ASSERT_TRUE(data.ok()) << data.status();
  const std::string text = data->DebugString();
  for (const char* mine : {"Wilhelmina", "sheet-Wilhelmina", "of a word of my own", "MEMBER_JOINED",
                           "by: \"you\"", "by: \"chair of the forum\""}) {
    EXPECT_THAT(text, HasSubstr(mine));
  }
  EXPECT_THAT(text, Not(HasSubstr("Another")));
  EXPECT_THAT(text, Not(HasSubstr(IdOf(another))));
  // Page by page it is the same; the reads in between are of this export alone.
  auto pages = Data(own_, member_, 1);
  ASSERT_TRUE(pages.ok()) << pages.status();
  std::set<std::string> records, again;
  for (const auto& entry : data->entries()) {
    if (entry.kind() == hub_v1::PersonalEntry::RECORD) records.insert(entry.name());
  }
  for (const auto& entry : pages->entries()) {
    if (entry.kind() == hub_v1::PersonalEntry::RECORD) {
      EXPECT_TRUE(again.insert(entry.name()).second) << entry.name() << " stands there twice";
    }
  }
  EXPECT_EQ(records, again);
  // Who helps the person gets it without what the person alone sees.
  auto helped = Data(admin_, member_);
  ASSERT_TRUE(helped.ok()) << helped.status();
  EXPECT_THAT(helped->DebugString(), HasSubstr("Wilhelmina"));
  EXPECT_THAT(helped->DebugString(), Not(HasSubstr("of a word of my own")));
  EXPECT_TRUE(Refused(Data(own_, another).status(), errors::RESOURCE_NOT_FOUND));
  EXPECT_TRUE(Refused(Data(mini_.Token(CHAIR), member_).status(), errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(Refused(Data(admin_, "forums/warwickshire/members/nobody").status(),
                      errors::RESOURCE_NOT_FOUND));
}

TEST_P(Rights, OfWhoWasErasedNothingIsLeftButCounts) {
  const std::string another = Join("Another");
  v1::SetCharacteristicsRequest told;
  told.set_parent(kForum);
  told.mutable_characteristics()->set_gender_words("of a word of my own");
  ASSERT_TRUE(mini_.Call<v1::MemberCharacteristics>(own_, told).ok());
  auto asking = Asking(RightsRequest::ERASURE);
  asking.set_details("Forget Wilhelmina.");
  auto request = Ask(asking, own_);
  auto erasing = Complete(request.name());
  ASSERT_TRUE(erasing.ok()) << erasing.status();
  EXPECT_EQ(erasing->state(), RightsRequest::ERASING);
  const auto told_all = mini_.Published<MemberErased>();
  ASSERT_EQ(told_all.size(), 1u);
  EXPECT_EQ(told_all[0].member(), member_);
  // Two events of the request came before it, which nobody consumes.
  ASSERT_TRUE(mini_.Deliver(request.name(), mini_.Published<events::RightsRequested>()[0]).ok());
  const Status erased = mini_.Deliver(request.name(), told_all[0]);
  ASSERT_TRUE(erased.ok()) << erased;
  std::vector<hub_v1::ConfirmErasureRequest> words;
  mini_.Answer<hub_v1::ConfirmErasureRequest, hub_v1::ConfirmErasureResponse>(
      [&](const auto& in) -> StatusOr<hub_v1::ConfirmErasureResponse> {
        words.push_back(in);
        return hub_v1::ConfirmErasureResponse();
      });
  ASSERT_TRUE(mini_.runtime().FinishErasures().ok());
  ASSERT_TRUE(mini_.runtime().FinishErasures().ok());
  ASSERT_EQ(words.size(), 1u) << "once it was heard it is not said again";
  EXPECT_EQ(words[0].rights_request(), request.name());
  EXPECT_THAT(words[0].DebugString(), HasSubstr("given_name"));

  v1::Member left = Get(admin_);
  EXPECT_EQ(left.state(), v1::Member::ERASED);
  EXPECT_EQ(left.left_on(), "2021-09-06");
  EXPECT_EQ(left.given_name() + left.family_name() + left.email() + left.source_key(), "");
  EXPECT_THAT(left.consents(), IsEmpty());
  EXPECT_EQ(mini_.Rows("characteristics WHERE LENGTH(body) > 0"), 0);
  EXPECT_FALSE(mini_.Call<v1::MemberCharacteristics>(own_, told).ok());
  v1::GetRightsRequestRequest get;
  get.set_name(request.name());
  auto kept = mini_.Call<RightsRequest>(admin_, get);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->details() + kept->outcome(), "");
  EXPECT_TRUE(Refused(Consent(admin_, true), errors::RULE_REFUSED, "erased"));
  EXPECT_THAT(Data(admin_, another)->DebugString(), HasSubstr("Another"));
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Member>(admin_, joined_["Wilhelmina"]).status(), errors::ALREADY_DONE))
      << "an answer that had the name is kept no longer";
  EXPECT_TRUE(mini_.Call<v1::Member>(admin_, joined_["Another"]).ok());

  for (const char* service : {"membership", "scheduling", "engagement", "remuneration"}) {
    hub_v1::ConfirmErasureRequest word = words[0];
    word.clear_request_id();
    word.mutable_confirmation()->set_service(service);
    for (int i = 0; i < 2; ++i) {
      auto heard = mini_.Call<hub_v1::ConfirmErasureResponse>(mini_.ServiceToken(service), word);
      EXPECT_TRUE(heard.ok()) << heard.status();
    }
  }
  EXPECT_EQ(mini_.Published<events::ErasureConfirmed>().size(), 4u);
  kept = mini_.Call<RightsRequest>(admin_, get);
  EXPECT_EQ(kept->state(), RightsRequest::DONE);
  EXPECT_EQ(kept->confirmations_size(), 4);
}

TEST_P(Rights, WhoLeftIsErasedWhenTheForumsTimeIsOver) {
  v1::LeaveMemberRequest leave;
  leave.set_name(member_);
  leave.set_left_on("2021-06-01");
  EXPECT_EQ(mini_.Call<v1::Member>(admin_, leave)->kept_until(), "2023-09-06")
      << "from the day on which it is entered";
  v1::RejoinMemberRequest rejoin;
  rejoin.set_name(member_);
  EXPECT_EQ(mini_.Call<v1::Member>(admin_, rejoin)->kept_until(), "");
  leave.clear_left_on();
  ASSERT_TRUE(mini_.Call<v1::Member>(admin_, leave).ok());
  v1::GetMembershipFiguresRequest count;
  count.set_parent(kForum);
  for (auto* day : {count.mutable_from(), count.mutable_to(), count.mutable_membership_from()}) {
    *day = "2021-05-31";
  }
  auto asked = Ask(Asking(RightsRequest::ACCESS), admin_);
  mini_.SetDate("2023-09-06");
  EXPECT_EQ(Get(admin_).kept_until(), "2023-10-06") << "while an answer is owed, a month longer";
  ASSERT_TRUE(Complete(asked.name()).ok());
  mini_.SetDate("2023-10-05");
  EXPECT_EQ(Get(admin_).given_name(), "Wilhelmina");
  EXPECT_EQ(mini_.Call<v1::MembershipFigures>(admin_, count)->members_end(), 1);
  EXPECT_TRUE(mini_.Published<MemberErased>().empty());
  mini_.SetDate("2023-10-06");
  const auto told = mini_.Published<MemberErased>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].member(), member_);
  ASSERT_TRUE(mini_.Deliver(told[0].rights_request(), told[0]).ok());
  EXPECT_EQ(Get(admin_).given_name(), "");
  EXPECT_EQ(Get(admin_).left_on(), "2021-09-06");
  EXPECT_EQ(mini_.Call<v1::MembershipFigures>(admin_, count)->members_end(), 1);
}

TEST_P(Rights, AMissingConfirmationIsOverdueAfterADay) {
  auto request = Ask(Asking(RightsRequest::ERASURE), admin_);
  ASSERT_TRUE(Complete(request.name()).ok());
  mini_.SetDate("2021-09-07");
  EXPECT_TRUE(mini_.Published<events::RightsOverdue>().empty());
  mini_.SetDate("2021-09-08");
  EXPECT_EQ(mini_.Published<events::RightsOverdue>().size(), 1u);
}

TEST_P(Rights, NobodysKeysWaitUntilMembershipHasHeardOfAnother) {
  mini_.Answer<hub_v1::ConfirmErasureRequest, hub_v1::ConfirmErasureResponse>(
      [](const auto&) -> StatusOr<hub_v1::ConfirmErasureResponse> {
        return Refuse(errors::TEMPORARILY_UNAVAILABLE, "membership is away");
      });
  const std::vector<std::string> members = {member_, Join("Another")};
  for (size_t i = 0; i < members.size(); ++i) {
    MemberErased erased;
    erased.set_member(members[i]);
    erased.set_rights_request(absl::StrCat(kForum, "/rightsRequests/r", i));
    ASSERT_TRUE(mini_.Deliver(erased.rights_request(), erased).ok());
  }
  EXPECT_TRUE(Refused(mini_.runtime().FinishErasures(), errors::TEMPORARILY_UNAVAILABLE));
  EXPECT_EQ(mini_.Rows("erasures WHERE step = 1"), 2);
  const auto list = mini_.runtime().engine().config().keys->Erasures();
  ASSERT_TRUE(list.ok()) << list.status();
  std::set<std::string> persons;
  for (const auto& erasure : *list) persons.insert(erasure.person);
  for (const auto& member : members) EXPECT_EQ(persons.count(IdOf(member)), 1u) << member;
}

TEST_P(Rights, WhomTheListNamesIsErasedAgainFromRowsThatCameBack) {
  v1::SetCharacteristicsRequest of_own;
  of_own.set_parent(kForum);
  of_own.mutable_characteristics()->set_gender_words("of a word of my own");
  ASSERT_TRUE(mini_.Call<v1::MemberCharacteristics>(own_, of_own).ok());
  const std::string asked = Ask(Asking(RightsRequest::ERASURE), own_).name();
  ASSERT_TRUE(mini_.runtime().EraseListed().ok());
  EXPECT_EQ(Get(admin_).given_name(), "Wilhelmina");
  ASSERT_TRUE(
      mini_.runtime().engine().config().keys->EraseSubjectKey("person", IdOf(member_)).ok());
  ASSERT_TRUE(mini_.runtime().EraseListed().ok());
  EXPECT_EQ(Get(admin_).given_name(), "");
  EXPECT_EQ(Get(admin_).state(), v1::Member::ERASED);
  ASSERT_TRUE(mini_.runtime().FinishErasures().ok()) << "nobody waits for it";
  EXPECT_EQ(mini_.Rows("erasures WHERE step = 2"), 1);
  // The request came back undone, and is done once more: then the member counts no longer.
  v1::GetMembershipFiguresRequest count;
  count.set_parent(kForum);
  for (auto* day : {count.mutable_from(), count.mutable_to(), count.mutable_membership_from()}) {
    *day = "2021-09-06";
  }
  EXPECT_EQ(mini_.Call<v1::MembershipFigures>(admin_, count)->members_end(), 1);
  ASSERT_TRUE(Complete(asked).ok());
  EXPECT_EQ(mini_.Call<v1::MembershipFigures>(admin_, count)->members_end(), 0);
  MemberErased again;
  again.set_member(member_);
  again.set_rights_request("forums/warwickshire/rightsRequests/r1");
  ASSERT_TRUE(mini_.Deliver(again.rights_request(), again).ok());
  std::string told;
  mini_.Answer<hub_v1::ConfirmErasureRequest, hub_v1::ConfirmErasureResponse>(
      [&](const auto& in) -> StatusOr<hub_v1::ConfirmErasureResponse> {
        told = in.parent() + " " + in.rights_request();
        return hub_v1::ConfirmErasureResponse();
      });
  ASSERT_TRUE(mini_.runtime().FinishErasures().ok());
  EXPECT_EQ(told, "forums/warwickshire forums/warwickshire/rightsRequests/r1");
}

}  // namespace
}  // namespace hub::membership
