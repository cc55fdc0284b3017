#include "services/scheduling/sessions_rules.h"

#include "common/base/bank_holidays.h"
#include "common/base/date.h"

namespace hub::scheduling {

using v1::Agenda;
using v1::Session;

v1::Activity::Kind ActivityOf(Session::Series series) {
  switch (series) {
    case Session::HUB:
      return v1::Activity::HUB;
    case Session::PREP:
      return v1::Activity::PREP;
    case Session::BOARD:
      return v1::Activity::BOARD;
    default:
      return v1::Activity::PRIORITY;
  }
}

void Complete(const v1::SchedulingSettings& settings, Session* session) {
  session->set_state(Session::PLANNED);
  session->set_mode(Session::ONLINE);
  if (session->minutes() == 0) {
    session->set_minutes(static_cast<int32_t>(settings.session_minutes()));
  }
  if (session->activity_kind() == v1::Activity::KIND_UNSPECIFIED) {
    session->set_activity_kind(ActivityOf(session->series()));
  }
  if (session->series() == Session::HUB) {
    session->set_quorum_check_date(AddDays(session->date(), -settings.quorum_check_days()));
  }
}

Status Facilitate(const std::string& partner, Session* session) {
  if (partner.empty() || session->facilitator() == partner) return Status();
  if (session->has_facilitator()) {
    return RuleRefused("facilitator", "the session is facilitated by " + session->facilitator() +
                                          ", whose people act for the partners' side; ask them, "
                                          "or the forum's chair");
  }
  session->set_facilitator(partner);
  return Status();
}

Status MayBePlanned(const Session& session, const std::optional<Session>& hub) {
  if (IsBankHoliday(session.date())) {
    return RuleRefused("bank_holiday", session.date() +
                                           " is a bank holiday in England and Wales, on which no "
                                           "session is planned. Choose another day");
  }
  if (session.series() != Session::PREP) {
    if (session.prep_of().empty()) return Status();
    return InvalidField(
        "session.prep_of",
        "only a session of the series PREP prepares another one; leave prep_of out");
  }
  if (!hub || hub->series() != Session::HUB || !IsOpen(*hub)) {
    return InvalidField("session.prep_of",
                        "a prep session names in prep_of the hub session that it "
                        "prepares, which is still to come; '" +
                            session.prep_of() + "' is none");
  }
  if (hub->date() < session.date()) {
    return InvalidField("session.date",
                        "a prep session comes before its hub session, which is on " + hub->date() +
                            "; " + session.date() + " is too late");
  }
  return Status();
}

bool IsOpen(const Session& session) {
  return session.state() != Session::HELD && session.state() != Session::CANCELLED;
}

Status MustBeOpen(const Session& session) {
  if (IsOpen(session)) return Status();
  return RuleRefused("session_over", "the session of " + session.date() + " is " +
                                         Session::State_Name(session.state()) +
                                         "; choose one that is still to come");
}

void ReopenAgenda(Session* session) {
  if (session->state() != Session::AGENDA_PROPOSED && session->state() != Session::AGENDA_AGREED) {
    return;
  }
  session->set_state(Session::PLANNED);
  session->clear_agreement();
}

int64_t FreeMinutes(const Session& session, const std::vector<v1::Item>& items,
                    const v1::SchedulingSettings& settings) {
  int64_t free = session.minutes() - settings.welcome_minutes() - settings.close_minutes();
  for (const auto& item : items) {
    if (item.state() != v1::Item::DROPPED) free -= item.minutes_planned();
  }
  return free;
}

Status AgendaMayBeAgreed(const Session& session, const std::vector<v1::Item>& items, bool has_prep,
                         const v1::SchedulingSettings& settings) {
  const Agenda& agenda = session.agenda();
  if (items.empty()) {
    return RuleRefused("agenda_empty", "no item stands on the agenda of " + session.date() +
                                           "; put an accepted request on it first (CreateItem)");
  }
  int64_t free = FreeMinutes(session, items, settings);
  if (free < 0) {
    return RuleRefused("agenda_full", "the agenda of " + session.date() + " is " +
                                          std::to_string(-free) +
                                          " minutes too long, with welcome and close; shorten or "
                                          "drop an item");
  }
  if (agenda.link_person().empty()) {
    return RuleRefused("link_person",
                       "the agenda names no link person who gives information and "
                       "support before, during and after; propose it with one");
  }
  if (agenda.brief().empty()) {
    return RuleRefused("brief", "the agenda has no brief in plain language; propose it with one");
  }
  switch (agenda.prep()) {
    case Agenda::IN_SESSION:
      if (has_prep) return Status();
      return RuleRefused("prep",
                         "the agenda promises a prep session, but none is planned that "
                         "names this session; plan one, or prepare in writing");
    case Agenda::IN_WRITING:
      return Status();
    case Agenda::DECLINED:
      if (!agenda.prep_reason().empty()) return Status();
      return RuleRefused("prep",
                         "the agenda says that no preparation is wanted, but not why; "
                         "propose it with a prep_reason");
    default:
      return RuleRefused("prep",
                         "the agenda does not say how the reps prepare; propose it with prep "
                         "IN_SESSION, IN_WRITING or DECLINED");
  }
}

bool IsQuorate(const Session& session, const v1::SchedulingSettings& settings) {
  return session.series() != Session::HUB || session.reps_present() >= settings.quorum();
}

Status MayBeHeld(const Session& session, const std::string& today,
                 const v1::SchedulingSettings& settings) {
  if (today < session.date()) {
    return RuleRefused("not_before_its_date", "the session is on " + session.date() +
                                                  ", today is " + today +
                                                  "; it cannot have been held yet");
  }
  if (session.series() != Session::HUB) return Status();
  if (session.state() != Session::AGENDA_AGREED) {
    return RuleRefused("agenda_not_agreed",
                       "a hub session is held with an agenda that both sides "
                       "agreed; this one is " +
                           Session::State_Name(session.state()) +
                           ". Agree the agenda, or cancel the session");
  }
  if (!IsQuorate(session, settings) && session.not_quorate_reason().empty()) {
    return RuleRefused("quorum",
                       "only " + std::to_string(session.reps_present()) +
                           " reps were there, the quorum is " + std::to_string(settings.quorum()) +
                           "; say in not_quorate_reason why it was held all the same. Its "
                           "items then do not count as coproduced");
  }
  return Status();
}

}  // namespace hub::scheduling
