// Groups and their members over time, and the rosters of outside systems beside them.
#include "services/membership/groups_rpc.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/membership/groups_rules.h"
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

StatusOr<GroupMembership> Begin(Write& write, const std::string& group, const std::string& member,
                                const std::string& from_on) {
  GroupMembership membership;
  membership.set_group(group);
  membership.set_member(member);
  membership.set_from_on(from_on);
  ASSIGN_OR_RETURN(membership, write.Create(std::move(membership)));
  write.Emit<events::GroupMembershipChanged>(membership);
  return membership;
}

StatusOr<std::vector<GroupMembership>> TimesOf(Read& read, const std::string& group,
                                               const std::string& member) {
  return read.Select<GroupMembership>("group_id = $2 AND member_id = $3",
                                      {IdOf(group), IdOf(member)});
}

// From today on, where the rules let the member in; the time that began.
StatusOr<std::string> BeginWhereAllowed(Write& write, const std::string& group_name,
                                        const v1::Member& member) {
  ASSIGN_OR_RETURN(const auto group, write.Get<v1::Group>(group_name));
  ASSIGN_OR_RETURN(const auto candidate, CandidateOf(write, member));
  ASSIGN_OR_RETURN(const auto known, TimesOf(write, group_name, member.name()));
  if (!NotEligible(group.eligibility(), candidate).empty() ||
      !CheckComing(member, known, write.today(), write.today()).ok()) {
    return std::string();
  }
  ASSIGN_OR_RETURN(const auto begun, Begin(write, group_name, member.name(), write.today()));
  return begun.name();
}

Status EndIfOpen(Write& write, const std::string& name) {
  ASSIGN_OR_RETURN(auto membership, write.Get<GroupMembership>(name));
  if (!membership.until_on().empty()) return Status();
  const std::string until_on = std::max(membership.from_on(), write.today());
  return End(write, std::move(membership), until_on).status();
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
  ASSIGN_OR_RETURN(const auto known, TimesOf(write, in.group(), in.member()));
  const std::string from_on = DateOr(in.from_on(), write.today());
  RETURN_IF_ERROR(CheckComing(member, known, from_on, write.today()));
  return Begin(write, in.group(), in.member(), from_on);
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
  ASSIGN_OR_RETURN(const auto merged, read.Select<v1::Member>("merged_into_id <> ''"));
  std::map<std::string, std::string> into;  // the account of an entry is the person's
  for (const auto& member : merged) into[member.name()] = member.merged_into();
  std::map<std::string, std::string> key_of;  // by member
  for (const bool own : {true, false}) {
    for (const auto& one : accounts) {
      if ((into.count(one.member()) == 0) != own) continue;
      std::string member = one.member();
      while (into.count(member) > 0) member = into[member];
      if (key_of[member].empty()) key_of[member] = one.outside_key();
    }
  }
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
  ASSIGN_OR_RETURN(const auto membership, write.Get<GroupMembership>(resource));
  ASSIGN_OR_RETURN(const auto member, write.Find<v1::Member>(membership.member()));
  return member && InReach(*member) ? Status() : EndIfOpen(write, resource);
}

Status MergeGroups(Write& write, const v1::Member& kept, const std::string& member,
                   v1::MergeRecord* merge) {
  ASSIGN_OR_RETURN(const auto times,
                   write.Select<GroupMembership>("member_id = $2 AND until_on = '' ORDER BY id",
                                                 {IdOf(member)}));
  for (const auto& one : times) {
    merge->add_groups(one.group());
    RETURN_IF_ERROR(EndIfOpen(write, one.name()));
    ASSIGN_OR_RETURN(const std::string begun, BeginWhereAllowed(write, one.group(), kept));
    if (!begun.empty()) merge->add_begun(begun);
  }
  return Status();
}

Status PartGroups(Write& write, const v1::MergeRecord& merge, const v1::Member& member) {
  for (const auto& begun : merge.begun()) RETURN_IF_ERROR(EndIfOpen(write, begun));
  for (const auto& group : merge.groups()) {
    RETURN_IF_ERROR(BeginWhereAllowed(write, group, member).status());
  }
  return Status();
}

Status HandOverAccounts(Write& write, const std::string& kept, const std::string& member) {
  ASSIGN_OR_RETURN(const auto accounts,
                   write.Select<OutsideAccount>("member_id = $2 AND outside_key <> '' ORDER BY id",
                                                {IdOf(member)}));
  for (const auto& one : accounts) {
    ASSIGN_OR_RETURN(auto old, write.Get<OutsideAccount>(one.name()));
    old.clear_outside_key();
    RETURN_IF_ERROR(write.Put(std::move(old)).status());
    ASSIGN_OR_RETURN(const auto own, write.Select<OutsideAccount>("member_id = $2 AND system = $3",
                                                                  {IdOf(kept), one.system()}));
    if (!own.empty()) continue;
    OutsideAccount account;
    account.set_member(kept);
    account.set_system(one.system());
    account.set_outside_key(one.outside_key());
    RETURN_IF_ERROR(write.Create(std::move(account)).status());
  }
  return Status();
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
    RETURN_IF_ERROR(EndIfOpen(write, one.name()));
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
