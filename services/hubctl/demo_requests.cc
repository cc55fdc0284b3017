// Requests are drafted, submitted, reviewed and put on agendas.
#include "absl/strings/str_join.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"
#include "services/hubctl/demo_turn.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::scheduling::v1;
using Request = v1::EngagementRequest;

std::string RequestorOf(const Turn& turn) { return turn.Officer(turn["Requestor"], "REQUESTOR"); }

std::string Attendees(const Turn& turn) {
  return absl::StrJoin(ListOf(turn["Who will attend"]), ", ",
                       [&](std::string* out, const std::string& key) {
                         out->append(turn.book().row("officers", key)["Name"]);
                       });
}

// What the sheets of requests and of projects both say.
Request Said(const Turn& turn) {
  Request request;
  request.set_title(turn["Title"]);
  request.set_workstream(ValueOf(turn["Workstream"], Request::Workstream_Parse));
  request.set_purpose(ValueOf(turn["Purpose"], Request::Purpose_Parse));
  request.set_decision_stage(ValueOf(turn["Decision stage"], v1::Decision::Stage_Parse));
  request.set_can_change(turn["What can still change"]);
  request.set_cannot_change(turn["What cannot change"]);
  request.set_who_decides(turn["Who decides"]);
  request.set_requestor(turn.book().row("officers", turn["Requestor"])["Name"]);
  request.set_team(turn["Team"]);
  request.set_minutes_wanted(static_cast<int32_t>(DigitsOf(turn["Minutes wanted"])));
  request.set_needed_by(DayOf(turn["Needed by"]));
  request.set_papers(turn["Papers"]);
  return request;
}

// The draft that the item's further involvement made is completed by its owner.
Status CompleteDraft(Turn& turn, Request request) {
  v1::ListRequestsRequest list;
  list.set_parent(turn.forum());
  list.set_filter("follow_up_of = \"" + turn.Name(turn["Follows item"]) + "\"");
  ASSIGN_OR_RETURN(const auto drafts, turn.Read<v1::ListRequestsResponse>(RequestorOf(turn), list));
  turn.Remember(turn["Key"], drafts.requests_size() == 1 ? drafts.requests(0).name() : "");
  v1::UpdateRequestRequest update;
  for (const char* field :
       {"title", "about", "workstream", "purpose", "decision_stage", "can_change", "cannot_change",
        "who_decides", "minutes_wanted", "needed_by", "session", "papers", "attendees"}) {
    update.mutable_update_mask()->add_paths(field);
  }
  request.set_name(turn.Name(turn["Key"]));
  *update.mutable_request() = std::move(request);
  return turn.Do(RequestorOf(turn), update);
}

Status Draft(Turn& turn) {
  Request request = Said(turn);
  request.set_about(turn["What it is about"]);
  request.set_session(turn.Name(turn["Session asked for"]));
  request.set_attendees(Attendees(turn));
  if (!turn["Follows item"].empty()) return CompleteDraft(turn, std::move(request));
  request.set_supplier(turn["Supplier"]);
  request.set_matter(turn["Matter"]);
  v1::CreateRequestRequest create;
  create.set_parent(turn.forum());
  *create.mutable_request() = std::move(request);
  return turn.Make(RequestorOf(turn), create);
}

template <class Step>
Step Named(const Turn& turn) {
  Step step;
  step.set_name(turn.Name(turn["Key"]));
  return step;
}

// Comment on a decision already made is no coproduction: it stays a draft.
Status Submit(Turn& turn) {
  RETURN_IF_ERROR(Draft(turn));
  const auto submit = Named<v1::SubmitRequestRequest>(turn);
  if (turn["Ends as"] != "REFUSED") return turn.Do(RequestorOf(turn), submit);
  return turn.Refused(RequestorOf(turn), submit, "decided_only_as_update");
}

Status AskForInformation(Turn& turn) {
  auto ask = Named<v1::AskForInformationRequest>(turn);
  ask.set_question(turn["What was asked"]);
  return turn.Do(turn.Facilitator(turn["Partner"]), ask);
}

// The sheet keeps the request as it was then completed.
Status GiveInformation(Turn& turn) {
  return turn.Do(RequestorOf(turn), Named<v1::SubmitRequestRequest>(turn));
}

Status Waive(Turn& turn) {
  auto waive = Named<v1::WaiveLatenessRequest>(turn);
  waive.set_reason(turn["Waiver reason"]);
  return turn.Do(turn.Member(turn["Waived by"]), waive);
}

Status ForumAccepts(Turn& turn) {
  return turn.Do(turn.Holder("CHAIR"), Named<v1::AcceptRequestRequest>(turn));
}
Status PartnerAccepts(Turn& turn) {
  return turn.Do(turn.Facilitator(turn["Partner"]), Named<v1::AcceptRequestRequest>(turn));
}

Status Decline(Turn& turn) {
  auto decline = Named<v1::DeclineRequestRequest>(turn);
  decline.set_reason(turn["Decline reason"]);
  return turn.Do(turn.Holder("CHAIR"), decline);
}

Status Withdraw(Turn& turn) {
  auto withdraw = Named<v1::WithdrawRequestRequest>(turn);
  withdraw.set_reason(turn["Withdrawal reason"]);
  return turn.Do(RequestorOf(turn), withdraw);
}

std::string ChairOf(const Turn& turn) {
  return turn.Member(turn.book().row("sessions", turn["Session"])["Chair"]);
}

Status PutOnAgenda(Turn& turn) {
  v1::CreateItemRequest create;
  create.set_parent(turn.forum());
  create.mutable_item()->set_request(turn.Name(turn["Request"]));
  create.mutable_item()->set_session(turn.Name(turn["Session"]));
  create.mutable_item()->set_position(static_cast<int32_t>(DigitsOf(turn["Position"])));
  create.mutable_item()->set_minutes_planned(
      static_cast<int32_t>(DigitsOf(turn["Minutes planned"])));
  return turn.Make(ChairOf(turn), create);
}

Status SayStageFelt(Turn& turn) {
  auto felt = Named<v1::SetStageFeltRequest>(turn);
  felt.set_stage_felt(ValueOf(turn["Stage felt"], v1::Decision::Stage_Parse));
  return turn.Do(ChairOf(turn), felt);
}

// A project of a partner's needs a contribution of its own: the grant refuses it.
Status AskForProject(Turn& turn) {
  v1::CreateRequestRequest create;
  create.set_parent(turn.forum());
  Request* request = create.mutable_request();
  *request = Said(turn);
  request->set_attendees(request->requestor());
  request->set_activity_kind(ValueOf(turn["Kind"], v1::Activity::Kind_Parse));
  RETURN_IF_ERROR(turn.Make(RequestorOf(turn), create));
  RETURN_IF_ERROR(turn.Do(RequestorOf(turn), Named<v1::SubmitRequestRequest>(turn)));
  auto accept = Named<v1::AcceptRequestRequest>(turn);
  accept.set_fund(turn.Name(turn["Fund tried"]));
  return turn.Refused(turn.Holder("CHAIR"), accept, "no_fund_pays");
}

Status AgreeProject(Turn& turn) {
  auto accept = Named<v1::AcceptRequestRequest>(turn);
  accept.set_fund(turn.Name(turn["Fund agreed"]));
  RETURN_IF_ERROR(turn.Do(turn.Holder("CHAIR"), accept, "forum"));
  return turn.Do(turn.Facilitator(turn["Partner"]), accept, "partner");
}

}  // namespace

void PlanRequests(Plan* plan) {
  for (const Row& row : plan->book().rows("requests")) {
    plan->On(row, "Submitted", Step::kRequests, Submit);
    plan->On(row, "More information asked on", Step::kRequests, AskForInformation);
    plan->On(row, "Information given on", Step::kRequests, GiveInformation);
    plan->On(row, "Waived on", Step::kRequests, Waive);
    plan->On(row, "Accepted by forum", Step::kRequests, ForumAccepts);
    plan->On(row, "Accepted by partner", Step::kRequests, PartnerAccepts);
    plan->On(row, "Declined on", Step::kRequests, Decline);
    plan->On(row, "Withdrawn on", Step::kRequests, Withdraw);
  }
  for (const Row& row : plan->book().rows("items")) {
    plan->On(row, "Put on the agenda", Step::kItems, PutOnAgenda);
    plan->On(row, "Stage felt on", Step::kHeld, SayStageFelt);
  }
  for (const Row& row : plan->book().rows("projects")) {
    plan->On(row, "Asked on", Step::kRequests, AskForProject);
    plan->On(row, "Agreed on", Step::kRequests, AgreeProject);
  }
}

}  // namespace hub::ctl
