// What is not kept: personal fields for longer than the schema says (`retention`), answers and
// their day keys (7 days, after which a resend is told ALREADY_DONE), sent events as long as the
// streams have them, the access log and the register of crossings after a year. Keys and journal
// stay.
#include <map>

#include "common/journal/engine.h"
#include "common/journal/person.h"
#include "common/journal/tables.h"
#include "coproduction/hub/v1/people.pb.h"

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

// Personal fields of records about nobody in particular, from the date that the record names.
Status EndRetentions(db::Store& store, const schema::Resource& resource, const std::string& today) {
  const std::string since = db::FindColumn(resource, resource.option->kept_since())->name;
  for (const int years : schema::RetentionsOf(resource.type)) {
    const auto day = ToDay(today);
    const std::string last = ToText(absl::CivilDay(day.year() - years, day.month(), day.day()));
    RETURN_IF_ERROR(store.WriteAndWait([&](db::Conn& conn) {
      return EndRetention(conn, resource, years, since + " <> '' AND " + since + " <= $1", last);
    }));
  }
  return Status();
}

// Of persons who are erased and of whom each service has said so, what a law kept. A transaction
// for those alone of whom some of it is over.
Status EndRetentions(db::Store& store, const std::string& service, const std::string& today) {
  std::map<std::string, std::string> erased;  // person: on which day
  RETURN_IF_ERROR(store.ReadAndWait([&](db::Conn& conn) {
    erased.clear();
    return conn.Query("SELECT person, confirmation FROM erasures WHERE step = 2", {},
                      [&](const db::Row& row) {
                        coproduction::hub::v1::ErasureConfirmation said;
                        said.ParseFromString(std::string(row.Blob(1)));
                        if (RetentionEnds(service, said.erased_on(), today)) {
                          erased[std::string(row.Text(0))] = said.erased_on();
                        }
                        return Status();
                      });
  }));
  for (const auto& [person, erased_on] : erased) {
    RETURN_IF_ERROR(
        store.WriteAndWait([&, &person = person, &erased_on = erased_on](db::Conn& conn) -> Status {
          ASSIGN_OR_RETURN(const bool all, EndRetention(conn, service, person, erased_on, today));
          if (!all) return Status();
          return conn.Exec("UPDATE erasures SET step = 3 WHERE person = $1", {person}).status();
        }));
  }
  return Status();
}

}  // namespace

Status Engine::EndRetentions(const std::string& today) {
  for (const auto* resource : schema::Resources(options_.service)) {
    if (resource->option->kept_since().empty()) continue;
    RETURN_IF_ERROR(journal::EndRetentions(*options_.store, *resource, today));
  }
  RETURN_IF_ERROR(journal::EndRetentions(*options_.store, options_.service, today));
  return Scrub();
}

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
