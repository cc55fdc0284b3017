// Interests, recusals and what they contradict: rules, and the handlers on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/membership/v1/rights.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "services/membership/conflicts_rules.h"
#include "services/membership/declarations_rules.h"
#include "services/membership/module.h"
#include "services/membership/recusals_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
namespace opt = ::coproduction::options::v1;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kForum;
using testing::MiniService;
using ::testing::Not;
using testing::Refused;

v1::Declaration Declared(const std::string& on) {
  v1::Declaration declaration;
  declaration.set_name("forums/w/declarations/" + on);
  declaration.set_declared_on(on);
  return declaration;
}

v1::Recusal From(const std::string& party, const std::string& ends_on = "") {
  v1::Recusal recusal;
  recusal.set_state(v1::Recusal::ACTIVE);
  recusal.set_party(party);
  recusal.set_ends_on(ends_on);
  return recusal;
}

TEST(ConflictsRules, AnInterestTiesWhileItLastsAndTheLastDeclarationAloneCounts) {
  v1::Declaration declaration = Declared("2021-10-04");
  auto* interest = declaration.add_interests();
  interest->set_party("Transport team");
  interest->set_since_on("2020-01-06");
  auto why = [&](const std::vector<std::string>& parties, const std::string& today) {
    return ConflictIn(TiesOn({Declared("2020-10-04"), declaration}, {}, today), parties);
  };
  EXPECT_EQ(why({"wcc", " transport TEAM "}, "2022-01-01"),
            "declared an interest in Transport team");
  EXPECT_EQ(why({"wcc", "Admissions team", ""}, "2022-01-01"), "");
  EXPECT_EQ(why({"Transport team"}, "2020-01-05"), "");
  interest->set_until_on("2021-12-31");
  EXPECT_EQ(why({"Transport team"}, "2022-01-01"), "");
  EXPECT_NE(why({"Transport team"}, "2021-12-31"), "");
  EXPECT_THAT(TiesOn({declaration, Declared("2021-11-04")}, {}, "2021-12-31"), IsEmpty());
}

TEST(ConflictsRules, ARecusalTiesUntilItEnds) {
  auto why = [&](const v1::Recusal& recusal, const std::string& today) {
    return ConflictIn(TiesOn({}, {recusal}, today), {"tribunal TEAM"});
  };
  EXPECT_EQ(why(From("Tribunal team"), "2022-01-01"), "steps back from Tribunal team");
  EXPECT_NE(why(From("Tribunal team", "2022-01-02"), "2022-01-01"), "");
  EXPECT_EQ(why(From("Tribunal team", "2022-01-02"), "2022-01-02"), "");
  v1::Recusal ended = From("Tribunal team");
  ended.set_state(v1::Recusal::ENDED);
  EXPECT_EQ(why(ended, "2022-01-01"), "");
  EXPECT_EQ(why(From(""), "2022-01-01"), "");  // what an erasure leaves
  EXPECT_TRUE(Refused(CheckRecusal(From("x", "2022-01-01"), "2022-01-01"), errors::INVALID_FIELD,
                      "recusal.ends_on"));
  EXPECT_TRUE(CheckRecusal(From("x"), "2022-01-01").ok());
}

// Against a count by hand: whatever interests and recusals there are, the places in their matters,
// and no others, are contradicted.
TEST(ConflictsRules, ThePlacesInTheMattersOfWhatTiesAreContradictedAndNoOthers) {
  EXPECT_TRUE(rc::check([] {
    const int today = 5;
    auto date = [](int day) { return absl::StrCat("2022-01-0", day); };
    auto party = [](int n) { return absl::StrCat("Team ", n); };
    std::set<int> tied;
    v1::Declaration declaration = Declared("2022-01-01");
    std::vector<v1::Recusal> recusals;
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      const int of = *rc::gen::inRange(0, 6), from = *rc::gen::inRange(1, 9),
                until = *rc::gen::inRange(0, 9);
      auto* interest = declaration.add_interests();
      interest->set_party(party(of));
      interest->set_since_on(date(from));
      if (until > 0) interest->set_until_on(date(until));
      if (from <= today && (until == 0 || until >= today)) tied.insert(of);
    }
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      const int of = *rc::gen::inRange(0, 6), ends = *rc::gen::inRange(0, 9);
      recusals.push_back(From(absl::AsciiStrToUpper(party(of)), ends == 0 ? "" : date(ends)));
      if (ends == 0 || ends > today) tied.insert(of);
    }
    std::vector<PlaceParty> places;
    std::set<std::string> expected;
    for (int i = *rc::gen::inRange(0, 8); i > 0; --i) {
      const int place = *rc::gen::inRange(0, 4), of = *rc::gen::inRange(0, 6);
      places.push_back({absl::StrCat("a", place), party(of)});
      if (tied.count(of) > 0) expected.insert(absl::StrCat("a", place));
    }
    RC_ASSERT(Contradicted(TiesOn({declaration}, recusals, date(today)), places) == expected);
  }));
}

TEST(ConflictsRules, TheRegisterHasWhatLastsByPartyAndWhatIsOverdueTheDayAfter) {
  v1::Declaration ash = Declared("2021-08-16"), bo = Declared("2021-08-17");
  ash.set_rep("forums/w/reps/ash");
  ash.set_lapses_on("2022-08-16");
  for (const char* party : {"Transport team", "Admissions team", "Old team"}) {
    auto* interest = ash.add_interests();
    interest->set_kind(v1::Interest::FINANCIAL);
    interest->set_party(party);
  }
  ash.mutable_interests(2)->set_until_on("2021-12-31");
  bo.set_rep("forums/w/reps/bo");
  bo.set_lapses_on("2022-08-17");
  bo.set_nil(true);
  const auto out = RegisterOf({ash, bo}, "2022-01-01");
  ASSERT_EQ(out.entries_size(), 3);
  EXPECT_TRUE(out.entries(0).nil());
  EXPECT_EQ(out.entries(1).party(), "Admissions team");
  EXPECT_EQ(out.entries(2).party(), "Transport team");
  EXPECT_THAT(OverdueOf({ash, bo}, "2022-08-16").declarations(), IsEmpty());
  const auto overdue = OverdueOf({bo, ash}, "2022-08-18");
  ASSERT_EQ(overdue.declarations_size(), 2);
  EXPECT_EQ(overdue.declarations(0).rep(), ash.rep());
  EXPECT_EQ(overdue.declarations(0).days(), 2);
}

class Interests : public ::testing::TestWithParam<db::Engine> {
 protected:
  Interests()
      : mini_(MakeMembershipModule(), GetParam()),
        admin_(mini_.Token(opt::MEMBERSHIP_ADMIN)),
        chair_(mini_.Token(opt::CHAIR)) {
    mini_.SetDate("2021-08-16");
    v1::CreateMemberRequest request;
    request.set_parent(kForum);
    request.mutable_member()->set_given_name("Ash");
    request.mutable_member()->set_family_name("Example");
    request.mutable_member()->set_joined_on("2021-05-10");
    const auto member = mini_.Call<v1::Member>(admin_, request);
    EXPECT_TRUE(member.ok()) << member.status();
    member_ = member->name();
    rep_ = std::string(kForum) + "/reps/" + IdOf(member_);
    own_ = mini_.Token(opt::REP, IdOf(member_));
    v1::CreateRepRequest apply;
    apply.set_parent(kForum);
    apply.set_member(member_);
    EXPECT_TRUE(mini_.Call<v1::Rep>(admin_, apply).ok());
    EXPECT_TRUE(Do<v1::StartInductionRequest>().ok());
    EXPECT_TRUE(Do<v1::CompleteInductionRequest>().ok());
    EXPECT_TRUE(Declare("").ok());
    EXPECT_TRUE(Do<v1::ActivateRepRequest>().ok());
  }
  template <class Req>
  Status Do() {
    Req request;
    request.set_name(rep_);
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
      interest->set_what("I am paid by it.");
    }
    return mini_.Call<v1::Declaration>(admin_, request).status();
  }
  StatusOr<v1::Recusal> Recuse(const std::string& token, const std::string& party,
                               const std::string& ends_on = "") {
    v1::MakeRecusalRequest request;
    request.set_parent(kForum);
    request.mutable_recusal()->set_rep(rep_);
    request.mutable_recusal()->set_party(party);
    request.mutable_recusal()->set_ends_on(ends_on);
    return mini_.Call<v1::Recusal>(token, request);
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
  Status Placed(const std::string& id, const std::string& party) {
    coproduction::scheduling::events::v1::RepAllocated event;
    event.set_allocation(std::string(kForum) + "/allocations/" + id);
    event.set_rep(rep_);
    event.set_session_date("2021-09-03");
    event.add_parties(party);
    return mini_.Deliver(event.allocation(), event);
  }
  StatusOr<v1::Register> RegisterAs(const std::string& token) {
    v1::GetRegisterRequest request;
    request.set_parent(kForum);
    return mini_.Call<v1::Register>(token, request);
  }

  MiniService mini_;
  std::string admin_, chair_, member_, rep_, own_;
};

ON_BOTH_DATABASES(Interests);

TEST_P(Interests, ARecusalStopsPlacesAndEndsThoseThereAreUntilItEnds) {
  ASSERT_TRUE(Placed("tribunal", "Tribunal team").ok());
  ASSERT_TRUE(Placed("buses", "Transport team").ok());
  EXPECT_TRUE(Check("Tribunal team").allowed());
  const auto recusal = Recuse(own_, "Tribunal team");
  ASSERT_TRUE(recusal.ok()) << recusal.status();
  const auto told = mini_.Published<events::ConflictFound>(kForum);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].allocation(), std::string(kForum) + "/allocations/tribunal");
  EXPECT_EQ(Check("tribunal team").reason(), v1::CheckAllocationResponse::CONFLICT_OF_INTEREST);
  EXPECT_EQ(Check("tribunal team").reason_for_chair(), "steps back from Tribunal team");
  EXPECT_TRUE(Check("Transport team").allowed());
  // Scheduling asked a moment before, and tells of the place after it.
  ASSERT_TRUE(Placed("late", "Tribunal team").ok());
  EXPECT_EQ(mini_.Published<events::ConflictFound>(kForum).size(), 2u);
  v1::EndRecusalRequest end;
  end.set_name(recusal->name());
  ASSERT_TRUE(mini_.Call<v1::Recusal>(chair_, end).ok());
  EXPECT_TRUE(Check("Tribunal team").allowed());
  EXPECT_TRUE(Refused(mini_.Call<v1::Recusal>(chair_, end).status(), errors::STATE_NOT_ALLOWED));
  ASSERT_EQ(mini_.Published<events::RecusalMade>(kForum).size(), 1u);
  ASSERT_EQ(mini_.Published<events::RecusalEnded>(kForum).size(), 1u);
  for (const auto& event : mini_.Events(kForum)) {
    EXPECT_THAT(event.data(), Not(HasSubstr("Tribunal")));
  }
}

TEST_P(Interests, ARecusalEndsByItselfOnce) {
  EXPECT_TRUE(Refused(Recuse(own_, "Tribunal team", "2021-08-16").status(), errors::INVALID_FIELD));
  ASSERT_TRUE(Recuse(chair_, "Tribunal team", "2021-10-01").ok());
  mini_.SetDate("2021-09-30");
  EXPECT_FALSE(Check("Tribunal team").allowed());
  EXPECT_TRUE(mini_.Published<events::RecusalEnded>().empty());
  mini_.SetDate("2021-10-01");
  mini_.SetDate("2021-10-02");
  EXPECT_TRUE(Check("Tribunal team").allowed());
  const auto told = mini_.Published<events::RecusalEnded>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].ends_on(), "2021-10-01");
}

TEST_P(Interests, ALapseIsToldBeforeOncePerDeclarationAndListedAfter) {
  mini_.SetDate("2022-07-18");  // 29 days before
  EXPECT_TRUE(mini_.Published<events::DeclarationDue>().empty());
  mini_.SetDate("2022-07-19");
  mini_.SetDate("2022-07-20");
  const auto told = mini_.Published<events::DeclarationDue>(kForum);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].rep(), rep_);
  EXPECT_EQ(told[0].lapses_on(), "2022-08-16");
  v1::GetOverdueDeclarationsRequest request;
  request.set_parent(kForum);
  auto overdue = [&] {
    auto answer = mini_.Call<v1::OverdueDeclarations>(chair_, request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : v1::OverdueDeclarations();
  };
  mini_.SetDate("2022-08-16");
  EXPECT_EQ(overdue().declarations_size(), 0);
  mini_.SetDate("2022-08-17");  // 12 months and a day
  ASSERT_EQ(overdue().declarations_size(), 1);
  EXPECT_EQ(overdue().declarations(0).rep(), rep_);
  EXPECT_EQ(overdue().declarations(0).days(), 1);
  ASSERT_TRUE(Declare("").ok());
  EXPECT_EQ(overdue().declarations_size(), 0);
  // One that was declared anew before its notice is not told of.
  mini_.SetDate("2023-07-01");
  ASSERT_TRUE(Declare("").ok());
  mini_.SetDate("2023-08-17");
  EXPECT_EQ(mini_.Published<events::DeclarationDue>().size(), 1u);
}

TEST_P(Interests, TheRegisterShowsEachReaderWhatIsTheirs) {
  ASSERT_TRUE(Declare("Transport team").ok());
  ASSERT_TRUE(Recuse(own_, "Tribunal team").ok());
  auto full = RegisterAs(chair_), of_forum = RegisterAs(own_),
       open = RegisterAs(mini_.Token(opt::FACILITATOR));
  ASSERT_TRUE(full.ok() && of_forum.ok() && open.ok()) << open.status();
  for (const auto* one : {&*full, &*of_forum, &*open}) {
    ASSERT_EQ(one->entries_size(), 1);  // recusals are in no register
    EXPECT_EQ(one->entries(0).party(), "Transport team");
    EXPECT_EQ(one->entries(0).kind(), v1::Interest::FINANCIAL);
  }
  EXPECT_EQ(full->entries(0).rep(), rep_);
  EXPECT_EQ(full->entries(0).what(), "I am paid by it.");
  EXPECT_EQ(of_forum->entries(0).rep(), rep_);
  EXPECT_EQ(of_forum->entries(0).what(), "");
  EXPECT_EQ(open->entries(0).rep(), "");
  EXPECT_EQ(open->entries(0).lapses_on(), "");
  EXPECT_EQ(open->entries(0).what(), "");

  v1::CreateRightsRequestRequest create;
  create.set_parent(kForum);
  create.set_member(member_);
  create.set_kind(v1::RightsRequest::RESTRICTION);
  create.set_ground(v1::Restriction::ACCURACY_CONTESTED);
  const auto request = mini_.Call<v1::RightsRequest>(admin_, create);
  ASSERT_TRUE(request.ok()) << request.status();
  v1::CompleteRightsRequestRequest complete;
  complete.set_name(request->name());
  complete.set_outcome("as asked");
  ASSERT_TRUE(mini_.Call<v1::RightsRequest>(admin_, complete).ok());
  EXPECT_EQ(RegisterAs(chair_)->entries_size(), 0);
}

}  // namespace
}  // namespace hub::membership
