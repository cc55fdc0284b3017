#include "common/events/lease.h"

#include "absl/strings/str_cat.h"

namespace hub::events {

// Whether another has it. Where its end is farther off than a lease is long, a clock has gone back
// since, here or there: then it is over when nobody has lengthened it for as long as it is.
bool Lease::Holds(const std::string& holder, Micros until) {
  const Micros left = until - MachineNow();
  if (holder == holder_ || left <= 0) return false;
  if (left <= length_) return true;
  const std::string row = absl::StrCat(holder, " ", until);
  if (row != seen_) seen_ = row, seen_at_ = Steady::now();
  return Steady::now() < seen_at_ + std::chrono::microseconds(length_);
}

StatusOr<Lease::Claim> Lease::Take(Micros enough) {
  if (left() > enough) return kKept;
  bool foreign = false;
  std::string holder;
  auto look = [&](db::Conn& conn, const char* lock) {
    foreign = false;
    holder.clear();
    return conn.Query(absl::StrCat("SELECT holder, until FROM leases WHERE name = $1", lock),
                      {name_}, [&](const db::Row& row) {
                        holder = std::string(row.Text(0));
                        foreign = Holds(holder, row.Int(1));
                        return Status();
                      });
  };
  RETURN_IF_ERROR(store_->ReadAndWait([&](db::Conn& conn) { return look(conn, ""); }));
  if (foreign) return kForeign;

  Micros until = 0;
  RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) -> Status {
    RETURN_IF_ERROR(look(conn, db::ForUpdate(conn)));
    if (foreign) return Status();
    until = MachineNow() + length_;
    ASSIGN_OR_RETURN(int64_t changed,
                     holder.empty()
                         ? conn.Exec("INSERT INTO leases(name, holder, until) "
                                     "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                                     {name_, holder_, until})
                         : conn.Exec("UPDATE leases SET holder = $1, until = $2 WHERE name = $3",
                                     {holder_, until, name_}));
    foreign = changed == 0;
    return Status();
  }));
  if (foreign) return kForeign;
  until_ = until;
  return holder == holder_ ? kKept : kTaken;
}

void Lease::Release() {
  if (left() == 0) return;
  until_ = 0;
  (void)store_->WriteAndWait([this](db::Conn& conn) {
    conn.Post("UPDATE leases SET until = 0 WHERE name = $1 AND holder = $2", {name_, holder_});
    return Status();
  });
}

}  // namespace hub::events
