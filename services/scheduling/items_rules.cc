#include "services/scheduling/items_rules.h"

#include <algorithm>

#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {

using v1::EngagementRequest;
using v1::Item;
using v1::Session;

Item ItemOf(const EngagementRequest& request, const std::vector<Item>& planned, Item item) {
  int32_t last = 0;
  for (const auto& other : planned) last = std::max(last, other.position());
  if (item.position() == 0) item.set_position(last + 1);
  if (item.minutes_planned() == 0) item.set_minutes_planned(request.minutes_wanted());
  item.set_state(Item::PLANNED);
  item.set_partner(request.partner());
  item.set_title(request.title());
  item.set_team(request.team());
  item.set_workstream(request.workstream());
  item.set_purpose(request.purpose());
  item.set_stage_claimed(request.decision_stage());
  return item;
}

Status MayBePlaced(const Item& item, const EngagementRequest& request, const Session& session,
                   int64_t free_minutes) {
  if (request.state() != EngagementRequest::ACCEPTED &&
      request.state() != EngagementRequest::SCHEDULED &&
      request.state() != EngagementRequest::PRESENTED) {
    return RuleRefused("request_not_accepted",
                       "only a request that both sides accepted comes on an agenda; this one is " +
                           EngagementRequest::State_Name(request.state()));
  }
  RETURN_IF_ERROR(MustBeOpen(session));
  if (session.series() == Session::PREP) {
    return RuleRefused("prep_has_no_items",
                       "a prep session has no items; put the request on the hub session's agenda");
  }
  if (item.minutes_planned() <= 0) {
    return InvalidField("item.minutes_planned", "an item takes at least a minute");
  }
  if (item.minutes_planned() > free_minutes) {
    return RuleRefused(
        "agenda_full",
        "the agenda of " + session.date() + " has " +
            std::to_string(std::max<int64_t>(free_minutes, 0)) + " minutes left, the item wants " +
            std::to_string(item.minutes_planned()) +
            "; give it fewer minutes, shorten or drop another, or choose another session");
  }
  return Status();
}

EngagementRequest::State StateBy(const EngagementRequest& request, const std::vector<Item>& items) {
  if (request.state() == EngagementRequest::WITHDRAWN) return request.state();
  auto any = [&](Item::State state) {
    return std::any_of(items.begin(), items.end(),
                       [&](const Item& item) { return item.state() == state; });
  };
  return any(Item::PLANNED)     ? EngagementRequest::SCHEDULED
         : any(Item::PRESENTED) ? EngagementRequest::PRESENTED
                                : EngagementRequest::ACCEPTED;
}

Status MayBePresented(const Session& session, const std::string& today) {
  if (today < session.date()) {
    return RuleRefused("not_before_its_date", "the session is on " + session.date() +
                                                  ", today is " + today +
                                                  "; nothing was presented yet");
  }
  if (session.state() == Session::CANCELLED ||
      (session.series() == Session::HUB && session.state() != Session::AGENDA_AGREED &&
       session.state() != Session::HELD)) {
    return RuleRefused(
        "agenda_not_agreed",
        "an item is presented from an agenda that both sides agreed; the session is " +
            Session::State_Name(session.state()));
  }
  return Status();
}

}  // namespace hub::scheduling
