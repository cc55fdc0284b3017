#include "services/membership/members_rules.h"

#include <algorithm>
#include <map>
#include <set>

#include "services/membership/reps_rules.h"
#include "services/membership/rights_rules.h"

namespace hub::membership {

Status CheckWording(const v1::Consent& consent, const std::string& field) {
  if (!consent.given() || !consent.wording().empty()) return Status();
  return InvalidField(field,
                      "wording is empty, and a consent is given to a wording; name the "
                      "version that the person read");
}

Status CheckMember(const v1::Member& member, const v1::MembershipSettings& settings,
                   const std::string& today) {
  if (member.joined_on() > today) {
    return InvalidField("member.joined_on",
                        "joined_on is " + member.joined_on() + ", which is after today, " + today);
  }
  if (member.reach_by() == v1::Member::EMAIL && member.email().empty()) {
    return InvalidField("member.email",
                        "the member is to be reached by e-mail, but no address is given");
  }
  if ((member.reach_by() == v1::Member::PHONE || member.reach_by() == v1::Member::TEXT_MESSAGE) &&
      member.phone().empty()) {
    return InvalidField("member.phone",
                        "the member is to be reached by telephone, but no number is given");
  }
  const auto& area = settings.postcode_districts();
  if (member.residence() == v1::Member::LIVES_HERE && !member.postcode_district().empty() &&
      !area.empty() &&
      std::find(area.begin(), area.end(), member.postcode_district()) == area.end()) {
    return InvalidField("member.postcode_district",
                        "postcode_district is " + member.postcode_district() +
                            ", which is none of the forum's area; who uses services here and lives "
                            "elsewhere has residence USES_SERVICES_HERE");
  }
  for (const auto& consent : member.consents()) {
    RETURN_IF_ERROR(CheckWording(consent, "member.consents.wording"));
  }
  return Status();
}

Status CheckLeaving(const v1::Member& member, const std::string& left_on,
                    const std::string& today) {
  if (left_on > today) {
    return InvalidField("left_on", "left_on is " + left_on + ", which is after today, " + today);
  }
  if (left_on < member.joined_on()) {
    return InvalidField(
        "left_on", "left_on is " + left_on + ", before the member joined on " + member.joined_on());
  }
  return Status();
}

Status CheckRejoining(const v1::Member& member, const std::string& joined_on,
                      const std::string& today) {
  if (joined_on > today) {
    return InvalidField("joined_on",
                        "joined_on is " + joined_on + ", which is after today, " + today);
  }
  if (joined_on < member.left_on()) {
    return InvalidField("joined_on", "joined_on is " + joined_on + ", before the member left on " +
                                         member.left_on());
  }
  return Status();
}

static const v1::Consent* ConsentTo(const v1::Member& member, v1::Consent::Purpose purpose) {
  for (const auto& consent : member.consents()) {
    if (consent.purpose() == purpose) return &consent;
  }
  return nullptr;
}

bool SaidNo(const v1::Member& member, v1::Consent::Purpose purpose) {
  const auto* consent = ConsentTo(member, purpose);
  return (consent != nullptr && !consent->given()) ||
         std::any_of(member.objections().begin(), member.objections().end(),
                     [&](const auto& one) { return one.purpose() == purpose; });
}

coproduction::type::v1::Attendees AttendeesOf(const std::vector<v1::Member>& members) {
  coproduction::type::v1::Attendees attendees;
  std::multiset<std::string> first_names;
  std::map<std::string, int32_t> people;  // by format
  for (const auto& member : members) {
    if (MayNotBeUsed(member)) continue;
    if (!member.format().empty()) ++people[member.format()];
    const auto* consent = ConsentTo(member, v1::Consent::FIRST_NAME);
    if (consent != nullptr && consent->given()) first_names.insert(member.given_name());
  }
  for (const auto& name : first_names) attendees.add_first_names(name);
  attendees.set_others(static_cast<int32_t>(members.size() - first_names.size()));
  for (const auto& [format, count] : people) {
    auto* provision = attendees.add_provisions();
    provision->set_format(format);
    provision->set_people(count);
  }
  return attendees;
}

void SetKeptUntil(v1::Member* member, const v1::MembershipSettings& settings,
                  const std::string& today) {
  member->set_kept_until(member->state() == v1::Member::LEFT
                             ? MonthsAfter(today, 12 * static_cast<int>(settings.years_kept()))
                             : "");
}

}  // namespace hub::membership
