// Engagement for its handler tests, on both databases: items that scheduling says were presented,
// and the people of both sides. Robin is the named requestor, Ana and Ben are reps.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "common/testing/mini_service.h"
#include "coproduction/engagement/v1/attendances.pb.h"
#include "coproduction/engagement/v1/influence.pb.h"
#include "coproduction/engagement/v1/records.pb.h"
#include "coproduction/scheduling/events/v1/items.pb.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "services/engagement/module.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;
namespace scheduling = ::coproduction::scheduling::v1;

class MiniEngagement : public ::testing::TestWithParam<db::Engine> {
 protected:
  MiniEngagement() : mini_(MakeEngagementModule(), GetParam()) {
    using namespace coproduction::options::v1;  // NOLINT: the roles
    mini_.SetDate("2021-12-03");
    chair_ = mini_.Token(CHAIR, "p-chair");
    facilitator_ = mini_.Token(FACILITATOR, "p-facilitator");
    requestor_ = mini_.Token(REQUESTOR, "robin");
    ana_ = mini_.Token(REP, "ana");
    mini_.Answer<scheduling::GetItemFactsRequest, scheduling::ItemFacts>(
        [this](const auto& in) { return Known(items_, in.name()); });
    mini_.Answer<scheduling::GetSessionFactsRequest, scheduling::SessionFacts>(
        [this](const auto& in) { return Known(sessions_, in.name()); });
  }

  static std::string Name(const std::string& rest) {
    return std::string(testing::kForum) + "/" + rest;
  }
  template <class Facts>
  static StatusOr<Facts> Known(const std::map<std::string, Facts>& facts, const std::string& name) {
    auto found = facts.find(name);
    if (found != facts.end()) return found->second;
    return Refuse(errors::RESOURCE_NOT_FOUND, "there is no '" + name + "' here", name);
  }
  template <class Resp, class Req>
  Resp Done(const std::string& token, const Req& request) {  // for what must succeed
    auto response = mini_.Call<Resp>(token, request);
    EXPECT_TRUE(response.ok()) << Req::descriptor()->name() << ": " << response.status();
    return response.value_or(Resp());
  }
  template <class Req>
  static Req Named(const std::string& name) {
    Req request;
    request.set_name(Name(name));
    return request;
  }

  // Item `id` was presented at the hub session of that date; Ana and Ben are allocated.
  Status Present(const std::string& id, const std::string& date = "2021-12-03",
                 const std::string& partner = "wcc") {
    scheduling::ItemFacts facts;
    facts.set_item(Name("items/" + id));
    facts.set_session(Name("sessions/" + date));
    facts.set_partner(Name("partners/" + partner));
    facts.set_session_date(date);
    facts.set_series(scheduling::Session::HUB);
    facts.set_activity_kind(scheduling::Activity::HUB);
    facts.set_session_minutes(120);
    facts.set_state(scheduling::Item::PRESENTED);
    facts.add_reps(Name("reps/ana"));
    facts.add_reps(Name("reps/ben"));
    items_[facts.item()] = facts;
    coproduction::scheduling::events::v1::ItemPresented event;
    event.set_item(facts.item());
    event.set_request(Name("requests/" + id));
    event.set_session(facts.session());
    event.set_partner(facts.partner());
    event.set_session_date(date);
    event.set_title("Exclusion film");
    event.set_team("Inclusion");
    event.set_requestor_person("robin");
    return mini_.Deliver(facts.item(), event);
  }
  // A prep session of that date was held; Ana is allocated.
  std::string HoldPrep(const std::string& date) {
    scheduling::SessionFacts facts;
    facts.set_session(Name("sessions/prep-" + date));
    facts.set_date(date);
    facts.set_series(scheduling::Session::PREP);
    facts.set_activity_kind(scheduling::Activity::PREP);
    facts.set_minutes(60);
    facts.set_state(scheduling::Session::HELD);
    facts.add_reps(Name("reps/ana"));
    sessions_[facts.session()] = facts;
    return facts.session();
  }

  static v1::TakeAttendanceRequest Attends(const std::string& rep, const std::string& item) {
    v1::TakeAttendanceRequest request;
    request.set_parent(testing::kForum);
    request.set_rep(Name("reps/" + rep));
    if (!item.empty()) request.set_item(Name("items/" + item));
    return request;
  }
  static v1::AddPointRequest Said(const std::string& record, const std::string& text) {
    v1::AddPointRequest request;
    request.set_parent(testing::kForum);
    request.set_record(Name("records/" + record));
    request.set_kind(v1::Point::VIEW);
    request.set_text(text);
    return request;
  }
  v1::Record RecordNow(const std::string& id) {
    return Done<v1::Record>(chair_, Named<v1::GetRecordRequest>("records/" + id));
  }
  v1::InfluenceAccount AccountNow(const std::string& id) {
    return Done<v1::InfluenceAccount>(
        chair_, Named<v1::GetInfluenceAccountRequest>("influenceAccounts/" + id));
  }
  // One view, proposed by the partner.
  v1::Point Proposed(const std::string& id) {
    auto point = Done<v1::Point>(facilitator_, Said(id, "too late in the day"));
    Done<v1::Record>(facilitator_, Named<v1::ProposeRecordRequest>("records/" + id));
    return point;
  }
  v1::Point Agreed(const std::string& id) {
    auto point = Proposed(id);
    Done<v1::Record>(chair_, Named<v1::AgreeRecordRequest>("records/" + id));
    return point;
  }
  // The final answer to a record with that one view.
  static v1::GiveFeedbackRequest Changed(const std::string& id, const v1::Point& view) {
    auto request = Named<v1::GiveFeedbackRequest>("influenceAccounts/" + id);
    request.set_answer(v1::InfluenceFeedback::CHANGED);
    request.set_what("the session moved to the morning");
    auto* answer = request.add_view_answers();
    answer->set_point(view.name());
    answer->set_text("it is at 10 now");
    return request;
  }
  static v1::GiveFeedbackRequest NotYet(const std::string& id, const std::string& until) {
    auto request = Named<v1::GiveFeedbackRequest>("influenceAccounts/" + id);
    request.set_answer(v1::InfluenceFeedback::NOT_YET);
    request.set_new_date(until);
    return request;
  }

  std::map<std::string, scheduling::ItemFacts> items_;
  std::map<std::string, scheduling::SessionFacts> sessions_;
  testing::MiniService mini_;
  std::string chair_, facilitator_, requestor_, ana_;
};

}  // namespace hub::engagement
