// Members: joining, changing, leaving, and the counts as of a date.
#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/membership/history.h"
#include "services/membership/members_rules.h"
#include "services/membership/module.h"
#include "services/membership/publications.h"
#include "services/membership/rights_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
constexpr char kMembers[] = "coproduction.membership.v1.Members";

std::string Or(const std::string& date, const std::string& otherwise) {
  return date.empty() ? otherwise : date;
}

bool IsOwn(Read& read, const v1::Member& member) { return read.person() == IdOf(member.name()); }

StatusOr<v1::ListMembersResponse> ListMembers(Read& read, const v1::ListMembersRequest& in) {
  ASSIGN_OR_RETURN(auto page, read.List<v1::ListMembersResponse>(in));
  for (auto& member : *page.mutable_members()) {
    if (member.has_restriction() && !IsOwn(read, member)) member = OnlyStored(member);
  }
  return page;
}

StatusOr<v1::Member> CreateMember(Write& write, const v1::CreateMemberRequest& in) {
  v1::Member member = in.member();
  member.clear_restriction();
  member.clear_objections();
  RETURN_IF_ERROR(CheckNewMember(member, write.today()));
  member.set_state(v1::Member::ACTIVE);
  for (auto& consent : *member.mutable_consents()) {
    *consent.mutable_time() = ToTimestamp(write.now());
  }
  ASSIGN_OR_RETURN(member, write.Create(std::move(member)));
  RETURN_IF_ERROR(
      Record(write, member.name(), v1::HistoryEntry::MEMBER_JOINED, member.joined_on()));
  write.Emit<events::MemberJoined>(member);
  return member;
}

StatusOr<v1::Member> UpdateMember(Write& write, const v1::UpdateMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Merge(in.member(), in.update_mask()));
  RETURN_IF_ERROR(CheckConsents(&member, IsOwn(write, member)));
  RETURN_IF_ERROR(CheckNewMember(member, write.today()));
  return write.Put(std::move(member));
}

StatusOr<v1::Member> SetConsent(Write& write, const v1::SetConsentRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.name(), in.etag()));
  v1::Consent* consent = nullptr;
  for (auto& known : *member.mutable_consents()) {
    if (known.purpose() == in.consent().purpose()) consent = &known;
  }
  if (consent == nullptr) consent = member.add_consents();
  *consent = in.consent();
  *consent->mutable_time() = ToTimestamp(write.now());
  RETURN_IF_ERROR(CheckConsents(&member, IsOwn(write, member)));
  write.Emit<events::ConsentChanged>(member);
  return write.Put(std::move(member));
}

StatusOr<v1::Member> LeaveMember(Write& write, const v1::LeaveMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.name(), in.etag()));
  member.set_left_on(Or(in.left_on(), write.today()));
  RETURN_IF_ERROR(CheckLeaving(member, member.left_on(), write.today()));
  ASSIGN_OR_RETURN(auto reps, write.Select<v1::Rep>("member_id = $2 AND state <> 'STOOD_DOWN'",
                                                    {IdOf(member.name())}));
  if (!reps.empty()) {
    return RuleRefused("rep_leaves", "the member is a rep; stand the rep down first");
  }
  RETURN_IF_ERROR(LeaveFigures(write, member.name()));
  member.set_state(v1::Member::LEFT);
  RETURN_IF_ERROR(Record(write, member.name(), v1::HistoryEntry::MEMBER_LEFT, member.left_on()));
  write.Emit<events::MemberLeft>(member);
  return write.Put(std::move(member));
}

StatusOr<v1::Member> RejoinMember(Write& write, const v1::RejoinMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.name(), in.etag()));
  const std::string joined_on = Or(in.joined_on(), write.today());
  RETURN_IF_ERROR(CheckRejoining(member, joined_on, write.today()));
  member.set_joined_on(joined_on);
  member.clear_left_on();
  member.set_state(v1::Member::ACTIVE);
  RETURN_IF_ERROR(Record(write, member.name(), v1::HistoryEntry::MEMBER_JOINED, joined_on));
  write.Emit<events::MemberJoined>(member);
  return write.Put(std::move(member));
}

StatusOr<v1::Member> LiftRestriction(Write& write, const v1::LiftRestrictionRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.name(), in.etag()));
  if (!member.has_restriction()) {
    return RuleRefused("restriction", "nothing restricts the use of the member's data");
  }
  if (in.told_on() > write.today()) {
    return InvalidField("told_on", "told_on is " + in.told_on() + ", which is after today, " +
                                       write.today() + "; the member is told before it is lifted");
  }
  member.clear_restriction();
  return write.Put(std::move(member));
}

StatusOr<v1::MembershipFigures> GetMembershipFigures(Read& read,
                                                     const v1::GetMembershipFiguresRequest& in) {
  v1::MembershipFigures figures;
  ASSIGN_OR_RETURN(int64_t members_start, MembersOn(read, in.membership_from()));
  ASSIGN_OR_RETURN(int64_t members_end, MembersOn(read, in.to()));
  ASSIGN_OR_RETURN(int64_t pool_start, PoolOn(read, in.from()));
  ASSIGN_OR_RETURN(int64_t pool_end, PoolOn(read, in.to()));
  figures.set_members_start(static_cast<int32_t>(members_start));
  figures.set_members_end(static_cast<int32_t>(members_end));
  figures.set_pool_start(static_cast<int32_t>(pool_start));
  figures.set_pool_end(static_cast<int32_t>(pool_end));
  return figures;
}

}  // namespace

void BindMembers(Door& door) {
  door.Bind(kMembers, "ListMembers", ListMembers);
  door.Bind(kMembers, "CreateMember", CreateMember);
  door.Bind(kMembers, "UpdateMember", UpdateMember);
  door.Bind(kMembers, "SetConsent", SetConsent);
  door.Bind(kMembers, "LeaveMember", LeaveMember);
  door.Bind(kMembers, "RejoinMember", RejoinMember);
  door.Bind(kMembers, "LiftRestriction", LiftRestriction);
  door.Bind(kMembers, "GetMembershipFigures", GetMembershipFigures);
}

}  // namespace hub::membership
