// Sessions are planned, prepared, agreed and held; reps are invited, reply, get places and come.
#include <set>

#include "common/base/bank_holidays.h"
#include "common/base/date.h"
#include "coproduction/engagement/v1/attendances.pb.h"
#include "coproduction/scheduling/v1/allocations.pb.h"
#include "coproduction/scheduling/v1/invitations.pb.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "services/hubctl/demo_turn.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::scheduling::v1;
namespace engagement = ::coproduction::engagement::v1;

constexpr int kFortnight = 14;

std::string ChairOf(const Turn& turn, const std::string& session) {
  return turn.Member(turn.book().row("sessions", session)["Chair"]);
}

// A hub session on a bank holiday is refused: the series leaves that Friday out.
Status PlanSession(Turn& turn) {
  v1::CreateSessionRequest plan;
  plan.set_parent(turn.forum());
  v1::Session* session = plan.mutable_session();
  session->set_series(ValueOf(turn["Series"], v1::Session::Series_Parse));
  session->set_date(DayOf(turn["Date"]));
  session->set_start_time(turn["Start"]);
  session->set_minutes(static_cast<int32_t>(DigitsOf(turn["Minutes"])));
  if (!turn["For session"].empty()) session->set_prep_of(turn.Name(turn["For session"]));
  RETURN_IF_ERROR(turn.Make(turn.Member(turn["Chair"]), plan));
  session->set_date(AddDays(session->date(), kFortnight));
  if (session->series() != v1::Session::HUB || !IsBankHoliday(session->date())) return Status();
  return turn.Refused(turn.Member(turn["Chair"]), plan, "bank_holiday");
}

Status Cancel(Turn& turn) {
  v1::CancelSessionRequest cancel;
  cancel.set_name(turn.Name(turn["Key"]));
  cancel.set_reason(turn["Why cancelled"]);
  return turn.Do(turn.Member(turn["Chair"]), cancel);
}

std::string FacilitatorOf(const Turn& turn) {
  return turn.Officer(turn["Facilitator"], "FACILITATOR");
}

template <class Request>
Status Agree(Turn& turn, const std::string& who) {
  Request agree;
  agree.set_name(turn.Name(turn["Key"]));
  return turn.Do(who, agree);
}
Status ForumComes(Turn& turn) {
  return Agree<v1::AgreeFaceToFaceRequest>(turn, turn.Member(turn["Chair"]));
}
Status PartnerComes(Turn& turn) {
  return Agree<v1::AgreeFaceToFaceRequest>(turn, FacilitatorOf(turn));
}
Status ForumAgrees(Turn& turn) {
  return Agree<v1::AgreeAgendaRequest>(turn, turn.Member(turn["Chair"]));
}
Status PartnerAgrees(Turn& turn) {
  return Agree<v1::AgreeAgendaRequest>(turn, FacilitatorOf(turn));
}

Status ProposeAgenda(Turn& turn) {
  v1::ProposeAgendaRequest propose;
  propose.set_name(turn.Name(turn["Key"]));
  propose.set_link_person(turn.book().row("officers", turn["Link person"])["Name"]);
  propose.set_brief(turn["Brief"]);
  propose.set_prep(turn["Preparation"] == "HELD"
                       ? v1::Agenda::IN_SESSION
                       : ValueOf(turn["Preparation"], v1::Agenda::Prep_Parse));
  propose.set_prep_reason(turn["About the preparation"]);
  return turn.Do(FacilitatorOf(turn), propose);
}

// Its items are presented in their order, and attendance is taken by unit.
Status Hold(Turn& turn) {
  const std::string chair = turn.Member(turn["Chair"]);
  for (const Row& item : turn.book().rows("items")) {
    if (item["Session"] != turn["Key"]) continue;
    v1::PresentItemRequest present;
    present.set_name(turn.Name(item["Key"]));
    present.set_minutes_actual(static_cast<int32_t>(DigitsOf(item["Minutes actual"])));
    RETURN_IF_ERROR(turn.Do(chair, present, item["Key"]));
  }
  std::vector<const Row*> came;
  std::set<std::string> reps;
  for (const Row& row : turn.book().rows("attendance")) {
    if (row["Session"] != turn["Key"] || row["Came"] != "yes") continue;
    came.push_back(&row);
    reps.insert(row["Rep"]);
  }
  v1::HoldSessionRequest hold;
  hold.set_name(turn.Name(turn["Key"]));
  hold.set_reps_present(static_cast<int32_t>(reps.size()));
  hold.set_not_quorate_reason(turn["Why held without a quorum"]);
  RETURN_IF_ERROR(turn.Do(chair, hold));
  for (const Row* row : came) {
    engagement::TakeAttendanceRequest take;
    take.set_parent(turn.forum());
    take.set_rep(turn.Name((*row)["Rep"]));
    const std::string& item = (*row)["Item"];
    if (item.empty()) {
      take.set_session(turn.Name(turn["Key"]));
    } else {
      take.set_item(turn.Name(item));
    }
    RETURN_IF_ERROR(turn.Do(chair, take, KeyOf(*row)));
  }
  return Status();
}

Status Invite(Turn& turn) {
  v1::InviteRepRequest invite;
  invite.set_parent(turn.forum());
  invite.set_rep(turn.Name(turn["Rep"]));
  invite.set_session(turn.Name(turn["Session"]));
  return turn.Make(ChairOf(turn, turn["Session"]), invite);
}

Status Reply(Turn& turn) {
  v1::ReplyToInvitationRequest reply;
  reply.set_name(turn.Name(KeyOf(turn.row())));
  reply.set_reply(ValueOf(turn["Reply"], v1::Invitation::Reply_Parse));
  return turn.Do(Turn::Rep(turn["Rep"]), reply);
}

Status Allocate(Turn& turn) {
  v1::AllocateRepRequest allocate;
  allocate.set_parent(turn.forum());
  allocate.set_rep(turn.Name(turn["Rep"]));
  if (turn["Item"].empty()) {
    allocate.set_session(turn.Name(turn["Session"]));
  } else {
    allocate.set_item(turn.Name(turn["Item"]));
  }
  return turn.Do(ChairOf(turn, turn["Session"]), allocate);
}

bool IsOf(const Row& interest, const Row& request) {
  const std::string& kind = interest["Party kind"];
  const std::string& party = interest["Party"];
  return kind == "MATTER" ? party == request["Matter"]
         : kind == "SUPPLIER"
             ? party == request["Supplier"]
             : party == request["Team"] && interest["Partner"] == request["Partner"];
}

bool SaidYes(const Book& book, const std::string& session, const std::string& rep) {
  for (const Row& row : book.rows("invitations")) {
    if (row["Session"] == session && row["Rep"] == rep) return row["Reply"] == "YES";
  }
  return false;
}

// A rep who comes to the session has no place in an item that touches a declared interest.
Status TryConflicts(Turn& turn) {
  const Row& request = turn.book().row("requests", turn["Request"]);
  for (const Row& interest : turn.book().rows("interests")) {
    if (!IsOf(interest, request) || !SaidYes(turn.book(), turn["Session"], interest["Rep"])) {
      continue;
    }
    v1::AllocateRepRequest allocate;
    allocate.set_parent(turn.forum());
    allocate.set_rep(turn.Name(interest["Rep"]));
    allocate.set_item(turn.Name(turn["Key"]));
    RETURN_IF_ERROR(turn.Refused(ChairOf(turn, turn["Session"]), allocate, "conflict_of_interest"));
  }
  return Status();
}

}  // namespace

void PlanSessions(Plan* plan) {
  for (const Row& row : plan->book().rows("sessions")) {
    plan->On(row, "Planned on", Step::kSessions, PlanSession);
    plan->On(row, "Cancelled on", Step::kSessions, Cancel);
    plan->On(row, "Face to face agreed by forum", Step::kSessions, ForumComes);
    plan->On(row, "Face to face agreed by partner", Step::kSessions, PartnerComes);
    plan->On(row, "Agenda proposed", Step::kAgendas, ProposeAgenda);
    plan->On(row, "Agenda agreed by forum", Step::kAgendas, ForumAgrees);
    plan->On(row, "Agenda agreed by partner", Step::kAgendas, PartnerAgrees);
    if (row["Ends as"] != "HELD") continue;
    plan->On(row, "Date", row["Series"] == "PREP" ? Step::kPreps : Step::kHeld, Hold);
  }
  for (const Row& row : plan->book().rows("invitations")) {
    plan->On(row, "Invited", Step::kInvitations, Invite);
    plan->On(row, "Replied", Step::kReplies, Reply);
  }
  for (const Row& row : plan->book().rows("attendance")) {
    plan->On(row, "Allocated", Step::kAllocations, Allocate);
  }
  for (const Row& row : plan->book().rows("items")) {
    plan->On(row, "Put on the agenda", Step::kAllocations, TryConflicts);
  }
}

}  // namespace hub::ctl
