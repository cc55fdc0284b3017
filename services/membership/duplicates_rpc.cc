// Members who were entered twice: found, merged by a person, undone within the forum's days.
#include "services/membership/duplicates_rpc.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/db/db.h"
#include "common/rpc/door.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/settings.pb.h"
#include "services/membership/duplicates_rules.h"
#include "services/membership/groups_rpc.h"
#include "services/membership/history.h"
#include "services/membership/members_rpc.h"
#include "services/membership/members_rules.h"
#include "services/membership/publications.h"
#include "services/membership/rights_rpc.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using v1::Duplicate;
using v1::HistoryEntry;
constexpr char kDuplicates[] = "coproduction.membership.v1.Duplicates";
constexpr int kMostTold = 100;

// Whom nobody may look at, or who is somebody else's entry, is like nobody.
std::string Comparable(const std::string& alias) {
  return absl::StrCat(alias, ".state NOT IN ('ERASED', 'MERGED') AND LENGTH(COALESCE(", alias,
                      ".restriction, '')) = 0");
}

struct Found {
  int likelihood;
  v1::Likeness likeness;
};

v1::FindDuplicatesResponse Told(std::vector<Found> found, int32_t most) {
  std::stable_sort(found.begin(), found.end(), [](const Found& one, const Found& other) {
    return one.likelihood > other.likelihood;
  });
  v1::FindDuplicatesResponse out;
  for (auto& one : found) {
    if (out.likenesses_size() == (most == 0 ? kMostTold : most)) break;
    *out.add_likenesses() = std::move(one.likeness);
  }
  return out;
}

std::string Called(const v1::Member& member) {
  return absl::StrCat(member.given_name(), " ", member.family_name());
}

void Keep(const v1::Member& one, const v1::Member& other, std::vector<Found>* found) {
  const auto reasons = LikenessOf(one, other);
  const int likelihood = Likelihood(reasons);
  if (likelihood == 0) return;
  Found likely{likelihood, {}};
  likely.likeness.set_member(one.name());
  likely.likeness.set_other(other.name());
  likely.likeness.set_member_called(Called(one));
  likely.likeness.set_member_since(one.joined_on());
  likely.likeness.set_other_called(Called(other));
  likely.likeness.set_other_since(other.joined_on());
  for (const auto reason : reasons) likely.likeness.add_reasons(reason);
  found->push_back(std::move(likely));
}

// What is compared of a row.
constexpr const char* kCompared[] = {"id",    "given_name", "family_name",       "name_key",
                                     "email", "phone_key",  "postcode_district", "joined_on"};

std::string ColumnsOf(const std::string& alias) {
  std::string columns;
  for (const char* column : kCompared) {
    absl::StrAppend(&columns, columns.empty() ? "" : ", ", alias, ".", column);
  }
  return columns;
}

v1::Member MemberOf(const db::Row& row, int at, const std::string& forum) {
  v1::Member member;
  member.set_name(absl::StrCat("forums/", forum, "/members/", std::string(row.Text(at))));
  member.set_given_name(std::string(row.Text(at + 1)));
  member.set_family_name(std::string(row.Text(at + 2)));
  member.set_name_key(std::string(row.Text(at + 3)));
  member.set_email(std::string(row.Text(at + 4)));
  member.set_phone_key(std::string(row.Text(at + 5)));
  member.set_postcode_district(std::string(row.Text(at + 6)));
  member.set_joined_on(std::string(row.Text(at + 7)));
  return member;
}

StatusOr<v1::FindDuplicatesResponse> FindDuplicates(Read& read,
                                                    const v1::FindDuplicatesRequest& in) {
  std::vector<Found> found;
  const std::string& forum = read.forum();
  if (in.has_member()) {
    v1::Member entered = in.member();
    entered.clear_name();
    SetKeys(&entered);
    // One by one, each with the condition of its index: of an OR, SQLite reads the whole forum.
    RETURN_IF_ERROR(read.sql().Query(
        absl::StrCat("SELECT ", ColumnsOf("a"), " FROM members a WHERE a.forum = $1 AND ",
                     Comparable("a"),
                     " AND a.id IN ("
                     "SELECT id FROM members WHERE forum = $1 AND name_key = $2 AND name_key <> '' "
                     "UNION SELECT id FROM members WHERE forum = $1 AND LOWER(email) = $3 AND "
                     "email <> '' UNION SELECT id FROM members WHERE forum = $1 AND "
                     "phone_key = $4 AND phone_key <> '')"),
        {forum, entered.name_key(), absl::AsciiStrToLower(entered.email()), entered.phone_key()},
        [&](const db::Row& row) {
          Keep(MemberOf(row, 0, forum), entered, &found);
          return Status();
        }));
    return Told(std::move(found), in.most());
  }
  const std::string pairs =
      absl::StrCat("SELECT ", ColumnsOf("a"), ", ", ColumnsOf("b"),
                   " FROM members a JOIN members b ON b.forum = a.forum AND b.id > a.id AND ");
  const std::string judged = absl::StrCat(
      " WHERE a.forum = $1 AND ", Comparable("a"), " AND ", Comparable("b"),
      " AND NOT EXISTS (SELECT 1 FROM duplicates d WHERE d.forum = a.forum AND "
      "((d.kept_id = a.id AND d.member_id = b.id) OR (d.kept_id = b.id AND d.member_id = a.id)))");
  RETURN_IF_ERROR(read.sql().Query(
      absl::StrCat(pairs, "b.name_key = a.name_key AND a.name_key <> ''", judged, " UNION ", pairs,
                   "LOWER(b.email) = LOWER(a.email) AND a.email <> ''", judged, " UNION ", pairs,
                   "b.phone_key = a.phone_key AND a.phone_key <> ''", judged),
      {forum}, [&](const db::Row& row) {
        v1::Member one = MemberOf(row, 0, forum),
                   other = MemberOf(row, std::size(kCompared), forum);
        if (other.joined_on() < one.joined_on()) one.Swap(&other);
        Keep(one, other, &found);
        return Status();
      }));
  return Told(std::move(found), in.most());
}

StatusOr<MergeFacts> FactsForMerge(Write& write, const v1::Member& member) {
  MergeFacts facts;
  ASSIGN_OR_RETURN(const int64_t reps,
                   write.Number("SELECT COUNT(*) FROM reps WHERE forum = $1 AND id = $2",
                                {write.forum(), IdOf(member.name())}));
  facts.member_is_rep = reps > 0;
  ASSIGN_OR_RETURN(facts.member_has_open_right, HasOpenRight(write, member.name()));
  return facts;
}

StatusOr<Duplicate> MergeMembers(Write& write, const v1::MergeMembersRequest& in) {
  ASSIGN_OR_RETURN(auto kept, write.Get<v1::Member>(in.kept()));
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.member()));
  ASSIGN_OR_RETURN(const auto checked, FactsForMerge(write, member));
  RETURN_IF_ERROR(CheckMerge(kept, member, checked));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::MembershipSettings>());
  ASSIGN_OR_RETURN(const auto of_kept, ChangesOf(write, kept.name()));
  ASSIGN_OR_RETURN(const auto of_member, ChangesOf(write, member.name()));
  Changes changes = of_kept;
  for (const auto& [day, change] : of_member) changes[day] += change;

  Duplicate duplicate;
  duplicate.set_kept(kept.name());
  duplicate.set_member(member.name());
  duplicate.set_state(Duplicate::MERGED);
  duplicate.set_decided_on(write.today());
  duplicate.set_final_on(AddDays(write.today(), settings.merge_days()));
  *duplicate.mutable_merge() = Merge(&kept, &member, SpansOf(changes));
  SetKeptUntil(&kept, settings, write.today());
  for (const Span& overlap : OverlapsOf(of_kept, of_member)) {
    auto* told = duplicate.mutable_merge()->add_overlaps();
    told->set_from_on(overlap.from);
    told->set_until_on(overlap.until);
    RETURN_IF_ERROR(Record(write, member.name(), HistoryEntry::JOINING_CANCELLED, overlap.from));
    --changes[overlap.from];
    if (overlap.until.empty()) continue;
    RETURN_IF_ERROR(Record(write, member.name(), HistoryEntry::LEAVING_CANCELLED, overlap.until));
    ++changes[overlap.until];
  }
  duplicate.mutable_merge()->set_steps(Steps(changes));
  RETURN_IF_ERROR(LeaveFigures(write, member.name()));
  RETURN_IF_ERROR(MergeGroups(write, kept, member.name(), duplicate.mutable_merge()));
  RETURN_IF_ERROR(write.Put(std::move(kept)).status());
  RETURN_IF_ERROR(write.Put(std::move(member)).status());
  ASSIGN_OR_RETURN(duplicate, write.Create(std::move(duplicate)));
  write.Emit<events::MemberMerged>(duplicate);
  return duplicate;
}

StatusOr<Duplicate> KeepApart(Write& write, const v1::KeepApartRequest& in) {
  ASSIGN_OR_RETURN(auto kept, write.Get<v1::Member>(in.kept()));
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(in.member()));
  if (kept.name() == member.name()) {
    return InvalidField("member", "member is '" + kept.name() + "' too; name another one");
  }
  Duplicate duplicate;
  duplicate.set_kept(kept.name());
  duplicate.set_member(member.name());
  duplicate.set_state(Duplicate::KEPT_APART);
  duplicate.set_decided_on(write.today());
  return write.Create(std::move(duplicate));
}

StatusOr<Duplicate> UndoMerge(Write& write, const v1::UndoMergeRequest& in) {
  ASSIGN_OR_RETURN(auto duplicate, write.Get<Duplicate>(in.name(), in.etag()));
  ASSIGN_OR_RETURN(auto kept, write.Get<v1::Member>(duplicate.kept()));
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(duplicate.member()));
  ASSIGN_OR_RETURN(const int64_t later,
                   write.Number("SELECT COUNT(*) FROM duplicates WHERE forum = $1 AND kept_id = $2 "
                                "AND state = 'MERGED' AND id > $3",
                                {write.forum(), IdOf(kept.name()), IdOf(duplicate.name())}));
  ASSIGN_OR_RETURN(const auto changes, ChangesOf(write, kept.name()));
  RETURN_IF_ERROR(CheckUndo(duplicate, kept, member, Steps(changes), later > 0, write.today()));
  for (const auto& overlap : duplicate.merge().overlaps()) {
    RETURN_IF_ERROR(Record(write, member.name(), HistoryEntry::MEMBER_JOINED, overlap.from_on()));
    if (overlap.until_on().empty()) continue;
    RETURN_IF_ERROR(Record(write, member.name(), HistoryEntry::MEMBER_LEFT, overlap.until_on()));
  }
  Undo(duplicate.merge(), &kept, &member);
  ASSIGN_OR_RETURN(const auto settings, write.Settings<v1::MembershipSettings>());
  SetKeptUntil(&kept, settings, write.today());
  SetKeptUntil(&member, settings, write.today());
  RETURN_IF_ERROR(PartGroups(write, duplicate.merge(), member));
  if (member.state() == v1::Member::APPLIED) {
    RETURN_IF_ERROR(AwaitConfirmation(write, member.name(), "").status());
  }
  RETURN_IF_ERROR(write.Put(std::move(kept)).status());
  RETURN_IF_ERROR(write.Put(std::move(member)).status());
  duplicate.set_state(Duplicate::KEPT_APART);
  duplicate.clear_merge();
  duplicate.clear_final_on();
  return write.Put(std::move(duplicate));
}

}  // namespace

Status MakeMergeFinal(Write& write, const std::string& resource) {
  ASSIGN_OR_RETURN(auto duplicate, write.Get<Duplicate>(resource));
  ASSIGN_OR_RETURN(auto member, write.Get<v1::Member>(duplicate.member()));
  RETURN_IF_ERROR(HandOverAccounts(write, duplicate.kept(), member.name()));
  RETURN_IF_ERROR(EraseMember(write, std::move(member),
                              "was entered twice and merged into '" + duplicate.kept() + "'"));
  duplicate.set_state(Duplicate::FINAL);
  duplicate.clear_merge();
  duplicate.clear_final_on();
  return write.Put(std::move(duplicate)).status();
}

Status HastenMerges(Write& write, const std::string& kept) {
  ASSIGN_OR_RETURN(const auto open,
                   write.Select<Duplicate>("kept_id = $2 AND state = 'MERGED'", {IdOf(kept)}));
  for (const auto& one : open) {
    ASSIGN_OR_RETURN(auto duplicate, write.Get<Duplicate>(one.name()));
    duplicate.set_final_on(write.today());
    RETURN_IF_ERROR(write.Put(std::move(duplicate)).status());
  }
  return Status();
}

void BindDuplicates(Door& door) {
  door.Bind(kDuplicates, "FindDuplicates", FindDuplicates);
  door.Bind(kDuplicates, "MergeMembers", MergeMembers);
  door.Bind(kDuplicates, "KeepApart", KeepApart);
  door.Bind(kDuplicates, "UndoMerge", UndoMerge);
}

}  // namespace hub::membership
