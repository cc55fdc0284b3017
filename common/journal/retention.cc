// What is not kept: answers and their day keys (7 days, after which a resend is told ALREADY_DONE),
// sent events as long as the streams have them, the access log and the register of crossings after
// a year. Keys and journal stay.
#include "common/journal/engine.h"
#include "common/journal/tables.h"

namespace hub::journal {
namespace {

constexpr Micros kKeepAnswers = 7 * kDay, kKeepAccessLog = 366 * kDay;
constexpr int64_t kAtOnce = 500;

// The id of a payload that is made then.
int64_t IdAt(Micros time) { return (time << kReplicaBits) * kPartsPerCommand; }

// Deletes what `where` names, a page in each transaction, so that nobody waits long for it.
Status DeletePages(db::Store& store, const std::string& table, const std::string& where,
                   const std::vector<db::Value>& values, bool note) {
  bool more = true;
  while (more) {
    RETURN_IF_ERROR(store.WriteAndWait([&](db::Conn& conn) -> Status {
      int64_t last = 0;
      more = false;
      RETURN_IF_ERROR(conn.Query("SELECT MAX(id), COUNT(*) FROM (SELECT id FROM " + table +
                                     " WHERE " + where + " ORDER BY id LIMIT " +
                                     std::to_string(kAtOnce) + ") page",
                                 values, [&](const db::Row& row) {
                                   last = row.Int(0);
                                   more = row.Int(1) == kAtOnce;
                                   return Status();
                                 }));
      if (last == 0) return Status();
      std::vector<db::Value> bounded = values;
      bounded.emplace_back(last);
      RETURN_IF_ERROR(conn.Exec("DELETE FROM " + table + " WHERE " + where + " AND id <= $" +
                                    std::to_string(bounded.size()),
                                bounded)
                          .status());
      if (!note) return Status();
      return conn
          .Exec(
              "INSERT INTO meta(name, value) VALUES ('forgotten', $1) "
              "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
              {std::to_string(last)})
          .status();
    }));
  }
  return Status();
}

}  // namespace

Status Engine::Forget() {
  const Micros now = MachineNow();
  RETURN_IF_ERROR(
      options_.keys->EraseDayKeysBefore(options_.service, LondonDate(now - kKeepAnswers)).status());
  db::Store& store = *options_.store;
  // A day more than its key: what was sealed on the last day of it.
  RETURN_IF_ERROR(DeletePages(store, "payloads",
                              "receiver = '' AND aggregate = '' AND n = 0 AND id < $1",
                              {IdAt(now - kKeepAnswers - kDay)}, false));
  RETURN_IF_ERROR(DeletePages(store, "payloads", "id < $1 AND receiver <> '' AND sent_at < $2",
                              {IdAt(now - options_.keep_events), now - options_.keep_events},
                              true));
  for (const char* table : {"access_log", "crossings"}) {
    RETURN_IF_ERROR(
        DeletePages(store, table, "id < $1", {(now - kKeepAccessLog) << kReplicaBits}, false));
  }
  return Status();
}

}  // namespace hub::journal
