// Groups and their members over time, and the rosters of outside systems beside them.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/groups_rules.h"
#include "services/membership/module.h"
#include "services/membership/papers.h"
#include "services/membership/rights_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using v1::GroupMembership;
using v1::OutsideAccount;

// How many leave a group by one timer; the others by the next day's. A command changes 127 records.
constexpr size_t kMostLeave = 100;

StatusOr<Candidate> CandidateOf(Read& read, v1::Member member) {
  Candidate candidate{std::move(member)};
  ASSIGN_OR_RETURN(const auto rep, read.Find<v1::Rep>("forums/" + read.forum() + "/reps/" +
                                                      IdOf(candidate.member.name())));
  if (!rep) return candidate;
  candidate.rep = *rep;
  ASSIGN_OR_RETURN(candidate.missing, Missing(read, *rep));
  return candidate;
}

StatusOr<std::vector<GroupMembership>> TimesIn(Read& read, const std::string& group) {
  return read.Select<GroupMembership>("group_id = $2 ORDER BY from_on, id", {IdOf(group)});
}

StatusOr<GroupMembership> End(Write& write, GroupMembership membership,
                              const std::string& until_on) {
  membership.set_until_on(until_on);
  write.Emit<events::GroupMembershipChanged>(membership);
  return write.Put(std::move(membership));
}

StatusOr<v1::Group> CreateGroup(Write& write, const v1::CreateGroupRequest& in) {
  return write.Create(in.group());
}

StatusOr<v1::Group> UpdateGroup(Write& write, const v1::UpdateGroupRequest& in) {
  ASSIGN_OR_RETURN(auto group, write.Merge(in.group(), in.update_mask()));
  return write.Put(std::move(group));
}

// The member is locked, so that who leaves at this moment is found to be in the group.
StatusOr<GroupMembership> AddGroupMember(Write& write, const v1::AddGroupMemberRequest& in) {
  ASSIGN_OR_RETURN(const auto member, write.Get<v1::Member>(in.member()));
  ASSIGN_OR_RETURN(const auto group, write.Get<v1::Group>(in.group()));
  ASSIGN_OR_RETURN(const auto candidate, CandidateOf(write, member));
  const std::string reason = NotEligible(group.eligibility(), candidate);
  if (!reason.empty()) return RuleRefused("not_eligible", reason);
  ASSIGN_OR_RETURN(const auto known,
                   write.Select<GroupMembership>("group_id = $2 AND member_id = $3",
                                                 {IdOf(in.group()), IdOf(in.member())}));
  GroupMembership membership;
  membership.set_group(in.group());
  membership.set_member(in.member());
  membership.set_from_on(DateOr(in.from_on(), write.today()));
  RETURN_IF_ERROR(CheckComing(member, known, membership.from_on(), write.today()));
  ASSIGN_OR_RETURN(membership, write.Create(std::move(membership)));
  write.Emit<events::GroupMembershipChanged>(membership);
  return membership;
}

StatusOr<GroupMembership> RemoveGroupMember(Write& write, const v1::RemoveGroupMemberRequest& in) {
  ASSIGN_OR_RETURN(auto membership, write.Get<GroupMembership>(in.name(), in.etag()));
  const std::string until_on = DateOr(in.until_on(), write.today());
  RETURN_IF_ERROR(CheckGoing(membership, until_on, write.today()));
  return End(write, std::move(membership), until_on);
}

StatusOr<v1::Roster> GetRoster(Read& read, const v1::GetRosterRequest& in) {
  RETURN_IF_ERROR(read.Get<v1::Group>(in.name()).status());
  ASSIGN_OR_RETURN(const auto times, TimesIn(read, in.name()));
  const auto roster = RosterOn(times, DateOr(in.on_date(), read.today()));
  v1::Roster out;
  for (const auto& one : roster) *out.add_group_memberships() = one;
  if (in.since_on().empty()) return out;
  const auto before = RosterOn(times, in.since_on());
  for (const auto& one : Without(roster, before)) *out.add_come() = one;
  for (const auto& one : Without(before, roster)) *out.add_gone() = one;
  return out;
}

// Who left is known too: an account that is left behind is one to remove. Of a member whose data
// may only be stored, nothing is used.
StatusOr<v1::RosterCheck> CheckRoster(Read& read, const v1::CheckRosterRequest& in) {
  ASSIGN_OR_RETURN(const auto group, read.Get<v1::Group>(in.name()));
  if (group.system().empty()) {
    return RuleRefused("no_system",
                       "the group names no outside system; set the group's `system` first");
  }
  ASSIGN_OR_RETURN(const auto accounts,
                   read.Select<OutsideAccount>("system = $2", {group.system()}));
  std::map<std::string, std::string> key_of;  // by member
  for (const auto& one : accounts) key_of[one.member()] = one.outside_key();
  ASSIGN_OR_RETURN(const auto times, TimesIn(read, in.name()));
  std::set<std::string> inside;
  for (const auto& one : RosterOn(times, read.today())) inside.insert(one.member());
  ASSIGN_OR_RETURN(const auto members, read.Select<v1::Member>("state IN ('ACTIVE', 'LEFT')"));
  std::vector<Known> people;
  for (const auto& member : members) {
    const std::string& name = member.name();
    people.push_back(
        {MayNotBeUsed(member) ? OnlyStored(member) : member, key_of[name], inside.count(name) > 0});
  }
  return Compare(people, {in.rows().begin(), in.rows().end()});
}

// The member is locked, so that there is one account for each system.
StatusOr<OutsideAccount> LinkOutsideAccount(Write& write, const v1::LinkOutsideAccountRequest& in) {
  const OutsideAccount& account = in.outside_account();
  RETURN_IF_ERROR(write.Get<v1::Member>(account.member()).status());
  ASSIGN_OR_RETURN(const auto others,
                   write.Select<OutsideAccount>(
                       "system = $2 AND outside_key = $3 AND outside_key <> '' AND member_id <> $4",
                       {account.system(), account.outside_key(), IdOf(account.member())}));
  if (!others.empty()) {
    return RuleRefused("account_linked",
                       "the account is linked with another member; end that link first");
  }
  ASSIGN_OR_RETURN(const auto known,
                   write.Select<OutsideAccount>("system = $2 AND member_id = $3",
                                                {account.system(), IdOf(account.member())}));
  if (known.empty()) return write.Create(account);
  ASSIGN_OR_RETURN(auto stored, write.Get<OutsideAccount>(known[0].name(), account.etag()));
  stored.set_outside_key(account.outside_key());
  return write.Put(std::move(stored));
}

}  // namespace

Status EndGroupMembership(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto membership, write.Get<GroupMembership>(resource));
  ASSIGN_OR_RETURN(const auto member, write.Find<v1::Member>(membership.member()));
  if (!membership.until_on().empty() || (member && InReach(*member))) return Status();
  const std::string until_on = std::max(membership.from_on(), write.today());
  return End(write, std::move(membership), until_on).status();
}

Status CheckGroup(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(const auto group, write.Find<v1::Group>(resource));
  if (!group) return Internal("there is no group " + resource);
  RETURN_IF_ERROR(write.sql()
                      .Exec("INSERT INTO group_checks(forum, group_id, next_on) "
                            "VALUES ($1, $2, $3) ON CONFLICT (forum, group_id) "
                            "DO UPDATE SET next_on = EXCLUDED.next_on",
                            {write.forum(), IdOf(resource), AddDays(write.today(), 1)})
                      .status());
  ASSIGN_OR_RETURN(const auto times,
                   write.Select<GroupMembership>("group_id = $2 AND until_on = '' ORDER BY id",
                                                 {IdOf(resource)}));
  size_t left = 0;
  for (const auto& one : times) {
    ASSIGN_OR_RETURN(auto member, write.Find<v1::Member>(one.member()));
    if (!member) return Internal("there is no member " + one.member());
    ASSIGN_OR_RETURN(const auto candidate, CandidateOf(write, std::move(*member)));
    if (NotEligible(group->eligibility(), candidate).empty()) continue;
    ASSIGN_OR_RETURN(auto membership, write.Get<GroupMembership>(one.name()));
    if (!membership.until_on().empty()) continue;
    const std::string until_on = std::max(membership.from_on(), write.today());
    RETURN_IF_ERROR(End(write, std::move(membership), until_on).status());
    if (++left == kMostLeave) return Status();
  }
  return Status();
}

void BindGroups(Door& door) {
  constexpr char kGroups[] = "coproduction.membership.v1.Groups";
  door.Bind(kGroups, "CreateGroup", CreateGroup);
  door.Bind(kGroups, "UpdateGroup", UpdateGroup);
  door.Bind(kGroups, "AddGroupMember", AddGroupMember);
  door.Bind(kGroups, "RemoveGroupMember", RemoveGroupMember);
  door.Bind(kGroups, "GetRoster", GetRoster);
  door.Bind(kGroups, "CheckRoster", CheckRoster);
  door.Bind("coproduction.membership.v1.OutsideAccounts", "LinkOutsideAccount", LinkOutsideAccount);
}

}  // namespace hub::membership
