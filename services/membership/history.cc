#include "services/membership/history.h"

namespace hub::membership {
namespace {

// Each fact moves the count by one from its day on.
StatusOr<int64_t> Count(Read& read, const char* in, const char* out, const std::string& date) {
  return read.Number(
      "SELECT SUM(CASE kind WHEN $1 THEN 1 ELSE -1 END) FROM history "
      "WHERE kind IN ($1, $2) AND forum = $3 AND on_date <= $4",
      {std::string(in), std::string(out), read.forum(), date});
}

}  // namespace

Status Record(Write& write, const std::string& member, v1::HistoryEntry::Kind kind,
              const std::string& on_date) {
  v1::HistoryEntry entry;
  entry.set_member(member);
  entry.set_kind(kind);
  entry.set_on_date(on_date);
  *entry.mutable_recorded_time() = ToTimestamp(write.now());
  return write.Create(std::move(entry)).status();
}

StatusOr<int64_t> MembersOn(Read& read, const std::string& date) {
  return Count(read, "MEMBER_JOINED", "MEMBER_LEFT", date);
}

StatusOr<int64_t> PoolOn(Read& read, const std::string& date) {
  return Count(read, "REP_ENTERED_POOL", "REP_LEFT_POOL", date);
}

}  // namespace hub::membership
