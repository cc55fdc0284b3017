// Members come and go; reps apply, are inducted, accept, declare, pause and come back.
#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "coproduction/membership/v1/declarations.pb.h"
#include "coproduction/membership/v1/documents.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/hubctl/demo_turn.h"
#include "services/hubctl/import.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;

constexpr char kCode[] = "code of conduct";
constexpr char kTerms[] = "terms of reference";

Status Told(const std::vector<Complaint>& complaints) {
  return complaints.empty() ? Status() : UsageError(complaints[0].Text());
}

Status Join(Turn& turn) {
  std::vector<Complaint> complaints;
  const v1::CreateMemberRequest join = MemberOf(turn.row(), turn.forum(), &complaints);
  RETURN_IF_ERROR(Told(complaints));
  return turn.Make(kPlatform, join);
}

Status Leave(Turn& turn) {
  v1::LeaveMemberRequest leave;
  leave.set_name(turn.Name(turn["Key"]));
  leave.set_left_on(DayOf(turn["Left"]));
  return turn.Do(kPlatform, leave);
}

// The chair's first act.
Status Publish(Turn& turn) {
  v1::PublishDocumentRequest publish;
  publish.set_parent(turn.forum());
  publish.mutable_document()->set_kind(v1::Document::CODE_OF_CONDUCT);
  publish.mutable_document()->set_text(turn.book().document(kCode));
  RETURN_IF_ERROR(turn.Make(turn.Member(turn["Key"]), publish, kCode));
  publish.mutable_document()->set_kind(v1::Document::TERMS_OF_REFERENCE);
  publish.mutable_document()->set_text(turn.book().document(kTerms));
  return turn.Make(turn.Member(turn["Key"]), publish, kTerms);
}

std::string Admin(const Turn& turn) { return turn.Holder("MEMBERSHIP_ADMIN"); }

// For the requests that say no more than which rep.
template <class Request>
Status Move(Turn& turn, const std::string& who) {
  Request step;
  step.set_name(turn.Name(turn["Key"]));
  return turn.Do(who, step);
}

Status Apply(Turn& turn) {
  std::vector<Complaint> complaints;
  const v1::CreateRepRequest apply =
      RepOf(turn.row(), turn.forum(), turn.Name(turn["Member"]), &complaints);
  RETURN_IF_ERROR(Told(complaints));
  RETURN_IF_ERROR(turn.Make(Admin(turn), apply));
  return Move<v1::StartInductionRequest>(turn, Admin(turn));
}

Status CompleteInduction(Turn& turn) {
  return Move<v1::CompleteInductionRequest>(turn, Admin(turn));
}

Status Accept(Turn& turn, const std::string& document) {
  v1::AcceptDocumentRequest accept;
  accept.set_name(turn.Name(document));
  accept.set_rep(turn.Name(turn["Key"]));
  accept.set_text_hash(Hex(privacy::Sha256(turn.book().document(document))));
  return turn.Do(Turn::Rep(turn["Key"]), accept);
}
Status AcceptCode(Turn& turn) { return Accept(turn, kCode); }
Status AcceptTerms(Turn& turn) { return Accept(turn, kTerms); }

Status Declare(Turn& turn) {
  v1::MakeDeclarationRequest declare;
  declare.set_parent(turn.forum());
  v1::Declaration* declaration = declare.mutable_declaration();
  declaration->set_rep(turn.Name(turn["Key"]));
  for (const Row& row : turn.book().rows("interests")) {
    if (row["Rep"] != turn["Key"]) continue;
    v1::Interest* interest = declaration->add_interests();
    interest->set_kind(ValueOf(row["Kind"], v1::Interest::Kind_Parse));
    interest->set_party(row["Party"]);
    interest->set_since_on(DayOf(row["Since"]));
    interest->set_until_on(DayOf(row["Until"]));
    interest->set_what(row["What it is"]);
  }
  declaration->set_nil(declaration->interests().empty());
  return turn.Do(Turn::Rep(turn["Key"]), declare);
}

Status Activate(Turn& turn) { return Move<v1::ActivateRepRequest>(turn, Admin(turn)); }
Status Pause(Turn& turn) { return Move<v1::PauseRepRequest>(turn, Turn::Rep(turn["Key"])); }

}  // namespace

void PlanMembership(Plan* plan) {
  for (const Row& row : plan->book().rows("members")) {
    plan->On(row, "Joined", Step::kMembers, Join);
    plan->On(row, "Left", Step::kMembers, Leave);
    if (row["Forum role"] == "CHAIR") plan->On(row, "Joined", Step::kReps, Publish);
  }
  for (const Row& row : plan->book().rows("reps")) {
    plan->On(row, "Applied", Step::kReps, Apply);
    plan->On(row, "Induction done", Step::kReps, CompleteInduction);
    plan->On(row, "Code accepted", Step::kReps, AcceptCode);
    plan->On(row, "Terms accepted", Step::kReps, AcceptTerms);
    plan->On(row, "Declaration made", Step::kReps, Declare);
    plan->On(row, "Activated", Step::kReps, Activate);
    plan->On(row, "Paused from", Step::kReps, Pause);
    plan->On(row, "Back on", Step::kReps, Activate);
  }
}

}  // namespace hub::ctl
