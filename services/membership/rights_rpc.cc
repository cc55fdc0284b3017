// Persons' rights over their data. An erasure begins here; each service does its part by itself and
// says so (common/journal/person.h).
#include "services/membership/rights_rpc.h"

#include "common/rpc/door.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/membership/duplicates_rpc.h"
#include "services/membership/history.h"
#include "services/membership/publications.h"
#include "services/membership/rights_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using coproduction::hub::events::v1::MemberErased;
using coproduction::hub::v1::ConfirmErasureRequest;
using coproduction::hub::v1::ConfirmErasureResponse;
using v1::RightsRequest;

constexpr char kRightsRequests[] = "coproduction.membership.v1.RightsRequests";

// With the clock as it is from now on.
StatusOr<RightsRequest> Keep(Write& write, RightsRequest request) {
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  SetClock(&request, settings, write.today());
  return write.Put(std::move(request));
}

// The member leaves, and as a rep too, so that counts and places are as of everybody who does.
// After a restore the record may be erased already, and the rest not be known any more.
Status BeginErasure(Write& write, v1::Member member) {
  const std::string rep_name = "forums/" + write.forum() + "/reps/" + IdOf(member.name());
  ASSIGN_OR_RETURN(const auto known, write.Find<v1::Rep>(rep_name));
  if (known && known->state() != v1::Rep::STOOD_DOWN) {
    ASSIGN_OR_RETURN(auto rep, write.Get<v1::Rep>(rep_name));
    if (rep.state() == v1::Rep::ACTIVE) {
      RETURN_IF_ERROR(Record(write, member.name(), v1::HistoryEntry::REP_LEFT_POOL, write.today()));
    }
    rep.set_state(v1::Rep::STOOD_DOWN);
    write.Emit<events::RepStoodDown>(rep);
    RETURN_IF_ERROR(write.Put(std::move(rep)).status());
  }
  // Who was merged into another counts with that one.
  if (member.merged_into().empty()) {
    RETURN_IF_ERROR(HastenMerges(write, member.name()));
    ASSIGN_OR_RETURN(const auto changes, ChangesOf(write, member.name()));
    const auto spans = SpansOf(changes);
    if (!spans.empty() && spans.back().until.empty()) {
      RETURN_IF_ERROR(Record(write, member.name(), v1::HistoryEntry::MEMBER_LEFT, write.today()));
    }
  }
  if (member.state() == v1::Member::ERASED) return Status();
  if (member.state() == v1::Member::ACTIVE) {
    member.set_left_on(write.today());
    write.Emit<events::MemberLeft>(member);
  }
  RETURN_IF_ERROR(LeaveFigures(write, member.name()));
  member.set_state(v1::Member::ERASED);
  member.clear_kept_until();
  return write.Put(std::move(member)).status();
}

StatusOr<RightsRequest> CreateRightsRequest(Write& write,
                                            const v1::CreateRightsRequestRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.member()));
  RETURN_IF_ERROR(CheckThere(member));
  RightsRequest request;
  request.set_member(in.member());
  request.set_kind(in.kind());
  request.set_received_on(DateOr(in.received_on(), write.today()));
  request.set_details(in.details());
  request.set_purpose(in.purpose());
  request.set_ground(in.ground());
  RETURN_IF_ERROR(
      CheckRightsRequest(request, write.today(), write.person() == IdOf(member.name())));
  request.set_state(RightsRequest::RECEIVED);
  if (in.kind() == RightsRequest::OBJECTION) {
    Object(&member, in.purpose(), write.today());
    write.Emit<events::ConsentChanged>(member);
    RETURN_IF_ERROR(write.Put(std::move(member)).status());
    request.set_state(RightsRequest::DONE);
    request.set_done_on(write.today());
  }
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  SetClock(&request, settings, write.today());
  ASSIGN_OR_RETURN(request, write.Create(std::move(request)));
  write.Emit<events::RightsRequested>(request);
  return request;
}

StatusOr<RightsRequest> Acknowledge(Write& write, const v1::AcknowledgeRightsRequestRequest& in) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(in.name(), in.etag()));
  request.set_state(RightsRequest::IN_HAND);
  request.set_acknowledged_on(write.today());
  return Keep(write, std::move(request));
}

StatusOr<RightsRequest> AskPerson(Write& write, const v1::AskPersonRequest& in) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(in.name(), in.etag()));
  request.set_state(RightsRequest::WAITING_FOR_PERSON);
  if (request.acknowledged_on().empty()) request.set_acknowledged_on(write.today());
  request.set_question(in.question());
  request.set_asked_on(write.today());
  request.clear_answer();
  request.clear_answered_on();
  return Keep(write, std::move(request));
}

StatusOr<RightsRequest> AnswerQuestion(Write& write, const v1::AnswerQuestionRequest& in) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(in.name(), in.etag()));
  request.set_state(RightsRequest::IN_HAND);
  request.set_answer(in.answer());
  request.set_answered_on(write.today());
  request.set_days_rested(request.days_rested() +
                          static_cast<int32_t>(DaysBetween(request.asked_on(), write.today())));
  return Keep(write, std::move(request));
}

StatusOr<RightsRequest> Extend(Write& write, const v1::ExtendRightsRequestRequest& in) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(in.name(), in.etag()));
  RETURN_IF_ERROR(CheckExtension(request, write.today()));
  request.set_state(RightsRequest::IN_HAND);
  if (request.acknowledged_on().empty()) request.set_acknowledged_on(write.today());
  request.set_extended_months(static_cast<int32_t>(in.months()));
  request.set_extension_reason(in.reason());
  return Keep(write, std::move(request));
}

StatusOr<RightsRequest> Complete(Write& write, const v1::CompleteRightsRequestRequest& in) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(in.name(), in.etag()));
  request.set_outcome(in.outcome());
  if (request.kind() == RightsRequest::ERASURE) {
    ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(request.member()));
    RETURN_IF_ERROR(BeginErasure(write, std::move(member)));
    request.set_state(RightsRequest::ERASING);
    write.Emit<MemberErased>(request);
    return Keep(write, std::move(request));
  }
  if (request.kind() == RightsRequest::RESTRICTION) {
    ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(request.member()));
    member.mutable_restriction()->set_ground(request.ground());
    member.mutable_restriction()->set_since_on(write.today());
    RETURN_IF_ERROR(LeaveFigures(write, member.name()));
    RETURN_IF_ERROR(write.Put(std::move(member)).status());
  }
  request.set_state(RightsRequest::DONE);
  request.set_done_on(write.today());
  return Keep(write, std::move(request));
}

StatusOr<RightsRequest> RefuseRightsRequest(Write& write,
                                            const v1::RefuseRightsRequestRequest& in) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(in.name(), in.etag()));
  request.set_outcome(in.reason());
  request.set_state(RightsRequest::REFUSED);
  request.set_done_on(write.today());
  return Keep(write, std::move(request));
}

StatusOr<ConfirmErasureResponse> ConfirmErasure(Write& write, const ConfirmErasureRequest& in) {
  if (in.confirmation().service() != write.principal().service) {
    return InvalidField("confirmation.service", "confirmation.service is '" +
                                                    in.confirmation().service() +
                                                    "', and a service speaks for itself alone");
  }
  ASSIGN_OR_RETURN(const auto known, write.Find<RightsRequest>(in.rights_request()));
  if (!known || known->state() != RightsRequest::ERASING) return ConfirmErasureResponse();
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(in.rights_request()));
  if (Confirm(&request, in.confirmation(), schema::ServicesWithPersons(), write.today())) {
    write.Emit<events::ErasureConfirmed>(request).set_service(in.confirmation().service());
    RETURN_IF_ERROR(write.Put(std::move(request)).status());
  }
  return ConfirmErasureResponse();
}

}  // namespace

StatusOr<bool> HasOpenRight(Read& read, const std::string& member) {
  ASSIGN_OR_RETURN(
      const int64_t open,
      read.Number("SELECT COUNT(*) FROM rights_requests WHERE forum = $1 AND member_id = $2 AND "
                  "state NOT IN ('DONE', 'REFUSED')",
                  {read.forum(), IdOf(member)}));
  return open > 0;
}

Status EraseMember(Write& write, v1::Member member, const std::string& why) {
  RightsRequest request;
  request.set_member(member.name());
  request.set_kind(RightsRequest::ERASURE);
  request.set_received_on(write.today());
  request.set_outcome(why);
  request.set_state(RightsRequest::ERASING);
  RETURN_IF_ERROR(BeginErasure(write, std::move(member)));
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  SetClock(&request, settings, write.today());
  ASSIGN_OR_RETURN(request, write.Create(std::move(request)));
  write.Emit<MemberErased>(request);
  return Status();
}

// An answer that is owed, or a restriction, is a reason to keep them: asked again in a month.
Status EndRetention(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(resource));
  if (member.state() != v1::Member::LEFT) return Status();
  ASSIGN_OR_RETURN(const bool asked, HasOpenRight(write, member.name()));
  if (asked || member.has_restriction()) {
    member.set_kept_until(MonthsAfter(write.today(), 1));
    return write.Put(std::move(member)).status();
  }
  const std::string why = "left on " + member.left_on() + ", and was kept until " +
                          member.kept_until() + ", as who leaves is";
  return EraseMember(write, std::move(member), why);
}

Status TellRightsDueSoon(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(resource));
  request.clear_notice_on();
  write.Emit<events::RightsDueSoon>(request);
  return write.Put(std::move(request)).status();
}

Status TellRightsOverdue(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto request, write.Get<RightsRequest>(resource));
  request.clear_notice_on();
  request.clear_overdue_from();
  write.Emit<events::RightsOverdue>(request);
  return write.Put(std::move(request)).status();
}

void BindRights(Door& door) {
  door.Bind(kRightsRequests, "CreateRightsRequest", CreateRightsRequest);
  door.Bind(kRightsRequests, "AcknowledgeRightsRequest", Acknowledge);
  door.Bind(kRightsRequests, "AskPerson", AskPerson);
  door.Bind(kRightsRequests, "AnswerQuestion", AnswerQuestion);
  door.Bind(kRightsRequests, "ExtendRightsRequest", Extend);
  door.Bind(kRightsRequests, "CompleteRightsRequest", Complete);
  door.Bind(kRightsRequests, "RefuseRightsRequest", RefuseRightsRequest);
  door.Bind("coproduction.hub.v1.Erasures", "ConfirmErasure", ConfirmErasure);
}

}  // namespace hub::membership
