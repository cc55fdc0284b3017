#include "services/scheduling/allocations_rules.h"

#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {
namespace {

constexpr Micros kMostAge = 5'000'000;

}  // namespace

std::vector<std::string> PartiesOf(const std::optional<v1::EngagementRequest>& request) {
  std::vector<std::string> parties;
  if (!request) return parties;
  for (const std::string& party : {request->partner(), request->team(), request->title(),
                                   request->matter(), request->supplier()}) {
    if (!party.empty()) parties.push_back(party);
  }
  return parties;
}

Booked BookedAs(const v1::Session& session, const std::optional<v1::EngagementRequest>& request) {
  if (request && request->has_fund()) return {request->activity_kind(), request->fund()};
  return {session.activity_kind(), ""};
}

Status MembershipAllows(const coproduction::membership::v1::CheckAllocationResponse& word) {
  using Word = coproduction::membership::v1::CheckAllocationResponse;
  if (word.allowed()) return Status();
  switch (word.reason()) {
    case Word::CONFLICT_OF_INTEREST:
      return RuleRefused("conflict_of_interest",
                         "the rep " + word.reason_for_chair() + ", so another rep takes the place");
    case Word::NOT_IN_GOOD_STANDING:
      return RuleRefused("not_in_good_standing",
                         "the rep is not in good standing: induction, the current code of conduct "
                         "and terms of reference, or a declaration of interests younger than 12 "
                         "months is missing");
    case Word::RESTRICTED:
      return RuleRefused(
          "restricted",
          "the rep's data may only be stored, so nobody invites or allocates the rep");
    default:
      return RuleRefused("rep_not_active", "the rep is not in the pool of active reps");
  }
}

Status FreshEnough(Micros age) {
  if (age <= kMostAge) return Status();
  return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                "the answer of another service grew too old before the place was given; try again");
}

Status MayBeAllocated(const std::string& rep, const v1::Session& session,
                      const std::optional<v1::Item>& item, v1::Invitation::Reply reply,
                      const std::set<std::string>& placed, const v1::SchedulingSettings& settings) {
  RETURN_IF_ERROR(MustBeOpen(session));
  if (session.series() == v1::Session::HUB && !item) {
    return RuleRefused("unit_is_an_item",
                       "in a hub session a rep has a place in an item; name the item");
  }
  if (item && item->state() != v1::Item::PLANNED) {
    return RuleRefused("item_over", "the item '" + item->title() + "' is " +
                                        v1::Item::State_Name(item->state()) +
                                        "; places are given only while it is planned");
  }
  if (reply == v1::Invitation::NO) {
    return RuleRefused("rep_said_no", "the rep replied NO to the invitation to this session");
  }
  if (placed.count(rep) == 0 && static_cast<int64_t>(placed.size()) >= settings.most_reps()) {
    return RuleRefused("session_full", "all " + std::to_string(settings.most_reps()) +
                                           " places of the session of " + session.date() +
                                           " are taken");
  }
  return Status();
}

}  // namespace hub::scheduling
