#include "services/scheduling/figures_rules.h"

#include <gtest/gtest.h>
#include "services/scheduling/mini_scheduling.h"

namespace hub::scheduling {
namespace {

using v1::EngagementRequest;
using v1::Item;
using v1::Session;

Session MakeSession(const std::string& date, Session::Series series, Session::State state,
                    bool quorate = true) {
  Session session;
  session.set_name("forums/w/sessions/" + date);
  session.set_date(date);
  session.set_series(series);
  session.set_state(state);
  session.set_quorate(quorate);
  return session;
}

Item MakeItem(EngagementRequest::Workstream workstream, v1::Decision::Stage claimed,
              v1::Decision::Stage felt, int planned, int actual,
              Item::State state = Item::PRESENTED) {
  Item item;
  item.set_workstream(workstream);
  item.set_stage_claimed(claimed);
  item.set_stage_felt(felt);
  item.set_minutes_planned(planned);
  item.set_minutes_actual(actual);
  item.set_state(state);
  return item;
}

EngagementRequest Asked(const std::string& submitted, const std::string& session_date) {
  EngagementRequest request;
  request.set_submit_date(submitted);
  request.set_session("forums/w/sessions/" + session_date);
  return request;
}

TEST(Figures, OfAnEmptyPeriodAreZero) {
  v1::SchedulingFigures figures = Figures({}, {}, {}, 14);
  EXPECT_EQ(figures.items_presented(), 0);
  EXPECT_EQ(figures.late().of(), 0);
}

TEST(Figures, CountWhatWasHeldAndPresented) {
  v1::SchedulingFigures figures =
      Figures({MakeSession("2022-01-14", Session::HUB, Session::HELD),
               MakeSession("2022-01-28", Session::HUB, Session::HELD, false),
               MakeSession("2022-02-11", Session::HUB, Session::CANCELLED),
               MakeSession("2022-01-13", Session::PREP, Session::HELD),
               MakeSession("2022-01-27", Session::PREP, Session::PLANNED),
               MakeSession("2022-01-20", Session::BOARD, Session::HELD)},
              {MakeItem(EngagementRequest::CHANGE_PROGRAMME, v1::Decision::IDEA,
                        v1::Decision::DECIDED, 30, 31),
               MakeItem(EngagementRequest::CHANGE_PROGRAMME, v1::Decision::IDEA,
                        v1::Decision::DECIDED, 30, 30),
               MakeItem(EngagementRequest::SENIOR_LEAD_VISIT, v1::Decision::DECIDED,
                        v1::Decision::STAGE_UNSPECIFIED, 30, 20),
               MakeItem(EngagementRequest::SENIOR_LEAD_VISIT, v1::Decision::DECIDED,
                        v1::Decision::DECIDED, 30, 90, Item::DROPPED)},
              {Asked("2021-12-31", "2022-01-14"), Asked("2022-01-01", "2022-01-14"),
               Asked("2022-02-01", "2022-02-11")},
              14);
  EXPECT_EQ(figures.items_presented(), 3);
  EXPECT_EQ(figures.prep_sessions(), 1);
  EXPECT_EQ(figures.quorate().count(), 1);
  EXPECT_EQ(figures.quorate().of(), 2);
  EXPECT_EQ(figures.late().count(), 2);  // the cancelled session's request too
  EXPECT_EQ(figures.late().of(), 3);
  EXPECT_EQ(figures.decided().count(), 1);
  EXPECT_EQ(figures.decided().of(), 3);
  EXPECT_EQ(figures.overruns().count(), 1);
  EXPECT_EQ(figures.overruns().of(), 3);
  ASSERT_EQ(figures.items_by_workstream_size(), 2);
  EXPECT_EQ(figures.items_by_workstream(0).workstream(), "CHANGE_PROGRAMME");
  EXPECT_EQ(figures.items_by_workstream(0).count(), 2);
  ASSERT_EQ(figures.claimed_against_felt_size(), 1);
  EXPECT_EQ(figures.claimed_against_felt(0).claimed(), v1::Decision::IDEA);
  EXPECT_EQ(figures.claimed_against_felt(0).felt(), v1::Decision::DECIDED);
  EXPECT_EQ(figures.claimed_against_felt(0).count(), 2);
}

class FiguresRpc : public MiniScheduling {};
ON_BOTH_DATABASES(FiguresRpc);

TEST_P(FiguresRpc, ComeFromTheRecordsOfThePeriodAlone) {
  auto session = Hub("2021-12-03");
  auto later = Hub("2022-07-01");
  auto item = Scheduled("Short breaks", session);
  Scheduled("Family hubs", later);
  Submitted("Tribunals", session.name());
  mini_.SetDate("2021-11-20");
  Submitted("Toolkit", session.name());
  AgendaAgreed(session);
  mini_.SetDate("2021-12-03");
  auto present = Named<v1::PresentItemRequest>(item.name());
  present.set_minutes_actual(41);
  Do<Item>(chair_, present);
  auto hold = Named<v1::HoldSessionRequest>(session.name());
  hold.set_reps_present(4);
  Do<Session>(chair_, hold);

  v1::GetSchedulingFiguresRequest ask;
  ask.set_parent(hub::testing::kForum);
  ask.set_from("2021-12-03");
  ask.set_to("2022-06-14");
  auto figures = Do<v1::SchedulingFigures>(mini_.ServiceToken("engagement"), ask);
  EXPECT_EQ(figures.items_presented(), 1);
  EXPECT_EQ(figures.overruns().count(), 1);
  EXPECT_EQ(figures.quorate().count(), 1);
  EXPECT_EQ(figures.late().count(), 1);
  EXPECT_EQ(figures.late().of(), 2);
  ask.set_from("2021-12-04");
  figures = Do<v1::SchedulingFigures>(mini_.ServiceToken("engagement"), ask);
  EXPECT_EQ(figures.items_presented(), 0);
  EXPECT_EQ(figures.quorate().of(), 0);
}

}  // namespace
}  // namespace hub::scheduling
