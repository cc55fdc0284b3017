// The audit. A sealer puts the journal's rows, in its own order, into blocks. A block's head is an
// HMAC over the head before it and all that its rows say, under a key that is not in this database
// ('audit' in the key store); each head goes to the services' stream. So whoever changes, reorders
// or deletes a sealed row is found out by `hubctl audit verify`, which reads the rows by itself.
// Not sealed yet: the last minute, and of anonymous methods what is of today, since a block would
// tell their minute.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/fault/failpoint.h"
#include "common/journal/engine.h"
#include "common/journal/tables.h"
#include "common/privacy/seal.h"
#include "coproduction/hub/events/v1/events.pb.h"

namespace hub::journal {
namespace {

constexpr int kBlockRows = 1000;
// A command takes its sequence before it commits, so a row may appear behind rows that are sealed.
constexpr Micros kLate = 600ll * 1000000;

void Append(std::string* text, std::string_view part) {
  absl::StrAppend(text, part.size(), ":", std::string(part), "\n");
}

}  // namespace

Status Engine::SealJournal() {
  ASSIGN_OR_RETURN(const std::string key, options_.keys->NamedKey(options_.service, "audit"));
  const Micros now = MachineNow(), today = now - now % kDay;
  const bool whole_days = sealed_day_.load() != today;
  std::vector<int64_t> rows;
  do {
    RETURN_IF_ERROR(options_.store->WriteAndWait([&](db::Conn& conn) -> Status {
      rows.clear();
      int64_t block = 1, from = 0;
      std::string head;
      RETURN_IF_ERROR(conn.Query("SELECT n, head FROM blocks ORDER BY n DESC LIMIT 1", {},
                                 [&](const db::Row& row) {
                                   block = row.Int(0) + 1;
                                   head = std::string(row.Blob(1));
                                   return Status();
                                 }));
      RETURN_IF_ERROR(conn.Query("SELECT MAX(seq) FROM block_rows", {}, [&](const db::Row& row) {
        from = row.Int(0) - ((whole_days ? 2 * kDay : kLate) << kReplicaBits);
        return Status();
      }));
      std::string said;
      Append(&said, head);
      Append(&said, absl::StrCat(block));
      Append(&said, absl::StrCat(now));
      RETURN_IF_ERROR(conn.Query(
          "SELECT j.seq, j.at, j.principal, j.method, j.resource, j.version, j.digest "
          "FROM journal j LEFT JOIN block_rows b ON b.seq = j.seq WHERE j.seq >= $1 "
          "AND b.seq IS NULL AND (j.principal <> '' OR j.seq < $2) ORDER BY j.seq LIMIT $3",
          {from, today << kReplicaBits, int64_t{kBlockRows}}, [&](const db::Row& row) {
            rows.push_back(row.Int(0));
            for (int column : {0, 1}) Append(&said, absl::StrCat(row.Int(column)));
            for (int column : {2, 3, 4}) Append(&said, row.Text(column));
            Append(&said, absl::StrCat(row.Int(5)));
            Append(&said, row.Blob(6));
            return Status();
          }));
      if (rows.empty()) return Status();
      head = privacy::Hmac(key, said);
      ASSIGN_OR_RETURN(int64_t mine,
                       conn.Exec("INSERT INTO blocks(n, at, size, head) VALUES ($1, $2, $3, $4) "
                                 "ON CONFLICT DO NOTHING",
                                 {block, now, static_cast<int64_t>(rows.size()), db::Bytes{head}}));
      if (mine == 0) {  // another replica has sealed these
        rows.clear();
        return Status();
      }
      FAILPOINT("mid-seal");
      for (size_t i = 0; i < rows.size(); ++i) {
        conn.Post("INSERT INTO block_rows(block, position, seq) VALUES ($1, $2, $3)",
                  {block, static_cast<int64_t>(i), rows[i]});
      }
      coproduction::hub::events::v1::BlockSealed event;
      event.set_head(head);
      event.set_size(static_cast<int64_t>(rows.size()));
      std::vector<Payload> payloads;
      for (const auto& receiver : options_.receivers) {
        if (receiver != "services") continue;
        payloads.push_back({NextSeq(false) * kPartsPerCommand, receiver,
                            "journals/" + options_.service, event.GetDescriptor()->full_name(),
                            block, block, now, "", event.SerializeAsString()});
      }
      return InsertPayloads(conn, payloads);
    }));
    if (!rows.empty()) wake();
  } while (!rows.empty());
  sealed_day_ = today;
  return Status();
}

void Engine::LogAccess(const Call& call, const std::string& outcome,
                       std::function<void(Status)> done) {
  std::vector<db::Value> values = {NextSeq(false),   MachineNow(), call.principal.key(),
                                   call.method_name, call.named,   outcome};
  options_.store->Write(
      [values = std::move(values), log = !outcome.empty(),
       crossed = call.crossed](db::Conn& conn) -> Status {
        if (log) {
          RETURN_IF_ERROR(
              conn.Exec("INSERT INTO access_log(id, at, principal, method, resource, outcome) "
                        "VALUES ($1, $2, $3, $4, $5, $6)",
                        values)
                  .status());
        }
        return InsertCrossings(conn, crossed);
      },
      0, std::move(done));
}

}  // namespace hub::journal
