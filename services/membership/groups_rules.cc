#include "services/membership/groups_rules.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/words.h"
#include "services/membership/reps_rules.h"

namespace hub::membership {
namespace {

using v1::Eligibility;
using v1::GroupMembership;
using v1::RosterRow;

bool Consents(const v1::Member& member, v1::Consent::Purpose purpose) {
  return std::any_of(member.consents().begin(), member.consents().end(), [&](const auto& consent) {
    return consent.purpose() == purpose && consent.given();
  });
}

std::string Address(const std::string& email) {
  const auto trimmed = absl::StripAsciiWhitespace(email);
  return absl::AsciiStrToLower(trimmed);
}

std::string NameOf(const v1::Member& member) {
  const std::string name = absl::StrCat(member.given_name(), " ", member.family_name());
  return std::string(absl::StripAsciiWhitespace(name));
}

// How a row finds its member.
class Index {
 public:
  explicit Index(const std::vector<Known>& people) {
    for (const Known& person : people) {
      if (!person.outside_key.empty()) by_key_[person.outside_key] = &person;
      const std::string email = Address(person.member.email());
      if (!email.empty()) by_email_[email].push_back(&person);
    }
  }

  bool Linked(const RosterRow& row) const { return by_key_.count(row.outside_key()) > 0; }

  // The person, and how it was found; or nobody, and why not.
  const Known* Find(const RosterRow& row, std::string* reason) const {
    const auto linked = by_key_.find(row.outside_key());
    if (linked != by_key_.end()) {
      *reason = "the account is linked";
      return linked->second;
    }
    const std::string email = Address(row.email());
    if (email.empty()) {
      *reason = "the account is not linked, and the row has no e-mail address";
      return nullptr;
    }
    const auto found = by_email_.find(email);
    if (found == by_email_.end()) {
      *reason = "no member has this e-mail address";
      return nullptr;
    }
    if (found->second.size() > 1) {
      *reason = absl::StrCat(found->second.size(),
                             " members share this e-mail address; link the account of the one");
      return nullptr;
    }
    const Known* person = found->second.front();
    if (!person->outside_key.empty() && !row.outside_key().empty()) {
      *reason = "the member with this e-mail address is linked with another account";
      return nullptr;
    }
    *reason = "the e-mail address is the member's alone";
    return person;
  }

 private:
  std::map<std::string, const Known*> by_key_;
  std::map<std::string, std::vector<const Known*>> by_email_;
};

}  // namespace

bool InReach(const v1::Member& member) {
  return member.state() == v1::Member::ACTIVE && !MayNotBeUsed(member);
}

std::string NotEligible(const Eligibility& eligibility, const Candidate& candidate) {
  const v1::Member& member = candidate.member;
  if (member.state() != v1::Member::ACTIVE) return "only an active member can be in a group";
  if (MayNotBeUsed(member)) return "the member's data may only be stored";
  const auto standing = eligibility.standing();
  if (standing == Eligibility::REP || standing == Eligibility::REP_IN_GOOD_STANDING) {
    if (candidate.rep.state() != v1::Rep::ACTIVE) return "the group is for active reps";
    if (standing == Eligibility::REP_IN_GOOD_STANDING && !candidate.missing.empty()) {
      return "the group is for reps in good standing: " + candidate.missing;
    }
  }
  if (eligibility.consent() != v1::Consent::PURPOSE_UNSPECIFIED &&
      !Consents(member, eligibility.consent())) {
    return absl::StrCat("the group is for members who agreed to be contacted for ",
                        Words(v1::Consent::Purpose_Name(eligibility.consent())));
  }
  const auto& districts = eligibility.postcode_districts();
  if (!districts.empty() && std::find(districts.begin(), districts.end(),
                                      member.postcode_district()) == districts.end()) {
    return absl::StrCat("the group is for members in ", absl::StrJoin(districts, ", "));
  }
  return "";
}

Status CheckComing(const v1::Member& member, const std::vector<GroupMembership>& known,
                   const std::string& from_on, const std::string& today) {
  if (from_on > today) {
    return InvalidField("from_on", "from_on is " + from_on + ", which is after today, " + today);
  }
  if (from_on < member.joined_on()) {
    return InvalidField(
        "from_on", "from_on is " + from_on + ", before the member joined on " + member.joined_on());
  }
  for (const auto& one : known) {
    if (one.until_on().empty()) {
      return RuleRefused("in_group",
                         "the member has been in the group since " + one.from_on() + " already");
    }
    if (from_on < one.until_on()) {
      return InvalidField("from_on", "from_on is " + from_on +
                                         ", but the member was in the group from " + one.from_on() +
                                         " until " + one.until_on() + "; name that day or a later");
    }
  }
  return Status();
}

Status CheckGoing(const GroupMembership& membership, const std::string& until_on,
                  const std::string& today) {
  if (!membership.until_on().empty()) {
    return RuleRefused("not_in_group",
                       "the member left the group on " + membership.until_on() + " already");
  }
  if (until_on > today) {
    return InvalidField("until_on", "until_on is " + until_on + ", which is after today, " + today);
  }
  if (until_on < membership.from_on()) {
    return InvalidField("until_on", "until_on is " + until_on + ", before the member came on " +
                                        membership.from_on());
  }
  return Status();
}

std::vector<GroupMembership> RosterOn(const std::vector<GroupMembership>& memberships,
                                      const std::string& date) {
  std::vector<GroupMembership> roster;
  for (const auto& one : memberships) {
    const bool over = !one.until_on().empty() && one.until_on() <= date;
    if (one.from_on() <= date && !over) roster.push_back(one);
  }
  return roster;
}

std::vector<GroupMembership> Without(const std::vector<GroupMembership>& these,
                                     const std::vector<GroupMembership>& others) {
  std::set<std::string> members;
  for (const auto& one : others) members.insert(one.member());
  std::vector<GroupMembership> rest;
  for (const auto& one : these) {
    if (members.count(one.member()) == 0) rest.push_back(one);
  }
  return rest;
}

v1::RosterCheck Compare(const std::vector<Known>& people, std::vector<RosterRow> rows) {
  const Index index(people);
  std::stable_partition(rows.begin(), rows.end(),
                        [&](const RosterRow& row) { return index.Linked(row); });
  v1::RosterCheck check;
  std::set<const Known*> found;
  for (const RosterRow& row : rows) {
    std::string reason;
    const Known* person = index.Find(row, &reason);
    if (person != nullptr && !found.insert(person).second && person->in_group) {
      person = nullptr;
      reason = "another row is the same member";
    }
    v1::RosterLine* line = person == nullptr  ? check.add_unknown()
                           : person->in_group ? check.add_in_step()
                                              : check.add_to_remove();
    if (person != nullptr) line->set_member(person->member.name());
    *line->mutable_row() = row;
    line->set_reason(reason);
  }
  for (const Known& person : people) {
    if (!person.in_group || found.count(&person) > 0) continue;
    v1::RosterLine* line = check.add_to_add();
    line->set_member(person.member.name());
    line->mutable_row()->set_outside_key(person.outside_key);
    line->mutable_row()->set_display_name(NameOf(person.member));
    line->mutable_row()->set_email(person.member.email());
    line->set_reason("in the group, with no account in the outside system's");
  }
  return check;
}

}  // namespace hub::membership
