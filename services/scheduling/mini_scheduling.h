// Scheduling for its handler tests, on both databases: hub sessions, requests and items in the
// state that a test begins with. Membership allows and remuneration pays unless a test says
// otherwise.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "coproduction/scheduling/v1/allocations.pb.h"
#include "coproduction/scheduling/v1/invitations.pb.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "coproduction/scheduling/v1/settings.pb.h"
#include "services/scheduling/module.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;
namespace membership = ::coproduction::membership::v1;
namespace remuneration = ::coproduction::remuneration::v1;

class MiniScheduling : public ::testing::TestWithParam<db::Engine> {
 protected:
  MiniScheduling() : mini_(MakeSchedulingModule(), GetParam()) {
    using namespace coproduction::options::v1;  // NOLINT: the roles
    mini_.SetDate("2021-11-15");
    chair_ = mini_.Token(CHAIR, "p-chair");
    facilitator_ = mini_.Token(FACILITATOR, "p-facilitator");
    requestor_ = mini_.Token(REQUESTOR, "p-requestor");
    GiveAtMost(0);
    mini_.Answer<remuneration::ReserveCommitmentRequest, remuneration::Commitment>(
        [this](const auto& in) -> StatusOr<remuneration::Commitment> {
          ++reserved_;
          remuneration::Commitment commitment;
          commitment.set_name(std::string(testing::kForum) + "/commitments/" + IdOf(in.rep()) +
                              "-" + IdOf(in.session()).substr(0, 36));
          return commitment;
        });
    mini_.Answer<remuneration::ReleaseCommitmentRequest, remuneration::Commitment>(
        [this](const auto&) -> StatusOr<remuneration::Commitment> {
          ++released_;
          return remuneration::Commitment();
        });
  }

  // Every rep may come, for so many hours a month; 0: no cap.
  void GiveAtMost(int32_t hours) {
    mini_.Answer<membership::CheckAllocationRequest, membership::CheckAllocationResponse>(
        [hours](const auto&) -> StatusOr<membership::CheckAllocationResponse> {
          membership::CheckAllocationResponse word;
          word.set_allowed(true);
          word.set_most_hours_a_month(hours);
          return word;
        });
  }

  // A call that must succeed.
  template <class Resp, class Req>
  Resp Do(const std::string& token, const Req& request) {
    auto response = mini_.Call<Resp>(token, request);
    EXPECT_TRUE(response.ok()) << Req::descriptor()->name() << ": " << response.status();
    return response.ok() ? *response : Resp();
  }
  template <class Req>
  static Req Named(const std::string& name) {
    Req request;
    request.set_name(name);
    return request;
  }

  static v1::CreateSessionRequest NewSession(v1::Session::Series series, const std::string& date) {
    v1::CreateSessionRequest request;
    request.set_parent(testing::kForum);
    request.mutable_session()->set_series(series);
    request.mutable_session()->set_date(date);
    request.mutable_session()->set_start_time("11:00");
    return request;
  }
  v1::Session Hub(const std::string& date) {
    return Do<v1::Session>(facilitator_, NewSession(v1::Session::HUB, date));
  }

  static v1::CreateRequestRequest NewRequest(const std::string& title) {
    v1::CreateRequestRequest create;
    create.set_parent(testing::kForum);
    auto* request = create.mutable_request();
    request->set_title(title);
    request->set_workstream(v1::EngagementRequest::BUSINESS_AS_USUAL);
    request->set_purpose(v1::EngagementRequest::DISCUSSION);
    request->set_decision_stage(v1::Decision::OPTIONS);
    request->set_can_change("Where and when");
    request->set_cannot_change("The budget");
    request->set_who_decides("Cabinet");
    request->set_requestor("Robin Example");
    request->set_team("Commissioning");
    request->set_minutes_wanted(30);
    request->set_needed_by("2022-03-31");
    request->set_papers("none");
    request->set_attendees("only the requestor");
    return create;
  }
  v1::EngagementRequest Submitted(const std::string& title, const std::string& session = "") {
    auto create = NewRequest(title);
    if (!session.empty()) create.mutable_request()->set_session(session);
    auto request = Do<v1::EngagementRequest>(requestor_, create);
    return Do<v1::EngagementRequest>(requestor_, Named<v1::SubmitRequestRequest>(request.name()));
  }
  v1::EngagementRequest Accepted(const std::string& title) {
    auto accept = Named<v1::AcceptRequestRequest>(Submitted(title).name());
    Do<v1::EngagementRequest>(facilitator_, accept);
    return Do<v1::EngagementRequest>(chair_, accept);
  }
  static v1::CreateItemRequest NewItem(const v1::EngagementRequest& request,
                                       const v1::Session& session) {
    v1::CreateItemRequest create;
    create.set_parent(testing::kForum);
    create.mutable_item()->set_request(request.name());
    create.mutable_item()->set_session(session.name());
    return create;
  }
  v1::Item Scheduled(const std::string& title, const v1::Session& session) {
    return Do<v1::Item>(facilitator_, NewItem(Accepted(title), session));
  }
  v1::Session AgendaAgreed(const v1::Session& session) {
    auto propose = Named<v1::ProposeAgendaRequest>(session.name());
    propose.set_link_person("the participation officer");
    propose.set_brief("We talk about short breaks.");
    propose.set_prep(v1::Agenda::IN_WRITING);
    Do<v1::Session>(facilitator_, propose);
    Do<v1::Session>(facilitator_, Named<v1::AgreeAgendaRequest>(session.name()));
    return Do<v1::Session>(chair_, Named<v1::AgreeAgendaRequest>(session.name()));
  }
  static v1::AllocateRepRequest Place(const std::string& rep, const v1::Item& item) {
    v1::AllocateRepRequest request;
    request.set_parent(testing::kForum);
    request.set_rep(std::string(testing::kForum) + "/reps/" + rep);
    request.set_item(item.name());
    return request;
  }
  v1::EngagementRequest Look(const std::string& name) {
    return Do<v1::EngagementRequest>(chair_, Named<v1::GetRequestRequest>(name));
  }

  testing::MiniService mini_;
  std::string chair_, facilitator_, requestor_;
  std::atomic<int> reserved_{0}, released_{0};
};

}  // namespace hub::scheduling
