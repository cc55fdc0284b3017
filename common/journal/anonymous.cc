// What an anonymous method leaves joins nobody to what was told. Its transaction writes what every
// command's does, but none of its rows leads to another: the key has no sequence, the journal's is
// drawn over the whole day, and so, by itself, is that of its events, which are held back. They
// tell of the record, whose id is random.
//
// A database also keeps the order in which rows came: where they stand in a page, SQLite's log,
// PostgreSQL's xmin. So when the day has ended, its records are written anew in one transaction, in
// an order that was drawn; their events get new ids in that order and may go out; and then nothing
// of before is in the files any more. On that day itself, who reads the files can tell the order.
#include <set>
#include <string>
#include <vector>

#include "common/journal/engine.h"
#include "common/journal/tables.h"

namespace hub::journal {
namespace {

constexpr int64_t kAtOnce = 200;
constexpr int64_t kReleased = -1;  // held_until

const char kScrub[] = "scrub/", kAfterScrub[] = "scrub0";  // '0' comes after '/'

// A row that is the same, but of this transaction, and behind all that stand there already.
Status WriteAnew(db::Conn& conn, const std::string& name) {
  const schema::Resource* resource = schema::ResourceOfName(name);
  std::string forum, id;
  if (resource == nullptr || !schema::ParseName(*resource, name, &forum, &id)) {
    return Internal("an anonymous method told of '" + name + "', which is no record");
  }
  const std::string& table = resource->option->table();
  RETURN_IF_ERROR(
      conn.Exec("UPDATE " + table + " SET version = version WHERE forum = $1 AND id = $2",
                {forum, id})
          .status());
  return NoteScrub(conn, table);
}

}  // namespace

Status NoteScrub(db::Conn& conn, const std::string& table) {
  return conn
      .Exec("INSERT INTO meta(name, value) VALUES ($1, '') ON CONFLICT DO NOTHING",
            {kScrub + table})
      .status();
}

Status Engine::EndAnonymousDays() {
  db::Store& store = *options_.store;
  while (true) {
    std::vector<Payload> held;
    RETURN_IF_ERROR(store.ReadAndWait([&](db::Conn& conn) {
      held.clear();
      return conn.Query(
          "SELECT id, receiver, aggregate, type, version, n, at, paths, body FROM payloads WHERE "
          "sent_at IS NULL AND held_until > 0 AND held_until <= $1 ORDER BY id LIMIT $2",
          {Now(), kAtOnce}, [&](const db::Row& row) {
            held.push_back({row.Int(0), std::string(row.Text(1)), std::string(row.Text(2)),
                            std::string(row.Text(3)), row.Int(4), row.Int(5), row.Int(6),
                            std::string(row.Text(7)), std::string(row.Blob(8)), kReleased});
            return Status();
          });
    }));
    if (held.empty()) break;
    RETURN_IF_ERROR(store.WriteAndWait([&](db::Conn& conn) -> Status {
      std::vector<Payload> released;
      std::set<std::string> told;
      for (const Payload& row : held) {
        ASSIGN_OR_RETURN(const int64_t mine,
                         conn.Exec("DELETE FROM payloads WHERE id = $1", {row.id}));
        if (mine == 0) continue;  // another replica has released it
        released.push_back(row);
        released.back().id = NextSeq(false) * kPartsPerCommand;
        if (told.insert(row.aggregate).second) RETURN_IF_ERROR(WriteAnew(conn, row.aggregate));
      }
      if (!released.empty()) RETURN_IF_ERROR(NoteScrub(conn, "payloads"));
      return InsertPayloads(conn, released);
    }));
    wake();
  }
  return Scrub();
}

Status Engine::Scrub() {
  db::Store& store = *options_.store;
  std::vector<std::string> noted;
  RETURN_IF_ERROR(store.ReadAndWait([&](db::Conn& conn) {
    noted.clear();
    return conn.Query("SELECT name FROM meta WHERE name >= $1 AND name < $2 ORDER BY name",
                      {kScrub, kAfterScrub}, [&](const db::Row& row) {
                        noted.emplace_back(row.Text(0));
                        return Status();
                      });
  }));
  bool all = false;  // one time does it for all tables of a file
  for (const std::string& name : noted) {
    if (!all) RETURN_IF_ERROR(store.Scrub(name.substr(sizeof kScrub - 1)));
    all = store.engine() == db::Engine::kSqlite;
    RETURN_IF_ERROR(store.WriteAndWait([&](db::Conn& conn) {
      return conn.Exec("DELETE FROM meta WHERE name = $1", {name}).status();
    }));
  }
  return Status();
}

}  // namespace hub::journal
