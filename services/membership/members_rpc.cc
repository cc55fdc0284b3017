// Members: applying, joining, changing, leaving, and the counts as of a date.
#include "services/membership/members_rpc.h"

#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/membership/v1/settings.pb.h"
#include "services/membership/duplicates_rules.h"
#include "services/membership/history.h"
#include "services/membership/members_rules.h"
#include "services/membership/publications.h"
#include "services/membership/rights_rpc.h"
#include "services/membership/rights_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
namespace options = ::coproduction::options::v1;
constexpr char kMembers[] = "coproduction.membership.v1.Members";

std::string TokenHash(const std::string& token) { return Hex(Sha256(token)); }

// Nobody confirms it any more.
Status EndApplication(Write& write, const std::string& member) {
  return write.sql()
      .Exec("DELETE FROM confirmations WHERE forum = $1 AND member_id = $2",
            {write.forum(), IdOf(member)})
      .status();
}

bool IsOwn(Read& read, const v1::Member& member) { return read.person() == IdOf(member.name()); }

// Who answers for the forum, and so settles why a member's data may only be stored.
bool Settles(Read& read) {
  for (const auto role : {options::MEMBERSHIP_ADMIN, options::CHAIR, options::VICE_CHAIR}) {
    if (read.principal().Has(role, read.forum())) return true;
  }
  return false;
}

StatusOr<v1::ListMembersResponse> ListMembers(Read& read, const v1::ListMembersRequest& in) {
  ASSIGN_OR_RETURN(auto page, read.List<v1::ListMembersResponse>(in));
  for (auto& member : *page.mutable_members()) {
    if (member.has_restriction() && !IsOwn(read, member)) member = OnlyStored(member);
  }
  return page;
}

// The name of one who was merged leads to the one who was kept, where the caller may see that one.
StatusOr<v1::Member> GetMember(Read& read, const v1::GetMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, read.Get<v1::Member>(in.name()));
  while (!member.merged_into().empty()) {
    auto kept = read.Get<v1::Member>(member.merged_into());
    if (!kept.ok()) break;
    member = *std::move(kept);
  }
  if (!member.has_restriction() || IsOwn(read, member) || Settles(read)) return member;
  return OnlyStored(member);
}

// What holds of every member who is entered or changed.
Status CheckAndSetKeys(Write& write, v1::Member* member) {
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::MembershipSettings>());
  RETURN_IF_ERROR(CheckMember(*member, settings, write.today()));
  SetKeys(member);
  return Status();
}

StatusOr<v1::Member> Enter(Write& write, v1::Member member, v1::Member::State state) {
  member.clear_restriction();
  member.clear_objections();
  RETURN_IF_ERROR(CheckAndSetKeys(write, &member));
  member.set_state(state);
  for (auto& consent : *member.mutable_consents()) {
    *consent.mutable_time() = ToTimestamp(write.now());
  }
  return write.Create(std::move(member));
}

StatusOr<v1::Member> CreateMember(Write& write, const v1::CreateMemberRequest& in) {
  if (in.member().joined_on().empty()) {
    return InvalidField("member.joined_on", "joined_on is empty; give the day of joining");
  }
  ASSIGN_OR_RETURN(auto member, Enter(write, in.member(), v1::Member::ACTIVE));
  RETURN_IF_ERROR(
      Record(write, member.name(), v1::HistoryEntry::MEMBER_JOINED, member.joined_on()));
  write.Emit<events::MemberJoined>(member);
  return member;
}

StatusOr<v1::ApplyMemberResponse> ApplyMember(Write& write, const v1::ApplyMemberRequest& in) {
  v1::Member member = in.member();
  member.set_joined_on(write.today());
  v1::ApplyMemberResponse out;
  ASSIGN_OR_RETURN(*out.mutable_member(), Enter(write, std::move(member), v1::Member::APPLIED));
  out.set_confirmation_token(NewRandomId());
  ASSIGN_OR_RETURN(
      const std::string lapses_on,
      AwaitConfirmation(write, out.member().name(), TokenHash(out.confirmation_token())));
  out.set_confirm_by(AddDays(lapses_on, -1));
  return out;
}

StatusOr<v1::Member> ConfirmMember(Write& write, const v1::ConfirmMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(
      const int64_t waits,
      write.Number(
          "SELECT COUNT(*) FROM confirmations WHERE forum = $1 AND member_id = $2 AND "
          "token_hash = $3 AND lapses_on > $4",
          {write.forum(), IdOf(member.name()), TokenHash(in.confirmation_token()), write.today()}));
  if (waits == 0) {
    return InvalidField("confirmation_token",
                        "confirmation_token is not the one of this application, or its days are "
                        "over; apply anew");
  }
  RETURN_IF_ERROR(EndApplication(write, member.name()));
  member.set_joined_on(write.today());
  member.set_state(v1::Member::ACTIVE);
  RETURN_IF_ERROR(Record(write, member.name(), v1::HistoryEntry::MEMBER_JOINED, write.today()));
  write.Emit<events::MemberJoined>(member);
  return write.Put(std::move(member));
}

StatusOr<v1::Member> UpdateMember(Write& write, const v1::UpdateMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Merge(in.member(), in.update_mask()));
  RETURN_IF_ERROR(CheckConsents(&member, IsOwn(write, member)));
  RETURN_IF_ERROR(CheckAndSetKeys(write, &member));
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
  RETURN_IF_ERROR(CheckWording(*consent, "consent.wording"));
  RETURN_IF_ERROR(CheckConsents(&member, IsOwn(write, member)));
  write.Emit<events::ConsentChanged>(member);
  return write.Put(std::move(member));
}

StatusOr<v1::Member> LeaveMember(Write& write, const v1::LeaveMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.name(), in.etag()));
  member.set_left_on(DateOr(in.left_on(), write.today()));
  RETURN_IF_ERROR(CheckLeaving(member, member.left_on(), write.today()));
  ASSIGN_OR_RETURN(auto reps, write.Select<v1::Rep>("member_id = $2 AND state <> 'STOOD_DOWN'",
                                                    {IdOf(member.name())}));
  if (!reps.empty()) {
    return RuleRefused("rep_leaves", "the member is a rep; stand the rep down first");
  }
  RETURN_IF_ERROR(LeaveFigures(write, member.name()));
  member.set_state(v1::Member::LEFT);
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  SetKeptUntil(&member, settings, write.today());
  RETURN_IF_ERROR(Record(write, member.name(), v1::HistoryEntry::MEMBER_LEFT, member.left_on()));
  write.Emit<events::MemberLeft>(member);
  return write.Put(std::move(member));
}

StatusOr<v1::Member> RejoinMember(Write& write, const v1::RejoinMemberRequest& in) {
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.name(), in.etag()));
  const std::string joined_on = DateOr(in.joined_on(), write.today());
  RETURN_IF_ERROR(CheckRejoining(member, joined_on, write.today()));
  member.set_joined_on(joined_on);
  member.clear_left_on();
  member.clear_kept_until();
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
  Counting counting(read, in.known_on());
  v1::MembershipFigures figures;
  ASSIGN_OR_RETURN(const int32_t members_start, counting.MembersOn(in.membership_from()));
  ASSIGN_OR_RETURN(const int32_t members_end, counting.MembersOn(in.to()));
  ASSIGN_OR_RETURN(const int32_t pool_start, counting.PoolOn(in.from()));
  ASSIGN_OR_RETURN(const int32_t pool_end, counting.PoolOn(in.to()));
  ASSIGN_OR_RETURN(const int32_t joined, counting.Joined(in.membership_from(), in.to()));
  ASSIGN_OR_RETURN(const int32_t left, counting.Left(in.membership_from(), in.to()));
  figures.set_members_start(members_start);
  figures.set_members_end(members_end);
  figures.set_pool_start(pool_start);
  figures.set_pool_end(pool_end);
  figures.set_members_joined(joined);
  figures.set_members_left(left);
  return figures;
}

}  // namespace

StatusOr<std::string> AwaitConfirmation(Write& write, const std::string& member,
                                        const std::string& token_hash) {
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::MembershipSettings>());
  const std::string lapses_on = AddDays(write.today(), settings.application_days() + 1);
  RETURN_IF_ERROR(EndApplication(write, member));
  RETURN_IF_ERROR(write.sql()
                      .Exec("INSERT INTO confirmations(forum, member_id, token_hash, lapses_on) "
                            "VALUES ($1, $2, $3, $4)",
                            {write.forum(), IdOf(member), token_hash, lapses_on})
                      .status());
  return lapses_on;
}

Status LapseApplication(Write& write, const std::string& resource) {
  RETURN_IF_ERROR(EndApplication(write, resource));
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(resource));
  if (member.state() != v1::Member::APPLIED) return Status();
  return EraseMember(write, std::move(member), "the application was not confirmed");
}

void BindMembers(Door& door) {
  door.Bind(kMembers, "GetMember", GetMember);
  door.Bind(kMembers, "ApplyMember", ApplyMember);
  door.Bind(kMembers, "ConfirmMember", ConfirmMember);
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
