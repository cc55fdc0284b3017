#include "services/membership/history.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/db/db.h"

namespace hub::membership {
namespace {

using Entry = v1::HistoryEntry;

std::string Quoted(const std::vector<Entry::Kind>& kinds) {
  return absl::StrJoin(kinds, ", ", [](std::string* out, Entry::Kind kind) {
    absl::StrAppend(out, "'", Entry::Kind_Name(kind), "'");
  });
}

}  // namespace

Status Record(Write& write, const std::string& member, Entry::Kind kind,
              const std::string& on_date) {
  Entry entry;
  entry.set_member(member);
  entry.set_kind(kind);
  entry.set_on_date(on_date);
  *entry.mutable_recorded_time() = ToTimestamp(write.now());
  return write.Create(std::move(entry)).status();
}

StatusOr<std::vector<std::string>> EntriesOf(Read& read, const std::string& member) {
  std::vector<std::string> ids = {IdOf(member)};
  for (size_t next = 0; next < ids.size(); ++next) {
    RETURN_IF_ERROR(read.sql().Query(
        "SELECT id FROM members WHERE forum = $1 AND merged_into_id = $2 ORDER BY id",
        {read.forum(), ids[next]}, [&](const db::Row& row) {
          ids.emplace_back(row.Text(0));
          return Status();
        }));
  }
  return ids;
}

StatusOr<Changes> ChangesOf(Read& read, const std::string& member) {
  Changes changes;
  ASSIGN_OR_RETURN(const auto entries, EntriesOf(read, member));
  for (const std::string& id : entries) {
    RETURN_IF_ERROR(
        read.sql().Query("SELECT kind, on_date FROM history WHERE forum = $1 AND member_id = $2",
                         {read.forum(), id}, [&](const db::Row& row) {
                           Entry::Kind kind;
                           if (!Entry::Kind_Parse(std::string(row.Text(0)), &kind)) {
                             return Internal("a fact of a kind that this version does not know");
                           }
                           changes[std::string(row.Text(1))] += StepOf(kind);
                           return Status();
                         }));
  }
  return changes;
}

Counting::Counting(Read& read, const std::string& known_on)
    : read_(read), before_(LondonInstant(AddDays(DateOr(known_on, read.today()), 1), "00:00")) {}

StatusOr<int32_t> Counting::Sum(const std::vector<Entry::Kind>& more,
                                const std::vector<Entry::Kind>& less, const std::string& after,
                                const std::string& to) {
  std::vector<Entry::Kind> all = more;
  all.insert(all.end(), less.begin(), less.end());
  ASSIGN_OR_RETURN(
      const int64_t sum,
      read_.Number(
          absl::StrCat("SELECT SUM(CASE WHEN kind IN (", Quoted(more),
                       ") THEN 1 ELSE -1 END) FROM history WHERE forum = $1 AND kind IN (",
                       Quoted(all), ") AND on_date > $2 AND on_date <= $3 AND recorded_time < $4"),
          {read_.forum(), after, to, before_}));
  return static_cast<int32_t>(sum);
}

StatusOr<int32_t> Counting::MembersOn(const std::string& date) {
  return Sum({Entry::MEMBER_JOINED, Entry::LEAVING_CANCELLED},
             {Entry::MEMBER_LEFT, Entry::JOINING_CANCELLED}, "", date);
}

StatusOr<int32_t> Counting::PoolOn(const std::string& date) {
  return Sum({Entry::REP_ENTERED_POOL}, {Entry::REP_LEFT_POOL}, "", date);
}

StatusOr<int32_t> Counting::Joined(const std::string& after, const std::string& to) {
  return Sum({Entry::MEMBER_JOINED}, {Entry::JOINING_CANCELLED}, after, to);
}

StatusOr<int32_t> Counting::Left(const std::string& after, const std::string& to) {
  return Sum({Entry::MEMBER_LEFT}, {Entry::LEAVING_CANCELLED}, after, to);
}

}  // namespace hub::membership
