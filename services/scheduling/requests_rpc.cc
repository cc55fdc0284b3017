#include "common/rpc/door.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "coproduction/scheduling/events/v1/requests.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "coproduction/scheduling/v1/settings.pb.h"
#include "services/scheduling/calendar_rules.h"
#include "services/scheduling/requests_rules.h"
#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {

namespace events = ::coproduction::scheduling::events::v1;
namespace remuneration = ::coproduction::remuneration::v1;
using Request = v1::EngagementRequest;
using v1::SchedulingSettings;
using v1::Session;

// The session asked for, if one is.
static StatusOr<std::optional<Session>> SessionAskedFor(Read& read, const Request& request) {
  if (!request.has_session()) return std::optional<Session>();
  return read.Find<Session>(request.session());
}

// Against the session asked for; a draft as if it were submitted today.
static StatusOr<bool> Late(Read& read, const Request& request) {
  ASSIGN_OR_RETURN(auto session, SessionAskedFor(read, request));
  if (!session) return false;
  ASSIGN_OR_RETURN(auto settings, read.Settings<SchedulingSettings>());
  return IsLate(request.has_submit_date() ? request.submit_date() : read.today(), session->date(),
                settings.lead_days());
}

// The review that the request comes to, counted from the forum's first hub session.
static Status SetReview(Read& read, Request* request) {
  ASSIGN_OR_RETURN(auto first, read.Select<Session>("series = $2 ORDER BY date LIMIT 1",
                                                    {Session::Series_Name(Session::HUB)}));
  if (first.empty()) return Status();
  ASSIGN_OR_RETURN(auto settings, read.Settings<SchedulingSettings>());
  request->set_review_date(NextReviewDate(first[0].date(), settings.hub_interval_days(),
                                          settings.review_days(), read.today()));
  request->set_review_overdue_date(AddDays(request->review_date(), 1));
  return Status();
}

// A requestor who names nobody else is the one who owes the feedback.
static void NameRequestor(Read& read, Request* request) {
  if (request->requestor_person().empty() &&
      read.principal().Has(coproduction::options::v1::REQUESTOR, read.forum())) {
    request->set_requestor_person(read.person());
  }
}

static StatusOr<Request> CreateRequest(Write& write, const v1::CreateRequestRequest& in) {
  Request request = in.request();
  const std::string partner = write.partner();
  RETURN_IF_ERROR(AskFor(partner.empty() ? "" : in.parent() + "/partners/" + partner, &request));
  NameRequestor(write, &request);
  if (request.activity_kind() == v1::Activity::KIND_UNSPECIFIED) {
    request.set_activity_kind(v1::Activity::HUB);
  }
  request.set_state(Request::DRAFT);
  return write.Create(std::move(request));
}

static StatusOr<Request> UpdateRequest(Write& write, const v1::UpdateRequestRequest& in) {
  ASSIGN_OR_RETURN(Request request, write.Merge(in.request(), in.update_mask()));
  return write.Put(std::move(request));
}

static StatusOr<Request> SubmitRequest(Write& write, const v1::SubmitRequestRequest& in) {
  ASSIGN_OR_RETURN(Request request, write.Get<Request>(in.name(), in.etag()));
  NameRequestor(write, &request);
  RETURN_IF_ERROR(MayBeSubmitted(request));
  ASSIGN_OR_RETURN(auto session, SessionAskedFor(write, request));
  if (session) RETURN_IF_ERROR(MustBeOpen(*session));
  Submit(write.today(), &request);
  RETURN_IF_ERROR(SetReview(write, &request));
  ASSIGN_OR_RETURN(bool late, Late(write, request));
  write.Emit<events::RequestSubmitted>(request).set_late(late);
  return write.Put(std::move(request));
}

static StatusOr<Request> AskForInformation(Write& write, const v1::AskForInformationRequest& in) {
  ASSIGN_OR_RETURN(Request request, write.Get<Request>(in.name(), in.etag()));
  request.set_question(in.question());
  request.set_state(Request::NEEDS_INFORMATION);
  write.Emit<events::RequestNeedsInformation>(request);
  return write.Put(std::move(request));
}

static StatusOr<Request> WaiveLateness(Write& write, const v1::WaiveLatenessRequest& in) {
  ASSIGN_OR_RETURN(Request request, write.Get<Request>(in.name(), in.etag()));
  request.set_waiver_reason(in.reason());
  return write.Put(std::move(request));
}

// Remuneration's word on whether a fund pays what the partner asks for.
static StatusOr<remuneration::CheckFundingResponse> AskFunding(Ask& ask,
                                                               const v1::AcceptRequestRequest& in) {
  remuneration::CheckFundingRequest question;
  bool needed = false;
  RETURN_IF_ERROR(ask.Snapshot([&](Read& read) -> Status {
    ASSIGN_OR_RETURN(Request request, read.Get<Request>(in.name()));
    ASSIGN_OR_RETURN(auto session, SessionAskedFor(read, request));
    needed = NeedsContribution(request.activity_kind());
    question.set_parent("forums/" + read.forum());
    question.set_activity_kind(request.activity_kind());
    question.set_partner(request.partner());
    question.set_date(session ? session->date() : request.needed_by());
    question.set_fund(in.fund().empty() ? request.fund() : in.fund());
    return Status();
  }));
  if (needed) return ask.Call<remuneration::CheckFundingResponse>(question);
  remuneration::CheckFundingResponse no_question;
  no_question.set_allowed(true);
  return no_question;
}

static StatusOr<Request> AcceptRequest(Write& write, const v1::AcceptRequestRequest& in,
                                       const remuneration::CheckFundingResponse& funding) {
  ASSIGN_OR_RETURN(Request request, write.Get<Request>(in.name(), in.etag()));
  if (!funding.allowed()) return RuleRefused("no_fund_pays", funding.reason());
  ASSIGN_OR_RETURN(bool late, Late(write, request));
  RETURN_IF_ERROR(MayBeAccepted(request, late));
  RETURN_IF_ERROR(AgreeOnFund(funding.fund(), &request));
  RETURN_IF_ERROR(GiveWord(write, request.mutable_acceptance()));
  if (Both(request.acceptance())) {
    request.set_state(Request::ACCEPTED);
    write.Emit<events::RequestAccepted>(request);
  }
  return write.Put(std::move(request));
}

static StatusOr<Request> TakeBackAcceptance(Write& write, const v1::TakeBackAcceptanceRequest& in) {
  ASSIGN_OR_RETURN(Request request, write.Get<Request>(in.name(), in.etag()));
  TakeBackWord(write, request.mutable_acceptance());
  const auto& words = request.acceptance();
  if (!words.has_forum_time() && !words.has_partner_time()) request.clear_fund();
  return write.Put(std::move(request));
}

static StatusOr<Request> DeclineRequest(Write& write, const v1::DeclineRequestRequest& in) {
  ASSIGN_OR_RETURN(Request request, write.Get<Request>(in.name(), in.etag()));
  request.set_decline_reason(in.reason());
  request.set_state(Request::DECLINED);
  write.Emit<events::RequestDeclined>(request);
  return write.Put(std::move(request));
}

// A planned item follows by itself (due row ItemFellAway), in a command of its own.
static StatusOr<Request> WithdrawRequest(Write& write, const v1::WithdrawRequestRequest& in) {
  ASSIGN_OR_RETURN(Request request, write.Get<Request>(in.name(), in.etag()));
  request.set_withdraw_reason(in.reason());
  request.set_state(Request::WITHDRAWN);
  write.Emit<events::RequestWithdrawn>(request);
  return write.Put(std::move(request));
}

static Status FillRequest(Read& read, Request* request) {
  ASSIGN_OR_RETURN(bool late, Late(read, *request));
  request->set_late(late);
  ASSIGN_OR_RETURN(int64_t overdue,
                   read.Number("SELECT COUNT(*) FROM overdue_feedback WHERE forum = $1 AND "
                               "partner = $2 AND team = $3",
                               {read.forum(), request->partner(), request->team()}));
  request->set_team_overdue_feedback(static_cast<int32_t>(overdue));
  return Status();
}

void BindRequests(Door& door) {
  const char service[] = "coproduction.scheduling.v1.Requests";
  door.Bind(service, "CreateRequest", CreateRequest);
  door.Bind(service, "UpdateRequest", UpdateRequest);
  door.Bind(service, "SubmitRequest", SubmitRequest);
  door.Bind(service, "AskForInformation", AskForInformation);
  door.Bind(service, "WaiveLateness", WaiveLateness);
  door.Bind(service, "AcceptRequest", AskFunding, AcceptRequest);
  door.Bind(service, "TakeBackAcceptance", TakeBackAcceptance);
  door.Bind(service, "DeclineRequest", DeclineRequest);
  door.Bind(service, "WithdrawRequest", WithdrawRequest);
  door.Computed<Request>(FillRequest);
}

}  // namespace hub::scheduling
