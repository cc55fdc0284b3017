#include "common/events/lease.h"

#include "absl/strings/str_cat.h"

namespace hub::events {

StatusOr<Lease::Claim> Lease::Take(Micros enough) {
  if (until_ - MachineNow() > enough) return kKept;
  bool foreign = false;
  std::string holder;
  auto look = [&](db::Conn& conn, const char* lock) {
    foreign = false;
    holder.clear();
    return conn.Query(absl::StrCat("SELECT holder, until FROM leases WHERE name = $1", lock),
                      {name_}, [&](const db::Row& row) {
                        holder = std::string(row.Text(0));
                        foreign = holder != holder_ && row.Int(1) > MachineNow();
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
  if (until_ <= MachineNow()) return;
  until_ = 0;
  (void)store_->WriteAndWait([this](db::Conn& conn) {
    conn.Post("UPDATE leases SET until = 0 WHERE name = $1 AND holder = $2", {name_, holder_});
    return Status();
  });
}

}  // namespace hub::events
