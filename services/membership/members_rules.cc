#include "services/membership/members_rules.h"

namespace hub::membership {

Status CheckNewMember(const v1::Member& member, const std::string& today) {
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

}  // namespace hub::membership
