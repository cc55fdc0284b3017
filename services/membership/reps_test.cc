// Reps: good standing, conflicts of interest, and the life cycle on a real database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "common/testing/mini_service.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/documents.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/settings.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "services/membership/declarations_rules.h"
#include "services/membership/documents_rules.h"
#include "services/membership/forums_rules.h"
#include "services/membership/module.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
namespace opt = ::coproduction::options::v1;
using testing::kForum;
using testing::MiniService;
using testing::Refused;

v1::MembershipSettings Settings() {
  v1::MembershipSettings settings;
  settings.set_declaration_months(12);
  settings.set_acceptance_days(30);
  settings.set_acceptance_notice_days(14);
  return settings;
}

v1::Document Code(int number, const std::string& published_on) {
  v1::Document document;
  document.set_name("forums/w/documents/code" + std::to_string(number));
  document.set_kind(v1::Document::CODE_OF_CONDUCT);
  document.set_number(number);
  document.set_published_on(published_on);
  SetDays(&document, Settings());
  return document;
}

v1::Acceptance Of(const v1::Document& document) {
  v1::Acceptance acceptance;
  acceptance.set_document(document.name());
  return acceptance;
}

v1::Declaration Declared(const std::string& on) {
  v1::Declaration declaration;
  declaration.set_declared_on(on);
  declaration.set_lapses_on(LapsesOn(on, Settings()));
  return declaration;
}

TEST(RepsRules, GoodStandingNamesWhatIsMissing) {
  v1::Rep rep;
  Papers papers{{Code(1, "2021-08-01")}, {}, {}};
  EXPECT_THAT(MissingForStanding(rep, papers, "2021-09-01"),
              ::testing::AllOf(::testing::HasSubstr("induction"),
                               ::testing::HasSubstr("version 1 of the code of conduct"),
                               ::testing::HasSubstr("never declared")));
  rep.set_induction_done_on("2021-09-01");
  papers.acceptances = {Of(papers.documents[0])};
  papers.declarations = {Declared("2021-09-01")};
  EXPECT_EQ(MissingForStanding(rep, papers, "2021-09-01"), "");
  EXPECT_EQ(MissingForStanding(rep, papers, "2022-08-31"), "");
  EXPECT_THAT(MissingForStanding(rep, papers, "2022-09-01"),
              ::testing::HasSubstr("lapsed on 2022-09-01"));
}

TEST(RepsRules, ANewVersionGivesThirtyDaysToWhoAcceptedTheLast) {
  v1::Rep rep;
  rep.set_induction_done_on("2021-09-01");
  Papers papers{{Code(1, "2021-08-01"), Code(2, "2022-01-10")},
                {Of(Code(1, "2021-08-01"))},
                {Declared("2021-09-01")}};
  EXPECT_EQ(MissingForStanding(rep, papers, "2022-02-09"), "");
  EXPECT_THAT(MissingForStanding(rep, papers, "2022-02-10"), ::testing::HasSubstr("version 2"));
  papers.acceptances.push_back(Of(papers.documents[1]));
  EXPECT_EQ(MissingForStanding(rep, papers, "2022-02-10"), "");
}

TEST(RepsRules, AFirstVersionGivesThirtyDaysToWhoIsARepAlready) {
  v1::Rep rep;
  rep.set_induction_done_on("2021-09-01");
  Papers papers{{Code(1, "2022-01-10")}, {}, {Declared("2021-09-01")}};
  EXPECT_EQ(MissingForStanding(rep, papers, "2022-02-09"), "");
  EXPECT_THAT(MissingForStanding(rep, papers, "2022-02-10"), ::testing::HasSubstr("version 1"));
  rep.set_induction_done_on("2022-01-10");
  EXPECT_THAT(MissingForStanding(rep, papers, "2022-01-11"), ::testing::HasSubstr("version 1"));
}

TEST(RepsRules, AVersionIsRemindedOfFourteenDaysBeforeItIsRequired) {
  const v1::Document code = Code(1, "2022-01-10");
  EXPECT_EQ(code.required_from(), "2022-02-10");
  EXPECT_EQ(code.remind_on(), "2022-01-26");
  v1::MembershipSettings hasty = Settings();
  hasty.set_acceptance_days(7);
  v1::Document soon = code;
  SetDays(&soon, hasty);
  EXPECT_EQ(soon.remind_on(), "2022-01-10") << "never before it is there";
}

TEST(RepsRules, AnInductionIsDoneWithTheForumsSteps) {
  v1::Rep rep;
  v1::MembershipSettings settings = Settings();
  EXPECT_TRUE(CheckInductionDone(rep, settings).ok()) << "where the forum names none";
  EXPECT_TRUE(Refused(CheckInductionStep(rep, "Tea", settings), errors::INVALID_FIELD, "step"));
  settings.add_induction_steps("Safeguarding");
  settings.add_induction_steps("A session watched");
  EXPECT_TRUE(CheckInductionStep(rep, "Safeguarding", settings).ok());
  rep.add_induction_steps()->set_step("Safeguarding");
  EXPECT_TRUE(Refused(CheckInductionStep(rep, "Safeguarding", settings), errors::RULE_REFUSED,
                      "induction_step"));
  const Status missing = CheckInductionDone(rep, settings);
  EXPECT_TRUE(Refused(missing, errors::RULE_REFUSED, "induction"));
  EXPECT_THAT(std::string(missing.message()), ::testing::HasSubstr("A session watched"));
}

TEST(RepsRules, ADeclarationLapsesOnTheLastDayOfAShorterMonth) {
  EXPECT_EQ(LapsesOn("2024-02-29", Settings()), "2025-02-28");
  EXPECT_EQ(LapsesOn("2021-12-03", Settings()), "2022-12-03");
}

TEST(RepsRules, ADeclarationSaysEitherNothingOrWhat) {
  v1::Declaration declaration;
  EXPECT_TRUE(Refused(CheckDeclaration(declaration), errors::INVALID_FIELD, "declaration.nil"));
  declaration.set_nil(true);
  EXPECT_TRUE(CheckDeclaration(declaration).ok());
  declaration.add_interests()->set_party("Transport team");
  EXPECT_TRUE(Refused(CheckDeclaration(declaration), errors::INVALID_FIELD, "declaration.nil"));
}

TEST(ForumsRules, EachSideGrantsItsOwnRoles) {
  v1::Grant grant;
  grant.set_role(opt::CHAIR);
  EXPECT_TRUE(CheckGrant("warwickshire", grant, opt::FORUM, "").ok());
  EXPECT_TRUE(
      Refused(CheckGrant("warwickshire", grant, opt::PARTNER, "wcc"), errors::RULE_REFUSED));
  grant.set_role(opt::FACILITATOR);
  EXPECT_TRUE(Refused(CheckGrant("warwickshire", grant, opt::HUB, ""), errors::INVALID_FIELD,
                      "grant.partner"));
  grant.set_partner("forums/warwickshire/partners/wcc");
  EXPECT_TRUE(CheckGrant("warwickshire", grant, opt::PARTNER, "wcc").ok());
  EXPECT_TRUE(
      Refused(CheckGrant("warwickshire", grant, opt::PARTNER, "ccg"), errors::RULE_REFUSED));
  EXPECT_TRUE(Refused(CheckGrant("warwickshire", grant, opt::FORUM, ""), errors::RULE_REFUSED));
  grant.set_role(opt::OPERATOR);
  EXPECT_FALSE(CheckGrant("warwickshire", grant, opt::HUB, "").ok());
  grant.clear_partner();
  EXPECT_TRUE(
      Refused(CheckGrant("national", grant, opt::HUB, ""), errors::INVALID_FIELD, "grant.role"));
  grant.set_role(opt::CHAIR);
  EXPECT_TRUE(
      Refused(CheckGrant("national", grant, opt::HUB, ""), errors::INVALID_FIELD, "grant.role"));
  grant.set_role(opt::NATIONAL_READER);
  EXPECT_TRUE(CheckGrant("national", grant, opt::HUB, "").ok());
  EXPECT_TRUE(Refused(CheckGrant("warwickshire", grant, opt::HUB, ""), errors::INVALID_FIELD,
                      "grant.role"));
}

class Reps : public ::testing::TestWithParam<db::Engine> {
 protected:
  Reps() : mini_(MakeMembershipModule(), GetParam()), admin_(mini_.Token(opt::MEMBERSHIP_ADMIN)) {
    mini_.SetDate("2021-08-16");
    v1::CreateMemberRequest request;
    request.set_parent(kForum);
    auto* member = request.mutable_member();
    member->set_given_name("Ash");
    member->set_family_name("Example");
    member->set_joined_on("2021-05-10");
    auto created = mini_.Call<v1::Member>(admin_, request);
    EXPECT_TRUE(created.ok()) << created.status();
    member_ = created->name();
    rep_ = std::string(kForum) + "/reps/" + IdOf(member_);
  }
  template <class Req>
  Status Do() {
    Req request;
    request.set_name(rep_);
    return mini_.Call<v1::Rep>(admin_, request).status();
  }
  Status Apply() {
    v1::CreateRepRequest request;
    request.set_parent(kForum);
    request.set_member(member_);
    request.set_most_hours_a_month(4);
    return mini_.Call<v1::Rep>(admin_, request).status();
  }
  Status Declare(const std::string& party) {
    v1::MakeDeclarationRequest request;
    request.set_parent(kForum);
    request.mutable_declaration()->set_rep(rep_);
    request.mutable_declaration()->set_nil(party.empty());
    if (!party.empty()) {
      auto* interest = request.mutable_declaration()->add_interests();
      interest->set_kind(v1::Interest::FINANCIAL);
      interest->set_party(party);
    }
    return mini_.Call<v1::Declaration>(admin_, request).status();
  }
  v1::CheckAllocationResponse Check(const std::string& party) {
    v1::CheckAllocationRequest request;
    request.set_parent(kForum);
    request.set_rep(rep_);
    request.add_parties(party);
    auto answer =
        mini_.Call<v1::CheckAllocationResponse>(mini_.ServiceToken("scheduling"), request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : v1::CheckAllocationResponse();
  }

  MiniService mini_;
  std::string admin_, member_, rep_;
};

ON_BOTH_DATABASES(Reps);

TEST_P(Reps, FromApplicationToThePoolAndBack) {
  ASSERT_TRUE(Apply().ok());
  EXPECT_TRUE(Refused(Apply(), errors::RESOURCE_EXISTS));
  EXPECT_TRUE(Refused(Do<v1::ActivateRepRequest>(), errors::STATE_NOT_ALLOWED, "APPLIED"));
  ASSERT_TRUE(Do<v1::StartInductionRequest>().ok());
  EXPECT_TRUE(Refused(Do<v1::ActivateRepRequest>(), errors::RULE_REFUSED, "good_standing"));
  ASSERT_TRUE(Do<v1::CompleteInductionRequest>().ok());
  ASSERT_TRUE(Declare("").ok());
  ASSERT_TRUE(Do<v1::ActivateRepRequest>().ok());
  EXPECT_EQ(mini_.Published<events::RepActivated>("forums/warwickshire").size(), 1u);
  EXPECT_TRUE(Check("Transport team").allowed());
  ASSERT_TRUE(Declare("Transport team").ok());
  EXPECT_EQ(Check("transport team").reason(), v1::CheckAllocationResponse::CONFLICT_OF_INTEREST);
  EXPECT_TRUE(Check("Admissions team").allowed());
  EXPECT_EQ(Check("Admissions team").most_hours_a_month(), 4);
  ASSERT_TRUE(Do<v1::PauseRepRequest>().ok());
  EXPECT_EQ(Check("Admissions team").reason(), v1::CheckAllocationResponse::NOT_ACTIVE);
  EXPECT_EQ(mini_.Published<events::RepPaused>().size(), 1u);
}

TEST_P(Reps, HowManyHoursIsTheRepsOwnToSay) {
  ASSERT_TRUE(Apply().ok());
  v1::UpdateRepRequest update;
  update.mutable_rep()->set_name(rep_);
  update.mutable_rep()->set_most_hours_a_month(10);
  update.mutable_update_mask()->add_paths("most_hours_a_month");
  EXPECT_TRUE(Refused(mini_.Call<v1::Rep>(mini_.Token(opt::CHAIR), update).status(),
                      errors::ROLE_NOT_ALLOWED));
  EXPECT_TRUE(Refused(mini_.Call<v1::Rep>(mini_.Token(opt::REP, "another"), update).status(),
                      errors::RESOURCE_NOT_FOUND));
  auto own = mini_.Call<v1::Rep>(mini_.Token(opt::REP, IdOf(member_)), update);
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->most_hours_a_month(), 10);
  update.mutable_update_mask()->set_paths(0, "induction_steps");
  EXPECT_FALSE(mini_.Call<v1::Rep>(admin_, update).ok());
}

TEST_P(Reps, StandingLapsesByItselfOnce) {
  ASSERT_TRUE(Apply().ok());
  ASSERT_TRUE(Do<v1::StartInductionRequest>().ok());
  ASSERT_TRUE(Do<v1::CompleteInductionRequest>().ok());
  ASSERT_TRUE(Declare("").ok());
  ASSERT_TRUE(Do<v1::ActivateRepRequest>().ok());
  mini_.SetDate("2022-08-15");
  EXPECT_TRUE(mini_.Published<events::GoodStandingLapsed>().empty());
  mini_.SetDate("2022-08-16");
  mini_.SetDate("2022-08-17");
  EXPECT_EQ(mini_.Published<events::GoodStandingLapsed>().size(), 1u);
  EXPECT_EQ(Check("x").reason(), v1::CheckAllocationResponse::NOT_IN_GOOD_STANDING);
  ASSERT_TRUE(Declare("").ok());
  EXPECT_TRUE(Check("x").allowed());
}

TEST_P(Reps, ANewVersionIsRemindedOfAndThenTakesGoodStandingUntilItIsAccepted) {
  ASSERT_TRUE(Apply().ok());
  ASSERT_TRUE(Do<v1::StartInductionRequest>().ok());
  ASSERT_TRUE(Do<v1::CompleteInductionRequest>().ok());
  ASSERT_TRUE(Declare("").ok());
  ASSERT_TRUE(Do<v1::ActivateRepRequest>().ok());
  mini_.SetDate("2021-09-01");
  v1::PublishDocumentRequest publish;
  publish.set_parent(kForum);
  publish.mutable_document()->set_kind(v1::Document::CODE_OF_CONDUCT);
  publish.mutable_document()->set_text("Be kind.");
  auto code = mini_.Call<v1::Document>(admin_, publish);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(code->required_from(), "2021-10-02");
  v1::FindMissingAcceptancesRequest find;
  find.set_name(code->name());
  auto missing = mini_.Call<v1::FindMissingAcceptancesResponse>(admin_, find);
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_THAT(missing->reps(), ::testing::ElementsAre(rep_));
  mini_.SetDate("2021-09-16");
  EXPECT_TRUE(mini_.Published<events::AcceptanceDue>().empty());
  mini_.SetDate("2021-09-17");
  mini_.SetDate("2021-09-18");
  const auto told = mini_.Published<events::AcceptanceDue>("forums/warwickshire");
  ASSERT_EQ(told.size(), 1u) << "once";
  EXPECT_THAT(told[0].documents(), ::testing::ElementsAre(code->name()));
  EXPECT_EQ(told[0].required_from(), "2021-10-02");
  EXPECT_TRUE(Check("x").allowed());
  mini_.SetDate("2021-10-02");
  EXPECT_EQ(mini_.Published<events::GoodStandingLapsed>().size(), 1u);
  EXPECT_EQ(Check("x").reason(), v1::CheckAllocationResponse::NOT_IN_GOOD_STANDING);
  ASSERT_TRUE(Declare("").ok());
  mini_.SetDate("2021-10-03");
  EXPECT_EQ(mini_.Published<events::GoodStandingLapsed>().size(), 1u) << "it was not regained";
  v1::AcceptDocumentRequest accept;
  accept.set_name(code->name());
  accept.set_rep(rep_);
  accept.set_text_hash(code->text_hash());
  ASSERT_TRUE(mini_.Call<v1::Acceptance>(admin_, accept).ok());
  EXPECT_TRUE(Check("x").allowed());
  EXPECT_EQ(mini_.Rows("reps WHERE standing_lapsed_on <> ''"), 0);
  missing = mini_.Call<v1::FindMissingAcceptancesResponse>(admin_, find);
  EXPECT_TRUE(missing.ok() && missing->reps().empty());
}

TEST_P(Reps, TheInductionsStepsAreDoneOneByOne) {
  v1::UpdateMembershipSettingsRequest set;
  set.mutable_membership_settings()->set_name("forums/warwickshire/membershipSettings");
  set.mutable_membership_settings()->add_induction_steps("Safeguarding");
  set.mutable_update_mask()->add_paths("induction_steps");
  ASSERT_TRUE(mini_.Call<v1::MembershipSettings>(mini_.Token(opt::CHAIR), set).ok());
  ASSERT_TRUE(Apply().ok());
  ASSERT_TRUE(Do<v1::StartInductionRequest>().ok());
  EXPECT_TRUE(Refused(Do<v1::CompleteInductionRequest>(), errors::RULE_REFUSED, "induction"));
  EXPECT_THAT(Check("x").reason_for_chair(),
              ::testing::HasSubstr("the induction is not done, to do: Safeguarding"));
  v1::CompleteInductionStepRequest step;
  step.set_name(rep_);
  step.set_step("Safeguarding");
  auto done = mini_.Call<v1::Rep>(admin_, step);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->induction_steps(0).done_on(), "2021-08-16");
  EXPECT_TRUE(Do<v1::CompleteInductionRequest>().ok());
}

TEST_P(Reps, ThePoolIsHadAsOfAnyDate) {
  ASSERT_TRUE(Apply().ok());
  ASSERT_TRUE(Do<v1::StartInductionRequest>().ok());
  ASSERT_TRUE(Do<v1::CompleteInductionRequest>().ok());
  ASSERT_TRUE(Declare("").ok());
  mini_.SetDate("2021-09-01");
  ASSERT_TRUE(Do<v1::ActivateRepRequest>().ok());
  mini_.SetDate("2021-10-01");
  ASSERT_TRUE(Do<v1::PauseRepRequest>().ok());
  const auto pool = [&](const std::string& date, const std::string& since) {
    v1::GetPoolRequest request;
    request.set_parent(kForum);
    request.set_date(date);
    request.set_since(since);
    auto told = mini_.Call<v1::Pool>(admin_, request);
    EXPECT_TRUE(told.ok()) << told.status();
    return told.ok() ? *told : v1::Pool();
  };
  EXPECT_TRUE(pool("2021-08-31", "").reps().empty());
  EXPECT_THAT(pool("2021-09-01", "2021-08-31").entered(), ::testing::ElementsAre(rep_));
  EXPECT_THAT(pool("2021-09-30", "").reps(), ::testing::ElementsAre(rep_));
  EXPECT_TRUE(pool("2021-09-30", "").entered().empty());
  EXPECT_THAT(pool("", "2021-09-30").left(), ::testing::ElementsAre(rep_));
}

TEST_P(Reps, AConflictIsToldOnceWhetherThePlaceOrTheDeclarationComesFirst) {
  ASSERT_TRUE(Apply().ok());
  auto placed = [&](const std::string& id, const std::string& date,
                    const std::vector<std::string>& parties) {
    coproduction::scheduling::events::v1::RepAllocated event;
    event.set_allocation(std::string(kForum) + "/allocations/" + id);
    event.set_rep(rep_);
    event.set_session_date(date);
    for (const auto& party : parties) event.add_parties(party);
    ASSERT_TRUE(mini_.Deliver(event.allocation(), event).ok());
  };
  auto told = [&] { return mini_.Published<events::ConflictFound>("forums/warwickshire"); };
  placed("bus", "2021-09-03", {"Transport team", "School buses"});
  placed("schools", "2021-09-03", {"Admissions team"});
  placed("long-ago", "2021-08-15", {"Transport team"});
  ASSERT_TRUE(Declare("").ok());
  EXPECT_TRUE(told().empty());
  ASSERT_TRUE(Declare("Transport team").ok());
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].rep(), rep_);
  EXPECT_EQ(told()[0].allocation(), std::string(kForum) + "/allocations/bus");
  ASSERT_TRUE(Declare("Transport team").ok());
  EXPECT_EQ(told().size(), 1u);
  // Scheduling asked a moment before the declaration, and tells of the place after it.
  placed("late", "2021-09-17", {"transport team"});
  ASSERT_EQ(told().size(), 2u);
  EXPECT_EQ(told()[1].allocation(), std::string(kForum) + "/allocations/late");
  EXPECT_EQ(mini_.Rows("places"), 1);
}

TEST_P(Reps, CharacteristicsAreSealedAndTheOwnPersonsAlone) {
  const std::string own = mini_.Token(opt::MEMBER, IdOf(member_));
  v1::SetCharacteristicsRequest set;
  set.set_parent(kForum);
  set.mutable_characteristics()->set_ethnicity_words("canary-ethnicity");
  set.mutable_characteristics()->set_disability(v1::YES);
  auto stored = mini_.Call<v1::MemberCharacteristics>(own, set);
  ASSERT_TRUE(stored.ok()) << stored.status();
  set.mutable_characteristics()->set_etag(stored->etag());
  set.mutable_characteristics()->set_disability(v1::NO);
  EXPECT_TRUE(mini_.Call<v1::MemberCharacteristics>(own, set).ok());
  set.mutable_characteristics()->set_disability(v1::YES);  // said on what was read before
  EXPECT_TRUE(
      Refused(mini_.Call<v1::MemberCharacteristics>(own, set).status(), errors::ETAG_MISMATCH));
  v1::GetCharacteristicsRequest get;
  get.set_name(stored->name());
  auto read = mini_.Call<v1::MemberCharacteristics>(own, get);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->ethnicity_words(), "canary-ethnicity");
  EXPECT_TRUE(Refused(mini_.Call<v1::MemberCharacteristics>(admin_, get).status(),
                      errors::ROLE_NOT_ALLOWED));
  // Not in the table, and nobody outside is told.
  ASSERT_TRUE(mini_.runtime()
                  .engine()
                  .config()
                  .store
                  ->ReadAndWait([](db::Conn& conn) {
                    return conn.Query(
                        "SELECT body FROM characteristics", {}, [](const db::Row& row) {
                          EXPECT_EQ(std::string(row.Blob(0)).find("canary"), std::string::npos);
                          return Status();
                        });
                  })
                  .ok());
  for (const auto& event : mini_.Events("forums/warwickshire")) {
    EXPECT_THAT(event.subject(), ::testing::Not(::testing::HasSubstr("characteristics")));
  }
}

}  // namespace
}  // namespace hub::membership
