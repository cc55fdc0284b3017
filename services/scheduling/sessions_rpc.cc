#include "common/rpc/door.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/scheduling/events/v1/sessions.pb.h"
#include "services/scheduling/allocations_rpc.h"
#include "services/scheduling/calendar_rules.h"
#include "services/scheduling/items_rpc.h"
#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {

namespace events = ::coproduction::scheduling::events::v1;
namespace options = ::coproduction::options::v1;
using coproduction::type::v1::Attendees;
using v1::SchedulingSettings;
using v1::Session;

// The caller's partner, by name; empty for the forum.
static std::string PartnerOf(const Read& read) {
  return read.partner().empty() ? "" : "forums/" + read.forum() + "/partners/" + read.partner();
}

// The session that a request names, to be changed for the caller's side.
template <class Request>
static StatusOr<Session> Run(Write& write, const Request& in) {
  ASSIGN_OR_RETURN(Session session, write.Get<Session>(in.name(), in.etag()));
  RETURN_IF_ERROR(Facilitate(PartnerOf(write), &session));
  return session;
}

static StatusOr<Session> CreateSession(Write& write, const v1::CreateSessionRequest& in) {
  Session session = in.session();
  RETURN_IF_ERROR(Facilitate(PartnerOf(write), &session));
  std::optional<Session> hub;
  if (session.has_prep_of()) {
    ASSIGN_OR_RETURN(hub, write.Find<Session>(session.prep_of()));
  }
  RETURN_IF_ERROR(MayBePlanned(session, hub));
  ASSIGN_OR_RETURN(auto settings, write.Settings<SchedulingSettings>());
  Complete(settings, &session);
  ASSIGN_OR_RETURN(session, write.Create(std::move(session)));
  write.Emit<events::SessionPlanned>(session);
  return session;
}

static StatusOr<Session> SetJoiningLink(Write& write, const v1::SetJoiningLinkRequest& in) {
  ASSIGN_OR_RETURN(Session session, Run(write, in));
  session.set_joining_link(in.joining_link());
  return write.Put(std::move(session));
}

static StatusOr<Session> ProposeAgenda(Write& write, const v1::ProposeAgendaRequest& in) {
  ASSIGN_OR_RETURN(Session session, Run(write, in));
  v1::Agenda* agenda = session.mutable_agenda();
  agenda->set_link_person(in.link_person());
  agenda->set_brief(in.brief());
  agenda->set_prep(in.prep());
  agenda->set_prep_reason(in.prep_reason());
  session.clear_agreement();
  session.set_state(Session::AGENDA_PROPOSED);
  return write.Put(std::move(session));
}

static StatusOr<bool> HasPrep(Read& read, const std::string& session) {
  ASSIGN_OR_RETURN(int64_t count, read.Number("SELECT COUNT(*) FROM sessions WHERE forum = $1 AND "
                                              "prep_of_id = $2 AND state <> 'CANCELLED'",
                                              {read.forum(), IdOf(session)}));
  return count > 0;
}

static StatusOr<Session> AgreeAgenda(Write& write, const v1::AgreeAgendaRequest& in) {
  ASSIGN_OR_RETURN(Session session, Run(write, in));
  ASSIGN_OR_RETURN(auto settings, write.Settings<SchedulingSettings>());
  ASSIGN_OR_RETURN(auto items, ItemsOf(write, session.name()));
  ASSIGN_OR_RETURN(bool has_prep, HasPrep(write, session.name()));
  RETURN_IF_ERROR(AgendaMayBeAgreed(session, items, has_prep, settings));
  RETURN_IF_ERROR(GiveWord(write, session.mutable_agreement()));
  if (Both(session.agreement())) {
    session.set_state(Session::AGENDA_AGREED);
    write.Emit<events::AgendaAgreed>(session).set_item_count(static_cast<int32_t>(items.size()));
  }
  return write.Put(std::move(session));
}

static StatusOr<Session> TakeBackAgenda(Write& write, const v1::TakeBackAgendaRequest& in) {
  ASSIGN_OR_RETURN(Session session, Run(write, in));
  TakeBackWord(write, session.mutable_agreement());
  return write.Put(std::move(session));
}

static StatusOr<Session> AgreeFaceToFace(Write& write, const v1::AgreeFaceToFaceRequest& in) {
  ASSIGN_OR_RETURN(Session session, Run(write, in));
  RETURN_IF_ERROR(GiveWord(write, session.mutable_face_to_face()));
  if (Both(session.face_to_face())) session.set_mode(Session::FACE_TO_FACE);
  return write.Put(std::move(session));
}

static StatusOr<Session> HoldSession(Write& write, const v1::HoldSessionRequest& in) {
  ASSIGN_OR_RETURN(Session session, Run(write, in));
  ASSIGN_OR_RETURN(auto settings, write.Settings<SchedulingSettings>());
  ASSIGN_OR_RETURN(auto placed, RepsOfSession(write, session.name()));
  session.set_reps_present(in.has_reps_present() ? in.reps_present()
                                                 : static_cast<int32_t>(placed.size()));
  session.set_quorate(IsQuorate(session, settings));
  if (!session.quorate()) session.set_not_quorate_reason(in.not_quorate_reason());
  RETURN_IF_ERROR(MayBeHeld(session, write.today(), settings));
  session.set_state(Session::HELD);
  write.Emit<events::SessionHeld>(session);
  return write.Put(std::move(session));
}

// Its items follow by themselves (due row ItemFellAway), one command each, and their places with
// them.
static StatusOr<Session> CancelSession(Write& write, const v1::CancelSessionRequest& in) {
  ASSIGN_OR_RETURN(Session session, Run(write, in));
  RETURN_IF_ERROR(EndPlaces(write, "session_id = $2 AND item_id IS NULL", {IdOf(session.name())},
                            "the session is cancelled"));
  session.set_cancel_reason(in.reason());
  session.set_state(Session::CANCELLED);
  write.Emit<events::SessionCancelled>(session);
  return write.Put(std::move(session));
}

static StatusOr<v1::SessionFacts> GetSessionFacts(Read& read,
                                                  const v1::GetSessionFactsRequest& in) {
  ASSIGN_OR_RETURN(Session session, read.Get<Session>(in.name()));
  v1::SessionFacts facts;
  facts.set_session(session.name());
  facts.set_series(session.series());
  facts.set_date(session.date());
  facts.set_minutes(session.minutes());
  facts.set_state(session.state());
  facts.set_activity_kind(session.activity_kind());
  ASSIGN_OR_RETURN(auto reps, RepsOfSession(read, session.name()));
  for (const auto& rep : reps) facts.add_reps(rep);
  return facts;
}

static Status FillSession(Read& read, Session* session) {
  const Micros start = LondonInstant(session->date(), session->start_time());
  *session->mutable_starts_at() = ToTimestamp(start);
  *session->mutable_ends_at() = ToTimestamp(start + session->minutes() * Micros{60'000'000});
  ASSIGN_OR_RETURN(auto holidays, read.Select<v1::SchoolHoliday>(
                                      "first_date <= $2 AND last_date >= $2", {session->date()}));
  session->set_in_school_holiday(InSchoolHoliday(session->date(), holidays));
  if (session->series() == Session::PREP) return Status();
  ASSIGN_OR_RETURN(auto items, ItemsOf(read, session->name()));
  ASSIGN_OR_RETURN(auto settings, read.Settings<SchedulingSettings>());
  session->set_free_minutes(static_cast<int32_t>(FreeMinutes(*session, items, settings)));
  return Status();
}

// Who attends: a rep with a place; the facilitator, the requestor of an item.
static bool Attends(Read& read, const Session& session) {
  if (read.side() == options::PARTNER && session.facilitator() == PartnerOf(read) &&
      read.principal().Has(options::FACILITATOR, read.forum())) {
    return true;
  }
  if (read.person().empty()) return false;
  StatusOr<int64_t> places = read.Number(
      read.side() == options::FORUM
          ? "SELECT COUNT(*) FROM allocations WHERE forum = $1 AND session_id = $2 AND "
            "rep_id = $3 AND state = 'ALLOCATED'"
          : "SELECT COUNT(*) FROM items JOIN requests ON requests.forum = items.forum AND "
            "requests.id = items.request_id WHERE items.forum = $1 AND items.session_id = $2 AND "
            "items.state <> 'DROPPED' AND requests.requestor_person = $3",
      {read.forum(), IdOf(session.name()), read.person()});
  return places.ok() && *places > 0;
}

// Membership knows the people, and says no more of them than may be known.
static StatusOr<Attendees> GetSessionAttendees(Ask& ask, const v1::GetSessionAttendeesRequest& in) {
  coproduction::membership::v1::ResolveAttendeesRequest who;
  who.set_parent("forums/" + ForumOf(in.name()));
  RETURN_IF_ERROR(ask.Snapshot([&](Read& read) -> Status {
    RETURN_IF_ERROR(read.Get<Session>(in.name()).status());
    ASSIGN_OR_RETURN(const auto reps, RepsOfSession(read, in.name()));
    who.clear_reps();
    for (const auto& rep : reps) who.add_reps(rep);
    return Status();
  }));
  ASSIGN_OR_RETURN(auto attendees, ask.Call<Attendees>(who));
  attendees.set_session(in.name());
  return attendees;
}

static bool AttendsToo(Read& read, const Attendees& attendees) {
  const auto session = read.Find<Session>(attendees.session());
  return session.ok() && *session && Attends(read, **session);
}

void BindSessions(Door& door) {
  const char service[] = "coproduction.scheduling.v1.Sessions";
  door.Bind(service, "CreateSession", CreateSession);
  door.Bind(service, "SetJoiningLink", SetJoiningLink);
  door.Bind(service, "ProposeAgenda", ProposeAgenda);
  door.Bind(service, "AgreeAgenda", AgreeAgenda);
  door.Bind(service, "TakeBackAgenda", TakeBackAgenda);
  door.Bind(service, "AgreeFaceToFace", AgreeFaceToFace);
  door.Bind(service, "HoldSession", HoldSession);
  door.Bind(service, "CancelSession", CancelSession);
  door.Bind(service, "GetSessionFacts", GetSessionFacts);
  door.Computed<Session>(FillSession);
  door.Attends<Session>(Attends);
  door.Serve<v1::GetSessionAttendeesRequest, Attendees>(service, "GetSessionAttendees",
                                                        GetSessionAttendees);
  door.Attends<Attendees>(AttendsToo);
}

}  // namespace hub::scheduling
