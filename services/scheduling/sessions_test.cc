#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coproduction/scheduling/events/v1/sessions.pb.h"
#include "services/scheduling/mini_scheduling.h"
#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {
namespace {

namespace events = ::coproduction::scheduling::events::v1;
using hub::testing::kForum;
using hub::testing::Refused;
using ::testing::HasSubstr;
using v1::Agenda;
using v1::Session;

v1::SchedulingSettings Defaults() {
  v1::SchedulingSettings settings;
  settings.set_welcome_minutes(10);
  settings.set_close_minutes(5);
  settings.set_quorum(3);
  settings.set_most_reps(6);
  return settings;
}

Session Hub(const std::string& date) {
  Session session;
  session.set_name("forums/warwickshire/sessions/" + date);
  session.set_series(Session::HUB);
  session.set_date(date);
  session.set_start_time("11:00");
  session.set_minutes(120);
  session.set_state(Session::PLANNED);
  return session;
}

std::vector<v1::Item> Items(const std::vector<int>& minutes) {
  std::vector<v1::Item> items;
  for (int planned : minutes) {
    items.emplace_back();
    items.back().set_state(v1::Item::PLANNED);
    items.back().set_minutes_planned(planned);
  }
  return items;
}

std::string RuleOf(const Status& status) {
  auto metadata = ErrorInfoOf(status).metadata();
  return status.ok() ? "" : metadata.count("rule") ? metadata.at("rule") : metadata.at("field");
}

TEST(Planning, TakesWhatIsLeftOpenFromTheSettings) {
  v1::SchedulingSettings settings = Defaults();
  settings.set_session_minutes(120);
  settings.set_quorum_check_days(5);
  Session session;
  session.set_series(Session::HUB);
  session.set_date("2022-01-14");
  Complete(settings, &session);
  EXPECT_EQ(session.state(), Session::PLANNED);
  EXPECT_EQ(session.mode(), Session::ONLINE);
  EXPECT_EQ(session.minutes(), 120);
  EXPECT_EQ(session.activity_kind(), v1::Activity::HUB);
  EXPECT_EQ(session.quorum_check_date(), "2022-01-09");
  Session board;
  board.set_series(Session::BOARD);
  board.set_minutes(90);
  board.set_activity_kind(v1::Activity::CONSULTATION);
  Complete(settings, &board);
  EXPECT_EQ(board.minutes(), 90);
  EXPECT_EQ(board.activity_kind(), v1::Activity::CONSULTATION);
  EXPECT_FALSE(board.has_quorum_check_date());
}

TEST(Planning, ABankHolidayIsRefusedASchoolHolidayIsNot) {
  for (const char* date : {"2022-06-03", "2021-12-27", "2022-09-19", "2027-12-28"}) {
    EXPECT_EQ(RuleOf(MayBePlanned(Hub(date), {})), "bank_holiday") << date;
  }
  EXPECT_TRUE(MayBePlanned(Hub("2022-04-22"), {}).ok());  // Easter holidays
  EXPECT_TRUE(MayBePlanned(Hub("2021-12-31"), {}).ok());
}

TEST(Planning, APrepSessionAndOnlyItNamesAHubSessionToCome) {
  Session prep = Hub("2022-03-04");
  prep.set_series(Session::PREP);
  EXPECT_EQ(RuleOf(MayBePlanned(prep, {})), "session.prep_of");
  Session hub = Hub("2022-03-11");
  prep.set_prep_of(hub.name());
  EXPECT_TRUE(MayBePlanned(prep, hub).ok());
  EXPECT_EQ(RuleOf(MayBePlanned(prep, Hub("2022-03-03"))), "session.date");
  hub.set_state(Session::HELD);
  EXPECT_EQ(RuleOf(MayBePlanned(prep, hub)), "session.prep_of");
  hub = Hub("2022-03-11");
  hub.set_series(Session::BOARD);
  EXPECT_EQ(RuleOf(MayBePlanned(prep, hub)), "session.prep_of");
  hub.set_prep_of(prep.name());
  EXPECT_EQ(RuleOf(MayBePlanned(hub, prep)), "session.prep_of");
}

TEST(Facilitating, IsThePartnersThatIsNamedOrComesFirst) {
  Session session = Hub("2022-03-11");
  EXPECT_TRUE(Facilitate("", &session).ok());
  EXPECT_FALSE(session.has_facilitator());
  EXPECT_TRUE(Facilitate("forums/w/partners/wcc", &session).ok());
  EXPECT_TRUE(Facilitate("forums/w/partners/wcc", &session).ok());
  EXPECT_TRUE(Facilitate("", &session).ok());
  EXPECT_EQ(RuleOf(Facilitate("forums/w/partners/health", &session)), "facilitator");
  EXPECT_EQ(session.facilitator(), "forums/w/partners/wcc");
}

TEST(Agenda, HasAHundredAndFiveMinutesForItems) {
  Session session = Hub("2022-01-14");
  EXPECT_EQ(FreeMinutes(session, {}, Defaults()), 105);
  EXPECT_EQ(FreeMinutes(session, Items({60, 45}), Defaults()), 0);
  EXPECT_EQ(FreeMinutes(session, Items({60, 46}), Defaults()), -1);
  auto items = Items({60, 46});
  items[1].set_state(v1::Item::DROPPED);
  EXPECT_EQ(FreeMinutes(session, items, Defaults()), 45);
}

TEST(Agenda, IsAgreedOnlyWithItemsThatFitLinkPersonBriefAndPreparation) {
  Session session = Hub("2022-01-14");
  const auto items = Items({60, 45});
  auto rule = [&](const std::vector<v1::Item>& on_it, bool has_prep = false) {
    return RuleOf(AgendaMayBeAgreed(session, on_it, has_prep, Defaults()));
  };
  EXPECT_EQ(rule({}), "agenda_empty");
  EXPECT_EQ(rule(Items({60, 46})), "agenda_full");
  EXPECT_EQ(rule(items), "link_person");
  session.mutable_agenda()->set_link_person("the participation officer");
  EXPECT_EQ(rule(items), "brief");
  session.mutable_agenda()->set_brief("We talk about short breaks.");
  EXPECT_EQ(rule(items), "prep");
  session.mutable_agenda()->set_prep(Agenda::IN_WRITING);
  EXPECT_EQ(rule(items), "");
  session.mutable_agenda()->set_prep(Agenda::DECLINED);
  EXPECT_EQ(rule(items), "prep");
  session.mutable_agenda()->set_prep_reason("All reps know the matter.");
  EXPECT_EQ(rule(items), "");
  session.mutable_agenda()->set_prep(Agenda::IN_SESSION);
  EXPECT_EQ(rule(items), "prep");
  EXPECT_EQ(rule(items, true), "");
}

TEST(Agenda, AChangeTakesBothWordsBack) {
  for (auto state : {Session::AGENDA_PROPOSED, Session::AGENDA_AGREED}) {
    Session session = Hub("2022-01-14");
    session.set_state(state);
    session.mutable_agreement()->mutable_forum_time()->set_seconds(1);
    ReopenAgenda(&session);
    EXPECT_EQ(session.state(), Session::PLANNED);
    EXPECT_FALSE(session.has_agreement());
  }
  Session held = Hub("2022-01-14");
  held.set_state(Session::HELD);
  ReopenAgenda(&held);
  EXPECT_EQ(held.state(), Session::HELD);
}

TEST(Holding, NotBeforeItsDayAndOnlyWithAnAgreedAgenda) {
  Session session = Hub("2022-01-14");
  session.set_reps_present(3);
  EXPECT_EQ(RuleOf(MayBeHeld(session, "2022-01-13", Defaults())), "not_before_its_date");
  EXPECT_EQ(RuleOf(MayBeHeld(session, "2022-01-14", Defaults())), "agenda_not_agreed");
  session.set_state(Session::AGENDA_AGREED);
  EXPECT_TRUE(MayBeHeld(session, "2022-01-14", Defaults()).ok());
  EXPECT_TRUE(MayBeHeld(session, "2022-01-20", Defaults()).ok());
}

TEST(Holding, WithoutTheQuorumOfThreeOnlyWithAReason) {
  Session session = Hub("2022-01-14");
  session.set_state(Session::AGENDA_AGREED);
  session.set_reps_present(3);
  EXPECT_TRUE(IsQuorate(session, Defaults()));
  session.set_reps_present(2);
  EXPECT_FALSE(IsQuorate(session, Defaults()));
  Status refused = MayBeHeld(session, "2022-01-14", Defaults());
  EXPECT_EQ(RuleOf(refused), "quorum");
  EXPECT_THAT(MessageOf(refused), HasSubstr("only 2 reps were there, the quorum is 3"));
  session.set_not_quorate_reason("Two reps were ill; the officers had come from far.");
  EXPECT_TRUE(MayBeHeld(session, "2022-01-14", Defaults()).ok());
}

TEST(Holding, OtherSeriesNeedNeitherAgendaNorQuorum) {
  Session prep = Hub("2022-01-13");
  prep.set_series(Session::PREP);
  EXPECT_TRUE(IsQuorate(prep, Defaults()));
  EXPECT_TRUE(MayBeHeld(prep, "2022-01-13", Defaults()).ok());
}

TEST(Activity, GoesByTheSeries) {
  EXPECT_EQ(ActivityOf(Session::HUB), v1::Activity::HUB);
  EXPECT_EQ(ActivityOf(Session::PREP), v1::Activity::PREP);
  EXPECT_EQ(ActivityOf(Session::BOARD), v1::Activity::BOARD);
  EXPECT_EQ(ActivityOf(Session::EVENT), v1::Activity::PRIORITY);
}

class SessionsRpc : public MiniScheduling {};
ON_BOTH_DATABASES(SessionsRpc);

TEST_P(SessionsRpc, IsPlannedByTheWallClockOfLondon) {
  auto winter = Hub("2022-03-25");
  auto summer = Hub("2022-04-08");
  EXPECT_EQ(winter.minutes(), 120);
  EXPECT_EQ(winter.state(), Session::PLANNED);
  EXPECT_EQ(winter.free_minutes(), 105);
  EXPECT_EQ(ToMicros(winter.starts_at()), LondonInstant("2022-03-25", "11:00"));
  EXPECT_EQ(summer.starts_at().seconds() - winter.starts_at().seconds(), 14 * 86400 - 3600);
  EXPECT_EQ(summer.ends_at().seconds() - summer.starts_at().seconds(), 7200);
  EXPECT_TRUE(
      Refused(mini_.Call<Session>(facilitator_, NewSession(Session::HUB, "2022-06-03")).status(),
              errors::RULE_REFUSED, "bank_holiday"));
  EXPECT_EQ(mini_.Published<events::SessionPlanned>("forums/warwickshire/partners/wcc").size(), 2u);
}

TEST_P(SessionsRpc, IsMarkedInTheSchoolHolidays) {
  auto session = Hub("2022-04-22");
  EXPECT_FALSE(session.in_school_holiday());
  v1::CreateSchoolHolidayRequest easter;
  easter.set_parent(kForum);
  easter.mutable_school_holiday()->set_title("Easter 2022");
  easter.mutable_school_holiday()->set_first_date("2022-04-22");
  easter.mutable_school_holiday()->set_last_date("2022-04-11");
  EXPECT_TRUE(Refused(mini_.Call<v1::SchoolHoliday>(chair_, easter).status(), errors::INVALID_FIELD,
                      "school_holiday.last_date"));
  easter.mutable_school_holiday()->set_first_date("2022-04-11");
  easter.mutable_school_holiday()->set_last_date("2022-04-22");
  Do<v1::SchoolHoliday>(chair_, easter);
  EXPECT_TRUE(
      Do<Session>(chair_, Named<v1::GetSessionRequest>(session.name())).in_school_holiday());
}

TEST_P(SessionsRpc, AgendaIsAgreedByBothAndAChangeNeedsBothAgain) {
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  EXPECT_TRUE(
      Refused(mini_.Call<Session>(chair_, Named<v1::AgreeAgendaRequest>(session.name())).status(),
              errors::STATE_NOT_ALLOWED));
  Do<Session>(chair_, Named<v1::ProposeAgendaRequest>(session.name()));
  EXPECT_TRUE(
      Refused(mini_.Call<Session>(chair_, Named<v1::AgreeAgendaRequest>(session.name())).status(),
              errors::RULE_REFUSED, "link_person"));
  auto agreed = AgendaAgreed(session);
  EXPECT_EQ(agreed.state(), Session::AGENDA_AGREED);
  EXPECT_EQ(agreed.free_minutes(), 75);
  EXPECT_EQ(agreed.agreement().forum_person(), "");  // seen by no caller
  EXPECT_EQ(mini_.Published<events::AgendaAgreed>()[0].item_count(), 1);

  v1::UpdateItemRequest longer;
  longer.mutable_item()->set_name(item.name());
  longer.mutable_item()->set_minutes_planned(40);
  longer.mutable_update_mask()->add_paths("minutes_planned");
  Do<v1::Item>(chair_, longer);
  auto reopened = Do<Session>(chair_, Named<v1::GetSessionRequest>(session.name()));
  EXPECT_EQ(reopened.state(), Session::PLANNED);
  EXPECT_FALSE(reopened.has_agreement());
}

TEST_P(SessionsRpc, FaceToFaceIsByConsentOfBoth) {
  auto consent = Named<v1::AgreeFaceToFaceRequest>(Hub("2021-12-03").name());
  EXPECT_EQ(Do<Session>(facilitator_, consent).mode(), Session::ONLINE);
  EXPECT_EQ(Do<Session>(chair_, consent).mode(), Session::FACE_TO_FACE);
}

TEST_P(SessionsRpc, JoiningLinkReachesOnlyWhoAttends) {
  using coproduction::options::v1::REP;
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  auto set = Named<v1::SetJoiningLinkRequest>(session.name());
  set.set_joining_link("https://meet.example.org/hub");
  Do<Session>(facilitator_, set);
  Do<v1::Allocation>(chair_, Place("r1", item));
  auto link = [&](const std::string& token) {
    return Do<Session>(token, Named<v1::GetSessionRequest>(session.name())).joining_link();
  };
  EXPECT_EQ(link(facilitator_), set.joining_link());
  EXPECT_EQ(link(chair_), set.joining_link());
  EXPECT_EQ(link(requestor_), set.joining_link());  // brings an item
  EXPECT_EQ(link(mini_.Token(REP, "r1")), set.joining_link());
  EXPECT_EQ(link(mini_.Token(REP, "r2")), "");
  EXPECT_EQ(link(mini_.Token(coproduction::options::v1::REQUESTOR, "p-other")), "");
}

TEST_P(SessionsRpc, WhoComesIsToldAsFarAsEachMayKnow) {
  using coproduction::options::v1::REP;
  using coproduction::type::v1::Attendees;
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  Do<v1::Allocation>(chair_, Place("r1", item));
  Do<v1::Allocation>(chair_, Place("r2", item));
  mini_.Answer<membership::ResolveAttendeesRequest, Attendees>(
      [](const auto& in) -> StatusOr<Attendees> {
        EXPECT_EQ(in.parent(), kForum);
        EXPECT_EQ(in.reps_size(), 2);
        Attendees attendees;
        attendees.add_first_names("Jo");
        attendees.set_others(1);
        attendees.add_provisions()->set_format("large print");
        return attendees;
      });
  auto told = [&](const std::string& token) {
    return mini_.Call<Attendees>(token, Named<v1::GetSessionAttendeesRequest>(session.name()));
  };
  auto prepares = told(chair_);
  ASSERT_TRUE(prepares.ok()) << prepares.status();
  EXPECT_EQ(prepares->others(), 1);
  ASSERT_EQ(prepares->provisions_size(), 1);
  EXPECT_EQ(prepares->provisions(0).format(), "large print");
  auto comes = told(mini_.Token(REP, "r1"));
  ASSERT_TRUE(comes.ok()) << comes.status();
  EXPECT_THAT(comes->first_names(), ::testing::ElementsAre("Jo"));
  EXPECT_EQ(comes->provisions(0).format(), "");
  auto stays_away = told(mini_.Token(REP, "r3"));
  ASSERT_TRUE(stays_away.ok()) << stays_away.status();
  EXPECT_THAT(stays_away->first_names(), ::testing::IsEmpty());
  for (const auto& token : {facilitator_, requestor_}) {
    EXPECT_TRUE(Refused(told(token).status(), errors::ROLE_NOT_ALLOWED));
  }
}

TEST_P(SessionsRpc, IsRunByTheFacilitatorsPartnerAlone) {
  EXPECT_EQ(Hub("2021-12-03").facilitator(), std::string(kForum) + "/partners/wcc");
  auto create = NewSession(Session::HUB, "2021-12-17");
  auto open = Do<Session>(chair_, create);
  create.mutable_session()->set_facilitator(std::string(kForum) + "/partners/health");
  auto others = Do<Session>(chair_, create);
  auto set = Named<v1::SetJoiningLinkRequest>(others.name());
  set.set_joining_link("https://meet.example.org/health");
  EXPECT_TRUE(Refused(mini_.Call<Session>(facilitator_, set).status(), errors::RULE_REFUSED,
                      "facilitator"));
  EXPECT_TRUE(Refused(mini_.Call<Session>(facilitator_, create).status(), errors::RULE_REFUSED,
                      "facilitator"));
  Do<Session>(chair_, set);
  auto link = [&](const Session& session) {
    return Do<Session>(facilitator_, Named<v1::GetSessionRequest>(session.name())).joining_link();
  };
  EXPECT_EQ(link(others), "");
  set.set_name(open.name());
  Do<Session>(chair_, set);
  EXPECT_EQ(link(open), "");
  Do<Session>(facilitator_, Named<v1::AgreeFaceToFaceRequest>(open.name()));
  EXPECT_EQ(link(open), set.joining_link());
}

TEST_P(SessionsRpc, IsHeldWithQuorumOrWithAReason) {
  auto session = Hub("2021-12-03");
  Scheduled("Short breaks", session);
  AgendaAgreed(session);
  auto hold = Named<v1::HoldSessionRequest>(session.name());
  EXPECT_TRUE(Refused(mini_.Call<Session>(chair_, hold).status(), errors::RULE_REFUSED,
                      "not_before_its_date"));
  mini_.SetDate("2021-12-03");
  EXPECT_TRUE(Refused(mini_.Call<Session>(chair_, hold).status(), errors::RULE_REFUSED, "quorum"));
  hold.set_reps_present(3);
  auto held = Do<Session>(chair_, hold);
  EXPECT_TRUE(held.quorate());
  EXPECT_EQ(held.reps_present(), 3);
  auto told = mini_.Published<events::SessionHeld>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].session(), session.name());
  EXPECT_EQ(told[0].activity_kind(), v1::Activity::HUB);
  EXPECT_TRUE(told[0].quorate());
}

TEST_P(SessionsRpc, APrepSessionNamesItsHubSessionAlsoWhenHeld) {
  auto hub = Hub("2021-12-03");
  auto create = NewSession(Session::PREP, "2021-12-02");
  create.mutable_session()->set_prep_of(hub.name());
  auto prep = Do<Session>(chair_, create);
  mini_.SetDate("2021-12-02");
  Do<Session>(chair_, Named<v1::HoldSessionRequest>(prep.name()));
  auto told = mini_.Published<events::SessionHeld>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].session(), prep.name());
  EXPECT_EQ(told[0].prep_of(), hub.name());
}

TEST_P(SessionsRpc, CancellingLetsItsRequestsWaitForAnother) {
  auto session = Hub("2021-12-31");
  auto item = Scheduled("Short breaks", session);
  auto cancel = Named<v1::CancelSessionRequest>(session.name());
  cancel.set_reason("Nobody can come between the years.");
  Do<Session>(facilitator_, cancel);
  mini_.SetDate("2021-11-16");  // the timers run
  EXPECT_EQ(Do<v1::Item>(chair_, Named<v1::GetItemRequest>(item.name())).state(),
            v1::Item::DROPPED);
  EXPECT_EQ(Look(item.request()).state(), v1::EngagementRequest::ACCEPTED);
  EXPECT_EQ(mini_.Published<events::SessionCancelled>()[0].cancel_reason(), cancel.reason());
}

TEST_P(SessionsRpc, QuorumIsLookedAtFiveDaysBefore) {
  auto first = Hub("2021-12-03");
  auto second = Hub("2021-12-17");
  auto item = Scheduled("Short breaks", second);
  for (const char* rep : {"r1", "r2", "r3"}) Do<v1::Allocation>(chair_, Place(rep, item));
  mini_.SetDate("2021-11-27");
  EXPECT_TRUE(mini_.Published<events::SessionQuorumAtRisk>().empty());
  mini_.SetDate("2021-11-28");
  mini_.SetDate("2021-12-13");
  auto told = mini_.Published<events::SessionQuorumAtRisk>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].session(), first.name());
  EXPECT_EQ(told[0].reps(), 0);
  EXPECT_TRUE(
      mini_.Published<events::SessionQuorumAtRisk>("forums/warwickshire/partners/wcc").empty());
}

TEST_P(SessionsRpc, ForumMaySetItsOwnMinutes) {
  v1::UpdateSchedulingSettingsRequest update;
  auto* settings = update.mutable_scheduling_settings();
  settings->set_name(std::string(kForum) + "/schedulingSettings");
  settings->set_session_minutes(90);
  update.mutable_update_mask()->add_paths("session_minutes");
  auto changed = Do<v1::SchedulingSettings>(chair_, update);
  EXPECT_EQ(changed.session_minutes(), 90);
  EXPECT_EQ(changed.lead_days(), 14);
  EXPECT_EQ(Hub("2021-12-03").minutes(), 90);
  settings->set_quorum(4);
  update.mutable_update_mask()->set_paths(0, "quorum");
  EXPECT_EQ(Do<v1::SchedulingSettings>(chair_, update).session_minutes(), 90);
}

}  // namespace
}  // namespace hub::scheduling
