#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/scheduling/events/v1/reps.pb.h"
#include "services/scheduling/allocations_rules.h"
#include "services/scheduling/mini_scheduling.h"

namespace hub::scheduling {
namespace {

namespace events = ::coproduction::scheduling::events::v1;
namespace membership_events = ::coproduction::membership::events::v1;
using hub::testing::kForum;
using hub::testing::Refused;
using v1::Invitation;
using v1::Item;
using v1::Session;

std::string RuleFor(const std::string& rep, Session::Series series, Session::State state,
                    const std::optional<Item>& item, Invitation::Reply reply,
                    const std::set<std::string>& placed) {
  Session session;
  session.set_series(series);
  session.set_state(state);
  session.set_date("2022-01-14");
  v1::SchedulingSettings settings;
  settings.set_most_reps(6);
  Status status = MayBeAllocated(rep, session, item, reply, placed, settings);
  return status.ok() ? "" : ErrorInfoOf(status).metadata().at("rule");
}

Item Planned(Item::State state = Item::PLANNED) {
  Item item;
  item.set_state(state);
  return item;
}

TEST(Membership, SaysWhoMayNot) {
  using Word = coproduction::membership::v1::CheckAllocationResponse;
  Word word;
  auto rule = [&](Word::Reason reason) {
    word.set_reason(reason);
    return ErrorInfoOf(MembershipAllows(word)).metadata().at("rule");
  };
  EXPECT_EQ(rule(Word::CONFLICT_OF_INTEREST), "conflict_of_interest");
  word.set_reason_for_chair("declared an interest in Transport team");
  EXPECT_EQ(MessageOf(MembershipAllows(word)),
            "the rep declared an interest in Transport team, so another rep takes the place");
  word.set_reason_for_chair("the induction is not done, to do: Safeguarding");
  EXPECT_EQ(rule(Word::NOT_IN_GOOD_STANDING), "not_in_good_standing");
  EXPECT_EQ(MessageOf(MembershipAllows(word)),
            "the rep is not in good standing: the induction is not done, to do: Safeguarding; that "
            "comes first, or another rep takes the place");
  EXPECT_EQ(rule(Word::NOT_ACTIVE), "rep_not_active");
  EXPECT_EQ(rule(Word::RESTRICTED), "restricted");
  EXPECT_EQ(ErrorInfoOf(MayBeInvited(word)).metadata().at("rule"), "restricted");
  word.set_reason(Word::NOT_ACTIVE);
  EXPECT_TRUE(MayBeInvited(word).ok());
  word.set_not_to_be_invited(true);
  EXPECT_EQ(ErrorInfoOf(MayBeInvited(word)).metadata().at("rule"), "no_invitations");
  word.set_allowed(true);
  EXPECT_TRUE(MembershipAllows(word).ok());
}

TEST(Membership, IsAskedAboutAllPartiesAndItsAnswerAges) {
  EXPECT_TRUE(PartiesOf({}).empty());
  v1::EngagementRequest request;
  request.set_partner("forums/w/partners/wcc");
  request.set_team("Commissioning");
  request.set_title("Re-tendering");
  EXPECT_EQ(PartiesOf(request).size(), 3u);
  request.set_matter("alternative-provision");
  EXPECT_EQ(PartiesOf(request).back(), "alternative-provision");
  request.set_supplier("Example Breaks Ltd");
  EXPECT_EQ(PartiesOf(request).back(), "Example Breaks Ltd");
  EXPECT_TRUE(FreshEnough(5'000'000).ok());
  EXPECT_EQ(ReasonOf(FreshEnough(5'000'001)), errors::TEMPORARILY_UNAVAILABLE);
}

TEST(Places, AreBookedAsTheSessionUnlessAFundWasAgreedForTheRequest) {
  Session session;
  session.set_activity_kind(v1::Activity::HUB);
  EXPECT_EQ(BookedAs(session, {}).kind, v1::Activity::HUB);
  v1::EngagementRequest request;
  request.set_activity_kind(v1::Activity::PRIORITY);
  EXPECT_EQ(BookedAs(session, request).kind, v1::Activity::HUB);
  EXPECT_EQ(BookedAs(session, request).fund, "");
  request.set_activity_kind(v1::Activity::PROJECT);
  request.set_fund("forums/w/funds/f");
  EXPECT_EQ(BookedAs(session, request).kind, v1::Activity::PROJECT);
  EXPECT_EQ(BookedAs(session, request).fund, "forums/w/funds/f");
}

TEST(Places, SixRepsHaveOneTheSeventhHasNot) {
  const std::set<std::string> five = {"a", "b", "c", "d", "e"};
  const std::set<std::string> six = {"a", "b", "c", "d", "e", "f"};
  auto rule = [](const std::string& rep, const std::set<std::string>& placed) {
    return RuleFor(rep, Session::HUB, Session::AGENDA_AGREED, Planned(), Invitation::YES, placed);
  };
  EXPECT_EQ(rule("f", five), "");
  EXPECT_EQ(rule("g", six), "session_full");
  EXPECT_EQ(rule("a", six), "");  // another item of the session: no second place
}

TEST(Places, InAHubSessionAreInItemsElsewhereInTheWhole) {
  EXPECT_EQ(RuleFor("a", Session::HUB, Session::PLANNED, {}, Invitation::YES, {}),
            "unit_is_an_item");
  EXPECT_EQ(RuleFor("a", Session::PREP, Session::PLANNED, {}, Invitation::YES, {}), "");
  EXPECT_EQ(RuleFor("a", Session::BOARD, Session::PLANNED, {}, Invitation::YES, {}), "");
}

TEST(Places, AreGivenOnlyBeforeAndNotToWhoSaidNo) {
  EXPECT_EQ(RuleFor("a", Session::HUB, Session::HELD, Planned(), Invitation::YES, {}),
            "session_over");
  EXPECT_EQ(RuleFor("a", Session::HUB, Session::CANCELLED, Planned(), Invitation::YES, {}),
            "session_over");
  EXPECT_EQ(
      RuleFor("a", Session::HUB, Session::PLANNED, Planned(Item::DROPPED), Invitation::YES, {}),
      "item_over");
  EXPECT_EQ(RuleFor("a", Session::HUB, Session::PLANNED, Planned(), Invitation::NO, {}),
            "rep_said_no");
  EXPECT_EQ(RuleFor("a", Session::HUB, Session::PLANNED, Planned(), Invitation::MAYBE, {}), "");
  EXPECT_EQ(
      RuleFor("a", Session::HUB, Session::PLANNED, Planned(), Invitation::REPLY_UNSPECIFIED, {}),
      "");
}

Session Lasting(const std::string& id, const std::string& date, int32_t minutes = 120,
                Session::State state = Session::PLANNED) {
  Session session;
  session.set_name("forums/w/sessions/" + id);
  session.set_date(date);
  session.set_minutes(minutes);
  session.set_state(state);
  return session;
}

Invitation Replied(Invitation::Reply reply, bool own) {
  Invitation invitation;
  invitation.set_reply(reply);
  invitation.set_own_reply(own);
  return invitation;
}

TEST(MonthlyCap, IsReachedAndNotPassed) {
  const Session session = Lasting("new", "2022-01-28");
  const std::vector<Session> one = {Lasting("a", "2022-01-14")};
  const std::vector<Session> more = {Lasting("a", "2022-01-14"), Lasting("b", "2022-01-20", 1)};
  auto within = [&](int64_t hours, const std::vector<Session>& placed_in) {
    return WithinMonthlyCap(hours, session, Invitation(), placed_in).ok();
  };
  EXPECT_TRUE(within(4, one));
  EXPECT_FALSE(within(4, more));  // by a minute
  EXPECT_FALSE(within(3, one));
  EXPECT_TRUE(within(2, {}));
  EXPECT_FALSE(within(1, {}));
  EXPECT_TRUE(within(0, more)) << "no cap";
}

TEST(MonthlyCap, CountsTheSessionsOfTheMonthThatAreNotCancelled) {
  auto within = [](const Session& other) {
    return WithinMonthlyCap(2, Lasting("new", "2022-01-28"), Invitation(), {other}).ok();
  };
  EXPECT_FALSE(within(Lasting("a", "2022-01-01")));
  EXPECT_FALSE(within(Lasting("a", "2022-01-31")));
  EXPECT_FALSE(within(Lasting("a", "2022-01-14", 120, Session::HELD)));
  EXPECT_TRUE(within(Lasting("a", "2022-01-14", 120, Session::CANCELLED)));
  EXPECT_TRUE(within(Lasting("a", "2021-12-31")));
  EXPECT_TRUE(within(Lasting("a", "2022-02-01")));
  EXPECT_TRUE(within(Lasting("a", "2021-01-14"))) << "of another year";
}

TEST(MonthlyCap, IsNotForASessionThatTheRepIsIn) {
  const Session session = Lasting("new", "2022-01-28");
  EXPECT_TRUE(
      WithinMonthlyCap(1, session, Invitation(), {Lasting("a", "2022-01-14"), session}).ok());
}

TEST(MonthlyCap, OnlyTheRepGoesPastIt) {
  auto within = [](const Invitation& invitation) {
    return WithinMonthlyCap(1, Lasting("new", "2022-01-28"), invitation, {}).ok();
  };
  EXPECT_TRUE(within(Replied(Invitation::YES, true)));
  EXPECT_FALSE(within(Replied(Invitation::YES, false))) << "the chair entered it";
  EXPECT_FALSE(within(Replied(Invitation::MAYBE, true)));
  EXPECT_FALSE(within(Invitation()));
}

TEST(MonthlyCap, IsToldWithTheHoursAndWhatToDo) {
  const Status status =
      WithinMonthlyCap(4, Lasting("new", "2022-01-28"), Invitation(),
                       {Lasting("a", "2022-01-14", 90), Lasting("b", "2022-01-20", 60)});
  EXPECT_TRUE(Refused(status, errors::RULE_REFUSED, "monthly_cap"));
  EXPECT_EQ(MessageOf(status),
            "the rep gives at most 4 h a month; 2 h 30 min are booked in January 2022, and this "
            "session takes 2 h more. Ask the rep to reply YES to the invitation (a YES that you "
            "enter is not enough), or choose somebody else");
}

class AllocationsRpc : public MiniScheduling {};
ON_BOTH_DATABASES(AllocationsRpc);

TEST_P(AllocationsRpc, TheLastPlaceIsTakenOnce) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  std::atomic<int> placed{0}, full{0};
  std::vector<std::thread> takers;
  for (int i = 0; i < 10; ++i) {
    takers.emplace_back([&, i] {
      auto taken = mini_.Call<v1::Allocation>(chair_, Place("r" + std::to_string(i), item));
      if (taken.ok()) {
        ++placed;
      } else {
        EXPECT_TRUE(Refused(taken.status(), errors::RULE_REFUSED, "session_full"));
        ++full;
      }
    });
  }
  for (auto& taker : takers) taker.join();
  EXPECT_EQ(placed, 6);
  EXPECT_EQ(full, 4);
  EXPECT_EQ(mini_.Rows("allocations"), 6);
  // What was reserved for those who got no place, soon after their answer.
  for (int i = 0; i < 500 && released_ < 4; ++i) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(released_, 4);
}

TEST_P(AllocationsRpc, OneCommitmentServesAllItemsOfASession) {
  auto session = Hub("2021-12-03");
  auto first = Do<v1::Allocation>(chair_, Place("r1", Scheduled("Short breaks", session)));
  auto second = Do<v1::Allocation>(chair_, Place("r1", Scheduled("Family hubs", session)));
  EXPECT_EQ(first.commitment(), second.commitment());
  EXPECT_FALSE(first.commitment().empty());
  EXPECT_EQ(reserved_, 1);
  auto told = mini_.Published<events::RepAllocated>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].rep(), std::string(kForum) + "/reps/r1");
  EXPECT_EQ(told[0].session_date(), "2021-12-03");
  EXPECT_TRUE(mini_.Published<events::RepAllocated>("forums/warwickshire/partners/wcc").empty());
  auto again = mini_.Call<v1::Allocation>(chair_, [&] {
    auto request = Place("r1", v1::Item());
    request.set_item(first.item());
    return request;
  }());
  EXPECT_TRUE(Refused(again.status(), errors::RESOURCE_EXISTS));
  // By the names of fields, and nothing of the database's own text.
  EXPECT_NE(MessageOf(again.status()).find("one allocation with this rep and item"),
            std::string::npos)
      << again.status();
  EXPECT_EQ(released_, 0);
}

TEST_P(AllocationsRpc, MembershipAndRemunerationAreAskedFirst) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  mini_.Answer<membership::CheckAllocationRequest, membership::CheckAllocationResponse>(
      [](const auto& in) -> StatusOr<membership::CheckAllocationResponse> {
        EXPECT_THAT(in.parties(), ::testing::ElementsAre(std::string(kForum) + "/partners/wcc",
                                                         "Commissioning", "Short breaks"));
        membership::CheckAllocationResponse word;
        word.set_reason(membership::CheckAllocationResponse::CONFLICT_OF_INTEREST);
        return word;
      });
  EXPECT_TRUE(Refused(mini_.Call<v1::Allocation>(chair_, Place("r1", item)).status(),
                      errors::RULE_REFUSED, "conflict_of_interest"));
  EXPECT_EQ(reserved_, 0);
}

TEST_P(AllocationsRpc, ARepsMonthIsFullUntilTheRepSaysYes) {
  using coproduction::options::v1::REP;
  GiveAtMost(4);
  auto first = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", first);
  auto place = Do<v1::Allocation>(chair_, Place("r1", item));
  Do<v1::Allocation>(chair_, Place("r1", Scheduled("Family hubs", first)));  // not counted again
  auto second = Hub("2021-12-10");
  Do<v1::Allocation>(chair_, Place("r1", Scheduled("School buses", second)));
  auto third = Hub("2021-12-17");
  auto more = Place("r1", Scheduled("Admissions", third));
  auto refused = [&] {
    return Refused(mini_.Call<v1::Allocation>(chair_, more).status(), errors::RULE_REFUSED,
                   "monthly_cap");
  };
  EXPECT_TRUE(refused());
  for (int i = 0; i < 500 && released_ < 1; ++i) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(released_, 1) << "what was reserved for it";
  Do<v1::Allocation>(chair_, Place("r2", Scheduled("Transport", third)));  // of another's month
  Do<v1::Allocation>(chair_, Place("r1", Scheduled("Play", Hub("2022-01-07"))));

  v1::InviteRepRequest invite;
  invite.set_parent(kForum);
  invite.set_rep(more.rep());
  invite.set_session(third.name());
  auto reply = Named<v1::ReplyToInvitationRequest>(Do<Invitation>(chair_, invite).name());
  reply.set_reply(Invitation::YES);
  EXPECT_FALSE(Do<Invitation>(chair_, reply).own_reply());
  EXPECT_TRUE(refused());
  EXPECT_TRUE(Do<Invitation>(mini_.Token(REP, "r1"), reply).own_reply());
  auto past = Do<v1::Allocation>(chair_, more);
  EXPECT_FALSE(Do<Invitation>(chair_, reply).own_reply()) << "the chair's word again";

  // What ended, or was cancelled, leaves room.
  auto full = Place("r1", Scheduled("Music", Hub("2021-12-20")));
  EXPECT_TRUE(Refused(mini_.Call<v1::Allocation>(chair_, full).status(), errors::RULE_REFUSED,
                      "monthly_cap"));
  Do<v1::Allocation>(chair_, Named<v1::EndAllocationRequest>(past.name()));
  EXPECT_TRUE(Refused(mini_.Call<v1::Allocation>(chair_, full).status(), errors::RULE_REFUSED,
                      "monthly_cap"));
  auto cancel = Named<v1::CancelSessionRequest>(second.name());
  cancel.set_reason("Nobody can come.");
  Do<Session>(chair_, cancel);
  Do<v1::Allocation>(chair_, full);
  EXPECT_EQ(Do<v1::Allocation>(chair_, Named<v1::GetAllocationRequest>(place.name())).state(),
            v1::Allocation::ALLOCATED);
}

TEST_P(AllocationsRpc, AFundThatDoesNotPayStopsTheBooking) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  mini_.Answer<remuneration::ReserveCommitmentRequest, remuneration::Commitment>(
      [](const auto& in) -> StatusOr<remuneration::Commitment> {
        EXPECT_EQ(in.activity_kind(), v1::Activity::HUB);
        EXPECT_EQ(in.minutes(), 120);
        return RuleRefused("no_fund_pays", "no fund pays this");
      });
  EXPECT_TRUE(Refused(mini_.Call<v1::Allocation>(chair_, Place("r1", item)).status(),
                      errors::RULE_REFUSED, "no_fund_pays"));
  EXPECT_EQ(mini_.Rows("allocations"), 0);
}

TEST_P(AllocationsRpc, ARepRepliesAndGivesThePlaceBack) {
  using coproduction::options::v1::REP;
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  v1::InviteRepRequest invite;
  invite.set_parent(kForum);
  invite.set_rep(std::string(kForum) + "/reps/r1");
  invite.set_session(session.name());
  auto invitation = Do<Invitation>(chair_, invite);
  EXPECT_TRUE(Refused(mini_.Call<Invitation>(chair_, invite).status(), errors::RESOURCE_EXISTS));
  auto reply = Named<v1::ReplyToInvitationRequest>(invitation.name());
  reply.set_reply(Invitation::NO);
  EXPECT_TRUE(Refused(mini_.Call<Invitation>(mini_.Token(REP, "r2"), reply).status(),
                      errors::RESOURCE_NOT_FOUND));
  Do<Invitation>(mini_.Token(REP, "r1"), reply);
  EXPECT_TRUE(Refused(mini_.Call<v1::Allocation>(chair_, Place("r1", item)).status(),
                      errors::RULE_REFUSED, "rep_said_no"));
  reply.set_reply(Invitation::YES);
  Do<Invitation>(mini_.Token(REP, "r1"), reply);
  EXPECT_EQ(mini_.Published<events::RepReplied>()[1].reply(), Invitation::YES);
  auto place = Do<v1::Allocation>(chair_, Place("r1", item));
  auto end = Named<v1::EndAllocationRequest>(place.name());
  EXPECT_TRUE(Refused(mini_.Call<v1::Allocation>(mini_.Token(REP, "r2"), end).status(),
                      errors::RESOURCE_NOT_FOUND));
  EXPECT_EQ(Do<v1::Allocation>(mini_.Token(REP, "r1"), end).state(), v1::Allocation::ENDED);
  auto told = mini_.Published<events::AllocationEnded>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].allocation(), place.name());
  EXPECT_EQ(told[0].rep(), place.rep());
  EXPECT_EQ(told[0].session(), session.name());
  Do<v1::Allocation>(chair_, Place("r1", item));  // and may take it again
}

TEST_P(AllocationsRpc, EndWhenWhatAllowedThemHoldsNoLonger) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  const std::string rep = std::string(kForum) + "/reps/r1";
  auto state = [&](const v1::Allocation& place) {
    return Do<v1::Allocation>(chair_, Named<v1::GetAllocationRequest>(place.name())).state();
  };
  auto other = Do<v1::Allocation>(chair_, Place("r2", item));
  auto ends = [&](auto event, const std::string& aggregate) {
    auto place = Do<v1::Allocation>(chair_, Place("r1", item));
    event.set_rep(rep);
    EXPECT_TRUE(mini_.Deliver(aggregate, event).ok());
    EXPECT_EQ(state(place), v1::Allocation::ENDED) << event.GetDescriptor()->name();
  };
  ends(membership_events::RepPaused(), rep);
  ends(membership_events::RepStoodDown(), rep);
  ends(membership_events::GoodStandingLapsed(), rep);
  EXPECT_EQ(state(other), v1::Allocation::ALLOCATED);
}

TEST_P(AllocationsRpc, EndWithTheItemOrTheSession) {
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  auto dropped = Do<v1::Allocation>(chair_, Place("r1", item));
  auto kept = Do<v1::Allocation>(chair_, Place("r1", Scheduled("Family hubs", session)));
  auto prep = NewSession(Session::PREP, "2021-12-02");
  prep.mutable_session()->set_prep_of(session.name());
  v1::AllocateRepRequest place;
  place.set_parent(kForum);
  place.set_rep(dropped.rep());
  place.set_session(Do<Session>(chair_, prep).name());
  auto prepares = Do<v1::Allocation>(chair_, place);
  auto ended = [&](const v1::Allocation& allocation) {
    return Do<v1::Allocation>(chair_, Named<v1::GetAllocationRequest>(allocation.name())).state() ==
           v1::Allocation::ENDED;
  };
  Do<Item>(chair_, Named<v1::DropItemRequest>(item.name()));
  EXPECT_TRUE(ended(dropped));
  EXPECT_FALSE(ended(kept));
  for (const auto& name : {session.name(), place.session()}) {
    auto cancel = Named<v1::CancelSessionRequest>(name);
    cancel.set_reason("Nobody can come.");
    Do<Session>(chair_, cancel);
  }
  mini_.SetDate("2021-11-16");  // the timers run
  EXPECT_TRUE(ended(kept));
  EXPECT_TRUE(ended(prepares));
  EXPECT_EQ(mini_.Published<events::AllocationEnded>().size(), 3u);
}

TEST_P(AllocationsRpc, AConflictEndsThePlacesThatItNames) {
  auto session = Hub("2021-12-03");
  auto bus = Do<v1::Allocation>(chair_, Place("r1", Scheduled("School buses", session)));
  auto schools = Do<v1::Allocation>(chair_, Place("r1", Scheduled("Admissions", session)));
  EXPECT_THAT(mini_.Published<events::RepAllocated>()[0].parties(),
              ::testing::ElementsAre(std::string(kForum) + "/partners/wcc", "Commissioning",
                                     "School buses"));
  membership_events::ConflictFound found;
  found.set_allocation(bus.name());
  ASSERT_TRUE(mini_.Deliver(std::string(kForum) + "/conflicts/c1", found).ok());
  auto now = [&](const v1::Allocation& place) {
    return Do<v1::Allocation>(chair_, Named<v1::GetAllocationRequest>(place.name()));
  };
  EXPECT_EQ(now(bus).state(), v1::Allocation::ENDED);
  EXPECT_THAT(now(bus).end_reason(), ::testing::HasSubstr("not available"));
  EXPECT_EQ(now(schools).state(), v1::Allocation::ALLOCATED);
}

}  // namespace
}  // namespace hub::scheduling
