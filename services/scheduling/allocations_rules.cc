#include "services/scheduling/allocations_rules.h"

#include "absl/strings/str_cat.h"
#include "services/scheduling/sessions_rules.h"

namespace hub::scheduling {
namespace {

constexpr Micros kMostAge = 5'000'000;

// '3 h 30 min'
std::string HoursInWords(int64_t minutes) {
  std::string words = absl::StrCat(minutes / 60, " h");
  if (minutes % 60 != 0) absl::StrAppend(&words, " ", minutes % 60, " min");
  return words;
}

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
                         "the rep is not in good standing: " + word.reason_for_chair() +
                             "; that comes first, or another rep takes the place");
    case Word::RESTRICTED:
      return RuleRefused(
          "restricted",
          "the rep's data may only be stored, so nobody invites or allocates the rep");
    default:
      return RuleRefused("rep_not_active", word.reason_for_chair().empty()
                                               ? "the rep is not in the pool of active reps"
                                               : "the rep is not in the pool of active reps: " +
                                                     word.reason_for_chair());
  }
}

Status MayBeInvited(const coproduction::membership::v1::CheckAllocationResponse& word) {
  using Word = coproduction::membership::v1::CheckAllocationResponse;
  if (word.reason() == Word::RESTRICTED) return MembershipAllows(word);
  if (!word.not_to_be_invited()) return Status();
  return RuleRefused("no_invitations",
                     "the rep wants no invitations any more; speak with the rep, who can agree to "
                     "them again, or ask another one");
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

std::string MonthOf(const std::string& date) { return date.substr(0, 7); }

Status WithinMonthlyCap(int64_t most_hours, const v1::Session& session,
                        const v1::Invitation& invitation,
                        const std::vector<v1::Session>& placed_in) {
  const bool own_yes = invitation.own_reply() && invitation.reply() == v1::Invitation::YES;
  if (most_hours == 0 || own_yes) return Status();
  const std::string month = MonthOf(session.date());
  int64_t booked = 0;
  for (const auto& other : placed_in) {
    if (other.name() == session.name()) return Status();
    if (other.state() == v1::Session::CANCELLED || MonthOf(other.date()) != month) continue;
    booked += other.minutes();
  }
  if (booked + session.minutes() <= most_hours * 60) return Status();
  const std::string first_day = DateInWords(month + "-01");  // '1 January 2022'
  return RuleRefused(
      "monthly_cap",
      absl::StrCat("the rep gives at most ", most_hours, " h a month; ", HoursInWords(booked),
                   " are booked in ", first_day.substr(2), ", and this session takes ",
                   HoursInWords(session.minutes()),
                   " more. Ask the rep to reply YES to the invitation (a YES that you enter is not "
                   "enough), or choose somebody else"));
}

}  // namespace hub::scheduling
