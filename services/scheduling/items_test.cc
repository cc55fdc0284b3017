#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coproduction/scheduling/events/v1/items.pb.h"
#include "services/scheduling/items_rules.h"
#include "services/scheduling/mini_scheduling.h"

namespace hub::scheduling {
namespace {

namespace events = ::coproduction::scheduling::events::v1;
using hub::testing::kForum;
using hub::testing::Refused;
using v1::EngagementRequest;
using v1::Item;
using v1::Session;

EngagementRequest Accepted() {
  EngagementRequest request;
  request.set_title("Family hubs");
  request.set_partner("forums/warwickshire/partners/wcc");
  request.set_team("Early help");
  request.set_state(EngagementRequest::ACCEPTED);
  request.set_workstream(EngagementRequest::BUSINESS_AS_USUAL);
  request.set_purpose(EngagementRequest::CO_DESIGN);
  request.set_decision_stage(v1::Decision::IDEA);
  request.set_minutes_wanted(40);
  return request;
}

Session Hub(Session::State state = Session::PLANNED) {
  Session session;
  session.set_series(Session::HUB);
  session.set_date("2022-01-14");
  session.set_state(state);
  return session;
}

std::string RuleOf(const Status& status) {
  if (status.ok()) return "";
  const auto metadata = ErrorInfoOf(status).metadata();
  return metadata.count("rule") ? metadata.at("rule") : metadata.at("field");
}

TEST(Items, SayWhatTheirRequestSays) {
  Item other;
  other.set_position(3);
  Item item = ItemOf(Accepted(), {other}, Item());
  EXPECT_EQ(item.position(), 4);
  EXPECT_EQ(item.minutes_planned(), 40);
  EXPECT_EQ(item.state(), Item::PLANNED);
  EXPECT_EQ(item.title(), "Family hubs");
  EXPECT_EQ(item.team(), "Early help");
  EXPECT_EQ(item.partner(), "forums/warwickshire/partners/wcc");
  EXPECT_EQ(item.workstream(), EngagementRequest::BUSINESS_AS_USUAL);
  EXPECT_EQ(item.purpose(), EngagementRequest::CO_DESIGN);
  EXPECT_EQ(item.stage_claimed(), v1::Decision::IDEA);

  Item wanted;
  wanted.set_position(1);
  wanted.set_minutes_planned(25);
  item = ItemOf(Accepted(), {other}, wanted);
  EXPECT_EQ(item.position(), 1);
  EXPECT_EQ(item.minutes_planned(), 25);
}

TEST(Placing, OnlyAnAcceptedRequestComesOnAnAgenda) {
  const Item item = ItemOf(Accepted(), {}, Item());
  for (int state = EngagementRequest::DRAFT; state <= EngagementRequest::PRESENTED; ++state) {
    EngagementRequest request = Accepted();
    request.set_state(static_cast<EngagementRequest::State>(state));
    const bool fine = state == EngagementRequest::ACCEPTED ||
                      state == EngagementRequest::SCHEDULED ||
                      state == EngagementRequest::PRESENTED;
    EXPECT_EQ(RuleOf(MayBePlaced(item, request, Hub(), 105)), fine ? "" : "request_not_accepted");
  }
}

TEST(Placing, OnlyWhereTheSessionIsOpenAndHasAnAgendaAndMinutes) {
  const Item item = ItemOf(Accepted(), {}, Item());
  EXPECT_EQ(RuleOf(MayBePlaced(item, Accepted(), Hub(Session::HELD), 105)), "session_over");
  EXPECT_EQ(RuleOf(MayBePlaced(item, Accepted(), Hub(Session::CANCELLED), 105)), "session_over");
  EXPECT_EQ(RuleOf(MayBePlaced(item, Accepted(), Hub(Session::AGENDA_AGREED), 40)), "");
  EXPECT_EQ(RuleOf(MayBePlaced(item, Accepted(), Hub(), 39)), "agenda_full");
  EXPECT_THAT(MessageOf(MayBePlaced(item, Accepted(), Hub(), -5)),
              ::testing::HasSubstr("has 0 minutes left, the item wants 40"));
  Item no_minutes = item;
  no_minutes.set_minutes_planned(0);
  EXPECT_EQ(RuleOf(MayBePlaced(no_minutes, Accepted(), Hub(), 105)), "item.minutes_planned");
  Session prep = Hub();
  prep.set_series(Session::PREP);
  EXPECT_EQ(RuleOf(MayBePlaced(item, Accepted(), prep, 105)), "prep_has_no_items");
}

TEST(RequestState, FollowsItsItems) {
  Item planned, presented, dropped;
  planned.set_state(Item::PLANNED);
  presented.set_state(Item::PRESENTED);
  dropped.set_state(Item::DROPPED);
  EXPECT_EQ(StateBy(Accepted(), {presented, planned}), EngagementRequest::SCHEDULED);
  EXPECT_EQ(StateBy(Accepted(), {presented, dropped}), EngagementRequest::PRESENTED);
  EXPECT_EQ(StateBy(Accepted(), {dropped}), EngagementRequest::ACCEPTED);
  EngagementRequest withdrawn = Accepted();
  withdrawn.set_state(EngagementRequest::WITHDRAWN);
  EXPECT_EQ(StateBy(withdrawn, {dropped}), EngagementRequest::WITHDRAWN);
}

TEST(Presenting, NotBeforeTheDayAndOnlyFromAnAgreedAgenda) {
  EXPECT_EQ(RuleOf(MayBePresented(Hub(Session::AGENDA_AGREED), "2022-01-13")),
            "not_before_its_date");
  EXPECT_EQ(RuleOf(MayBePresented(Hub(Session::AGENDA_AGREED), "2022-01-14")), "");
  EXPECT_EQ(RuleOf(MayBePresented(Hub(Session::HELD), "2022-01-17")), "");
  for (auto state : {Session::PLANNED, Session::AGENDA_PROPOSED, Session::CANCELLED}) {
    EXPECT_EQ(RuleOf(MayBePresented(Hub(state), "2022-01-14")), "agenda_not_agreed");
  }
  Session board = Hub(Session::PLANNED);
  board.set_series(Session::BOARD);
  EXPECT_EQ(RuleOf(MayBePresented(board, "2022-01-14")), "");
}

class ItemsRpc : public MiniScheduling {};
ON_BOTH_DATABASES(ItemsRpc);

TEST_P(ItemsRpc, StandsOnTheAgendaOnceAndWithinItsMinutes) {
  auto session = Hub("2021-12-03");
  auto request = Accepted("Short breaks");
  auto create = NewItem(request, session);
  create.mutable_item()->set_minutes_planned(106);
  EXPECT_TRUE(
      Refused(mini_.Call<Item>(chair_, create).status(), errors::RULE_REFUSED, "agenda_full"));
  create.mutable_item()->set_minutes_planned(0);
  auto item = Do<Item>(chair_, create);
  EXPECT_EQ(item.position(), 1);
  EXPECT_EQ(item.minutes_planned(), 30);
  EXPECT_EQ(item.title(), "Short breaks");
  EXPECT_EQ(Look(request.name()).state(), EngagementRequest::SCHEDULED);
  EXPECT_TRUE(Refused(mini_.Call<Item>(chair_, create).status(), errors::RESOURCE_EXISTS));
  EXPECT_EQ(Scheduled("Family hubs", session).position(), 2);
  auto told = mini_.Published<events::ItemScheduled>("forums/warwickshire/partners/wcc");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].session_date(), "2021-12-03");

  EXPECT_EQ(Do<Item>(chair_, Named<v1::DropItemRequest>(item.name())).state(), Item::DROPPED);
  EXPECT_EQ(Look(request.name()).state(), EngagementRequest::ACCEPTED);
}

TEST_P(ItemsRpc, IsPresentedAndTheRepsSayTheStage) {
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  AgendaAgreed(session);
  auto present = Named<v1::PresentItemRequest>(item.name());
  present.set_minutes_actual(41);
  EXPECT_TRUE(Refused(mini_.Call<Item>(chair_, present).status(), errors::RULE_REFUSED,
                      "not_before_its_date"));
  mini_.SetDate("2021-12-03");
  EXPECT_EQ(Do<Item>(facilitator_, present).state(), Item::PRESENTED);
  EXPECT_EQ(Look(item.request()).state(), EngagementRequest::PRESENTED);
  auto to_partner = mini_.Published<events::ItemPresented>("forums/warwickshire/partners/wcc");
  ASSERT_EQ(to_partner.size(), 1u);
  EXPECT_EQ(to_partner[0].item(), item.name());
  EXPECT_EQ(to_partner[0].session(), session.name());
  EXPECT_EQ(to_partner[0].session_date(), "2021-12-03");
  EXPECT_EQ(to_partner[0].team(), "Commissioning");
  EXPECT_EQ(to_partner[0].minutes_actual(), 41);
  EXPECT_EQ(to_partner[0].requestor_person(), "p-requestor");
  EXPECT_EQ(mini_.Published<events::ItemPresented>()[0].requestor_person(), "p-requestor");
  // The partner's officer is the partner's own: the forum's platform does not get the id.
  EXPECT_EQ(mini_.Published<events::ItemPresented>("forums/warwickshire")[0].requestor_person(),
            "");

  auto felt = Named<v1::SetStageFeltRequest>(item.name());
  felt.set_stage_felt(v1::Decision::DECIDED);
  EXPECT_TRUE(Refused(mini_.Call<Item>(facilitator_, felt).status(), errors::ROLE_NOT_ALLOWED));
  EXPECT_EQ(Do<Item>(chair_, felt).stage_felt(), v1::Decision::DECIDED);
  // The forum's own judgement.
  EXPECT_EQ(Do<Item>(requestor_, Named<v1::GetItemRequest>(item.name())).stage_felt(),
            v1::Decision::STAGE_UNSPECIFIED);

  auto hold = Named<v1::HoldSessionRequest>(session.name());
  hold.set_reps_present(3);
  Do<Session>(chair_, hold);
  EXPECT_TRUE(Do<Item>(chair_, Named<v1::GetItemRequest>(item.name())).quorate());
}

TEST_P(ItemsRpc, FactsAreForServicesAlone) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  Do<v1::Allocation>(chair_, Place("r1", item));
  auto ask = Named<v1::GetItemFactsRequest>(item.name());
  EXPECT_TRUE(Refused(mini_.Call<v1::ItemFacts>(chair_, ask).status(), errors::ROLE_NOT_ALLOWED));
  auto facts = Do<v1::ItemFacts>(mini_.ServiceToken("engagement"), ask);
  EXPECT_EQ(facts.request(), item.request());
  EXPECT_EQ(facts.session_date(), "2021-12-03");
  EXPECT_EQ(facts.session_minutes(), 120);
  EXPECT_EQ(facts.requestor_person(), "p-requestor");
  EXPECT_EQ(facts.activity_kind(), v1::Activity::HUB);
  ASSERT_EQ(facts.reps_size(), 1);
  EXPECT_EQ(facts.reps(0), std::string(kForum) + "/reps/r1");
  auto of_session = Do<v1::SessionFacts>(mini_.ServiceToken("engagement"),
                                         Named<v1::GetSessionFactsRequest>(item.session()));
  EXPECT_EQ(of_session.reps_size(), 1);
}

}  // namespace
}  // namespace hub::scheduling
