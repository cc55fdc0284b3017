#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coproduction/engagement/events/v1/further_involvements.pb.h"
#include "coproduction/engagement/events/v1/influence.pb.h"
#include "coproduction/scheduling/events/v1/requests.pb.h"
#include "services/scheduling/mini_scheduling.h"
#include "services/scheduling/requests_rules.h"

namespace hub::scheduling {
namespace {

namespace engagement = ::coproduction::engagement::events::v1;
namespace events = ::coproduction::scheduling::events::v1;
using coproduction::engagement::v1::FurtherInvolvement;
using hub::testing::kForum;
using hub::testing::Refused;
using ::testing::HasSubstr;
using Request = v1::EngagementRequest;

Request Complete() {
  Request request;
  request.set_title("Short break provision");
  request.set_partner("forums/warwickshire/partners/wcc");
  request.set_workstream(Request::BUSINESS_AS_USUAL);
  request.set_purpose(Request::DISCUSSION);
  request.set_decision_stage(v1::Decision::OPTIONS);
  request.set_can_change("Which breaks are offered, and where");
  request.set_cannot_change("The budget of this year");
  request.set_who_decides("Cabinet");
  request.set_requestor("Robin Example");
  request.set_requestor_person("robin");
  request.set_team("Commissioning");
  request.set_minutes_wanted(30);
  request.set_needed_by("2022-03-31");
  request.set_papers("none");
  request.set_attendees("only the requestor");
  return request;
}

TEST(Asking, APartnerAsksForItselfTheForumNamesWhom) {
  const std::string wcc = "forums/warwickshire/partners/wcc";
  Request request;
  EXPECT_TRUE(AskFor(wcc, &request).ok());
  EXPECT_EQ(request.partner(), wcc);
  EXPECT_TRUE(AskFor("", &request).ok());
  EXPECT_EQ(ReasonOf(AskFor("forums/warwickshire/partners/icb", &request)), errors::INVALID_FIELD);
  request.clear_partner();
  EXPECT_EQ(ReasonOf(AskFor("", &request)), errors::FIELD_REQUIRED);
}

TEST(DecisionStage, ADecisionAlreadyMadeIsRefusedInParentCarersWords) {
  Request request = Complete();
  request.set_decision_stage(v1::Decision::DECIDED);
  for (auto purpose : {Request::DISCUSSION, Request::OVERSIGHT, Request::CO_DESIGN}) {
    request.set_purpose(purpose);
    Status refused = MayBeSubmitted(request);
    EXPECT_EQ(ReasonOf(refused), errors::RULE_REFUSED);
    EXPECT_EQ(ErrorInfoOf(refused).metadata().at("rule"), "decided_only_as_update");
    EXPECT_THAT(MessageOf(refused), HasSubstr("pointless exercise"));
    EXPECT_THAT(MessageOf(refused), HasSubstr(Request::Purpose_Name(purpose)));
  }
  request.set_purpose(Request::UPDATE);
  EXPECT_TRUE(MayBeSubmitted(request).ok());
}

TEST(DecisionStage, NothingCanChangeMeansDecided) {
  Request request = Complete();
  for (const char* words : {"Nothing", " nothing. ", "none", "N/A"}) {
    request.set_can_change(words);
    EXPECT_EQ(StageOf(request), v1::Decision::DECIDED) << words;
    EXPECT_EQ(ReasonOf(MayBeSubmitted(request)), errors::RULE_REFUSED) << words;
  }
  request.set_can_change("nothing but the name");
  EXPECT_EQ(StageOf(request), v1::Decision::OPTIONS);
}

TEST(Submission, NamesAllThatIsMissing) {
  Request request = Complete();
  EXPECT_TRUE(MayBeSubmitted(request).ok());
  request.clear_who_decides();
  request.clear_minutes_wanted();
  Status refused = MayBeSubmitted(request);
  EXPECT_EQ(ReasonOf(refused), errors::FIELD_REQUIRED);
  EXPECT_EQ(ErrorInfoOf(refused).metadata().at("field"), "who_decides");
  EXPECT_THAT(MessageOf(refused), HasSubstr("who_decides, minutes_wanted"));
}

TEST(Submission, EveryFieldThatItMustSayIsAskedFor) {
  const auto* type = Request::descriptor();
  for (const char* field : {"workstream", "purpose", "decision_stage", "can_change",
                            "cannot_change", "who_decides", "requestor", "requestor_person", "team",
                            "minutes_wanted", "needed_by", "papers", "attendees"}) {
    Request request = Complete();
    request.GetReflection()->ClearField(&request, type->FindFieldByName(field));
    EXPECT_EQ(ErrorInfoOf(MayBeSubmitted(request)).metadata().at("field"), field);
  }
}

TEST(Submission, KeepsTheFirstDateAndTakesEarlierWordsBack) {
  Request request = Complete();
  request.set_purpose(Request::UPDATE);
  request.set_can_change("nothing");
  Submit("2022-01-03", &request);
  EXPECT_EQ(request.state(), Request::SUBMITTED);
  EXPECT_EQ(request.submit_date(), "2022-01-03");
  EXPECT_EQ(request.decision_stage(), v1::Decision::DECIDED);
  request.set_state(Request::NEEDS_INFORMATION);
  request.set_question("Who pays?");
  request.mutable_acceptance()->mutable_forum_time()->set_seconds(1);
  Submit("2022-01-10", &request);
  EXPECT_EQ(request.submit_date(), "2022-01-03");
  EXPECT_FALSE(request.has_acceptance());
  EXPECT_TRUE(request.question().empty());
}

TEST(LeadTime, FourteenDaysAreInTimeThirteenAreLate) {
  EXPECT_FALSE(IsLate("2022-01-14", "2022-01-28", 14));
  EXPECT_TRUE(IsLate("2022-01-15", "2022-01-28", 14));
  EXPECT_TRUE(IsLate("2022-01-29", "2022-01-28", 14));
  EXPECT_FALSE(IsLate("2022-01-27", "2022-01-28", 0));  // a forum may ask for none
}

TEST(LeadTime, OnlyTheChairsWaiverLetsALateRequestThrough) {
  Request request = Complete();
  request.set_submit_date("2022-01-20");
  EXPECT_TRUE(MayBeAccepted(request, false).ok());
  Status refused = MayBeAccepted(request, true);
  EXPECT_EQ(ErrorInfoOf(refused).metadata().at("rule"), "late_needs_waiver");
  request.set_waiver_reason("The tender closes before the next session");
  EXPECT_TRUE(MayBeAccepted(request, true).ok());
}

TEST(Funding, OnlyWhatAPartnerAsksBeyondTheHubNeedsAContribution) {
  for (auto kind :
       {v1::Activity::PROJECT, v1::Activity::TASK_AND_FINISH, v1::Activity::CONSULTATION}) {
    EXPECT_TRUE(NeedsContribution(kind));
  }
  for (auto kind : {v1::Activity::KIND_UNSPECIFIED, v1::Activity::HUB, v1::Activity::PREP,
                    v1::Activity::BOARD, v1::Activity::PRIORITY}) {
    EXPECT_FALSE(NeedsContribution(kind));
  }
}

TEST(Funding, BothSidesAgreeOnOneFund) {
  Request request = Complete();
  EXPECT_TRUE(AgreeOnFund("", &request).ok());
  EXPECT_FALSE(request.has_fund());
  EXPECT_TRUE(AgreeOnFund("forums/w/funds/a", &request).ok());
  EXPECT_TRUE(AgreeOnFund("forums/w/funds/a", &request).ok());
  Status refused = AgreeOnFund("forums/w/funds/b", &request);
  EXPECT_EQ(ErrorInfoOf(refused).metadata().at("rule"), "one_fund");
  EXPECT_EQ(request.fund(), "forums/w/funds/a");
  Submit("2022-01-10", &request);  // reviewed anew
  EXPECT_FALSE(request.has_fund());
}

TEST(FurtherInvolvement, MakesADraftOwnedByTheSameRequestor) {
  Request old = Complete();
  old.set_state(Request::PRESENTED);
  old.set_submit_date("2022-01-03");
  old.set_matter("short-breaks");
  Request draft = FollowUp(old, "forums/warwickshire/items/i1", FurtherInvolvement::RETURN);
  EXPECT_EQ(draft.state(), Request::DRAFT);
  EXPECT_EQ(draft.purpose(), Request::DISCUSSION);
  EXPECT_EQ(draft.follow_up_of(), "forums/warwickshire/items/i1");
  EXPECT_EQ(draft.requestor_person(), "robin");
  EXPECT_EQ(draft.partner(), old.partner());
  EXPECT_EQ(draft.matter(), old.matter());
  EXPECT_TRUE(draft.submit_date().empty());
  EXPECT_EQ(FollowUp(old, "i", FurtherInvolvement::UPDATE).purpose(), Request::UPDATE);
  EXPECT_EQ(FollowUp(old, "i", FurtherInvolvement::CO_DESIGN).purpose(), Request::CO_DESIGN);
}

class RequestsRpc : public MiniScheduling {};
ON_BOTH_DATABASES(RequestsRpc);

TEST_P(RequestsRpc, ADraftBelongsToItsPartnerAndItsRequestor) {
  auto create = NewRequest("Short breaks");
  create.mutable_request()->set_about("Time off for families. We ask which breaks to buy.");
  auto request = Do<Request>(requestor_, create);
  EXPECT_EQ(request.state(), Request::DRAFT);
  EXPECT_EQ(request.partner(), std::string(kForum) + "/partners/wcc");
  EXPECT_EQ(request.requestor_person(), "p-requestor");
  EXPECT_EQ(request.activity_kind(), v1::Activity::HUB);
  EXPECT_EQ(request.requestor(), "Robin Example");
  EXPECT_FALSE(request.late());

  // The forum sees who comes, not the id that the partner keeps its officer by.
  Request seen = Look(request.name());
  EXPECT_EQ(seen.requestor(), "Robin Example");
  EXPECT_EQ(seen.requestor_person(), "");
  EXPECT_EQ(seen.about(), create.request().about());
  EXPECT_TRUE(Refused(
      mini_.Call<Request>(mini_.StrangerToken(), Named<v1::GetRequestRequest>(request.name()))
          .status(),
      errors::ROLE_NOT_ALLOWED));
}

TEST_P(RequestsRpc, TheNamesOfOfficersAreKeptForSixYears) {
  const auto request = Submitted("Short breaks");
  const auto later = [&](const std::string& date) {
    mini_.SetDate(date);
    EXPECT_TRUE(mini_.runtime().engine().EndRetentions(date).ok());
    return Look(request.name());
  };
  EXPECT_EQ(later("2027-11-14").requestor(), "Robin Example");
  const auto left = later("2027-11-15");
  EXPECT_EQ(left.requestor() + left.attendees(), "");
  EXPECT_EQ(left.team(), "Commissioning");
}

TEST_P(RequestsRpc, SubmissionSetsReviewAndTellsEverybody) {
  Hub("2021-12-03");
  auto session = Hub("2021-12-17");
  auto request = Submitted("Short breaks", session.name());
  EXPECT_EQ(request.state(), Request::SUBMITTED);
  EXPECT_EQ(request.submit_date(), "2021-11-15");
  EXPECT_EQ(request.review_date(), "2021-11-26");
  EXPECT_FALSE(request.late());
  for (const char* receiver :
       {"services", "forums/warwickshire", "forums/warwickshire/partners/wcc"}) {
    auto told = mini_.Published<events::RequestSubmitted>(receiver);
    ASSERT_EQ(told.size(), 1u) << receiver;
    EXPECT_EQ(told[0].request(), request.name());
    EXPECT_EQ(told[0].session(), session.name());
    EXPECT_EQ(told[0].title(), "Short breaks");
  }
}

TEST_P(RequestsRpc, ADecisionAlreadyMadeStaysADraft) {
  auto create = NewRequest("New threshold");
  create.mutable_request()->set_decision_stage(v1::Decision::DECIDED);
  auto request = Do<Request>(requestor_, create);
  auto submit = Named<v1::SubmitRequestRequest>(request.name());
  EXPECT_TRUE(Refused(mini_.Call<Request>(requestor_, submit).status(), errors::RULE_REFUSED,
                      "decided_only_as_update"));
  v1::UpdateRequestRequest update;
  update.mutable_request()->set_name(request.name());
  update.mutable_request()->set_purpose(Request::UPDATE);
  update.mutable_update_mask()->add_paths("purpose");
  Do<Request>(requestor_, update);
  EXPECT_EQ(Do<Request>(requestor_, submit).state(), Request::SUBMITTED);
}

TEST_P(RequestsRpc, IsAcceptedByOneWordOfEachSideInEitherOrder) {
  auto accept = Named<v1::AcceptRequestRequest>(Submitted("Short breaks").name());
  EXPECT_EQ(Do<Request>(chair_, accept).state(), Request::SUBMITTED);
  Do<Request>(chair_, accept);  // the same side again changes nothing
  auto one_person = mini_.Token(coproduction::options::v1::FACILITATOR, "p-chair");
  EXPECT_TRUE(
      Refused(mini_.Call<Request>(one_person, accept).status(), errors::RULE_REFUSED, "two_sides"));
  Do<Request>(chair_, Named<v1::TakeBackAcceptanceRequest>(accept.name()));
  EXPECT_EQ(Do<Request>(facilitator_, accept).state(), Request::SUBMITTED);
  EXPECT_EQ(Do<Request>(chair_, accept).state(), Request::ACCEPTED);
  EXPECT_EQ(mini_.Published<events::RequestAccepted>().size(), 1u);
  EXPECT_TRUE(Refused(mini_.Call<Request>(chair_, accept).status(), errors::STATE_NOT_ALLOWED));
}

TEST_P(RequestsRpc, ALateOneWaitsForTheChairsWaiver) {
  auto session = Hub("2021-11-26");
  auto request = Submitted("Short breaks", session.name());
  EXPECT_TRUE(request.late());
  auto accept = Named<v1::AcceptRequestRequest>(request.name());
  EXPECT_TRUE(Refused(mini_.Call<Request>(facilitator_, accept).status(), errors::RULE_REFUSED,
                      "late_needs_waiver"));
  auto waive = Named<v1::WaiveLatenessRequest>(request.name());
  waive.set_reason("The tender closes before the next session.");
  EXPECT_TRUE(Refused(mini_.Call<Request>(facilitator_, waive).status(), errors::ROLE_NOT_ALLOWED));
  Do<Request>(chair_, waive);
  Do<Request>(facilitator_, accept);
  EXPECT_EQ(Do<Request>(chair_, accept).state(), Request::ACCEPTED);
}

TEST_P(RequestsRpc, DecliningNeedsAReasonThatTheRequestorReads) {
  auto decline = Named<v1::DeclineRequestRequest>(Submitted("Short breaks").name());
  EXPECT_TRUE(
      Refused(mini_.Call<Request>(chair_, decline).status(), errors::FIELD_REQUIRED, "reason"));
  decline.set_reason("The survey of May answers this already.");
  Do<Request>(chair_, decline);
  auto read = Do<Request>(requestor_, Named<v1::GetRequestRequest>(decline.name()));
  EXPECT_EQ(read.state(), Request::DECLINED);
  EXPECT_EQ(read.decline_reason(), decline.reason());
}

TEST_P(RequestsRpc, InformationIsAskedForAndGiven) {
  auto ask = Named<v1::AskForInformationRequest>(Submitted("Short breaks").name());
  ask.set_question("Who pays for it?");
  EXPECT_EQ(Do<Request>(facilitator_, ask).state(), Request::NEEDS_INFORMATION);
  mini_.SetDate("2021-11-20");
  auto again = Do<Request>(requestor_, Named<v1::SubmitRequestRequest>(ask.name()));
  EXPECT_EQ(again.submit_date(), "2021-11-15");
  EXPECT_EQ(mini_.Published<events::RequestNeedsInformation>()[0].question(), ask.question());
}

TEST_P(RequestsRpc, AProjectWithoutAFundIsRefusedWithTheFundsThatCouldPay) {
  mini_.Answer<remuneration::CheckFundingRequest, remuneration::CheckFundingResponse>(
      [](const auto& in) -> StatusOr<remuneration::CheckFundingResponse> {
        EXPECT_EQ(in.activity_kind(), v1::Activity::PROJECT);
        EXPECT_EQ(in.partner(), std::string(kForum) + "/partners/wcc");
        EXPECT_EQ(in.date(), "2022-03-31");
        remuneration::CheckFundingResponse answer;
        answer.set_reason("the grant does not pay a PROJECT; Council contribution 2021 could");
        return answer;
      });
  auto create = NewRequest("Exclusion film");
  create.mutable_request()->set_activity_kind(v1::Activity::PROJECT);
  auto request = Do<Request>(requestor_, create);
  Do<Request>(requestor_, Named<v1::SubmitRequestRequest>(request.name()));
  auto refused =
      mini_.Call<Request>(chair_, Named<v1::AcceptRequestRequest>(request.name())).status();
  EXPECT_TRUE(Refused(refused, errors::RULE_REFUSED, "no_fund_pays"));
  EXPECT_THAT(MessageOf(refused), HasSubstr("Council contribution 2021"));
}

TEST_P(RequestsRpc, TheFundAgreedIsKeptAndPaysThePlacesInItsItems) {
  const std::string ours = std::string(kForum) + "/funds/ours";
  const std::string theirs = std::string(kForum) + "/funds/theirs";
  mini_.Answer<remuneration::CheckFundingRequest, remuneration::CheckFundingResponse>(
      [&](const auto& in) -> StatusOr<remuneration::CheckFundingResponse> {
        remuneration::CheckFundingResponse answer;
        answer.set_allowed(true);
        answer.set_fund(in.fund().empty() ? theirs : in.fund());
        return answer;
      });
  mini_.Answer<remuneration::ReserveCommitmentRequest, remuneration::Commitment>(
      [&](const auto& in) -> StatusOr<remuneration::Commitment> {
        EXPECT_EQ(in.activity_kind(), v1::Activity::PROJECT);
        EXPECT_EQ(in.fund(), ours);
        ++reserved_;
        remuneration::Commitment commitment;
        commitment.set_name(std::string(kForum) + "/commitments/c1");
        return commitment;
      });
  auto create = NewRequest("Exclusion film");
  create.mutable_request()->set_activity_kind(v1::Activity::PROJECT);
  auto request = Do<Request>(requestor_, create);
  Do<Request>(requestor_, Named<v1::SubmitRequestRequest>(request.name()));
  auto accept = Named<v1::AcceptRequestRequest>(request.name());
  EXPECT_EQ(Do<Request>(chair_, accept).fund(), theirs);  // none named: any that can
  EXPECT_FALSE(
      Do<Request>(chair_, Named<v1::TakeBackAcceptanceRequest>(request.name())).has_fund());
  accept.set_fund(ours);
  EXPECT_EQ(Do<Request>(chair_, accept).fund(), ours);
  accept.set_fund(theirs);
  EXPECT_TRUE(Refused(mini_.Call<Request>(facilitator_, accept).status(), errors::RULE_REFUSED,
                      "one_fund"));
  accept.clear_fund();
  auto accepted = Do<Request>(facilitator_, accept);
  EXPECT_EQ(accepted.state(), Request::ACCEPTED);
  EXPECT_EQ(accepted.fund(), ours);
  auto item = Do<v1::Item>(facilitator_, NewItem(accepted, Hub("2021-12-03")));
  Do<v1::Allocation>(chair_, Place("r1", item));
  EXPECT_EQ(reserved_, 1);
}

TEST_P(RequestsRpc, AReviewMissedIsToldOnce) {
  Hub("2021-12-03");
  auto request = Submitted("Short breaks");
  mini_.SetDate("2021-11-26");
  EXPECT_TRUE(mini_.Published<events::RequestReviewOverdue>().empty());
  mini_.SetDate("2021-11-27");
  mini_.SetDate("2021-12-10");
  auto told = mini_.Published<events::RequestReviewOverdue>("forums/warwickshire/partners/wcc");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].review_date(), "2021-11-26");
}

TEST_P(RequestsRpc, WithdrawingFreesTheAgenda) {
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  AgendaAgreed(session);
  Do<Request>(requestor_, Named<v1::WithdrawRequestRequest>(item.request()));
  mini_.SetDate("2021-11-16");  // the timers run
  EXPECT_EQ(Do<v1::Item>(chair_, Named<v1::GetItemRequest>(item.name())).state(),
            v1::Item::DROPPED);
  EXPECT_EQ(Do<v1::Session>(chair_, Named<v1::GetSessionRequest>(session.name())).state(),
            v1::Session::PLANNED);
  EXPECT_EQ(Look(item.request()).state(), Request::WITHDRAWN);
}

TEST_P(RequestsRpc, ATeamsOverdueFeedbackIsShownToTheReviewers) {
  auto request = Submitted("Short breaks");
  engagement::InfluenceFeedbackOverdue overdue;
  overdue.set_influence_account(std::string(kForum) + "/influenceAccounts/a1");
  overdue.set_partner(request.partner());
  overdue.set_team("Commissioning");
  ASSERT_TRUE(mini_.Deliver(overdue.influence_account(), overdue).ok());
  EXPECT_EQ(Look(request.name()).team_overdue_feedback(), 1);
  engagement::InfluenceFeedbackGiven given;
  given.set_influence_account(overdue.influence_account());
  ASSERT_TRUE(mini_.Deliver(given.influence_account(), given).ok());
  EXPECT_EQ(Look(request.name()).team_overdue_feedback(), 0);
}

TEST_P(RequestsRpc, FurtherInvolvementMakesOneLinkedDraft) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  engagement::FurtherInvolvementDecided decided;
  decided.set_further_involvement(std::string(kForum) + "/furtherInvolvements/" +
                                  IdOf(item.name()));
  decided.set_item(item.name());
  decided.set_request(item.request());
  decided.set_decision(FurtherInvolvement::NONE);
  ASSERT_TRUE(mini_.Deliver(decided.further_involvement(), decided).ok());
  EXPECT_EQ(mini_.Rows("requests"), 1);
  decided.set_decision(FurtherInvolvement::CO_DESIGN);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(mini_.Deliver(decided.further_involvement(), decided).ok());
  }
  EXPECT_EQ(mini_.Rows("requests"), 2);
  v1::ListRequestsRequest list;
  list.set_parent(kForum);
  list.set_filter("follow_up_of = \"" + item.name() + "\"");
  auto found = Do<v1::ListRequestsResponse>(requestor_, list);
  ASSERT_EQ(found.requests_size(), 1);
  EXPECT_EQ(found.requests(0).state(), Request::DRAFT);
  EXPECT_EQ(found.requests(0).requestor_person(), "p-requestor");
}

}  // namespace
}  // namespace hub::scheduling
