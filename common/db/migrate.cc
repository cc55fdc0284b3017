#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/db/db.h"
#include "common/fault/failpoint.h"

namespace hub::db {
namespace {

std::string Checksum(const std::string& text) { return Hex(Sha256(text)); }

std::string Label(const Migration& migration) {
  return std::to_string(migration.number) + " (" + migration.name + ")";
}

// The database itself refuses to change or delete a row of the table.
std::string AppendOnly(Engine engine, const std::string& table) {
  if (engine == Engine::kPostgres) {
    return "CREATE FUNCTION " + table +
           "_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
           "'BEGIN RAISE check_violation USING MESSAGE = TG_TABLE_NAME || '' is append-only''; "
           "END'; CREATE TRIGGER " +
           table + "_append_only BEFORE UPDATE OR DELETE ON " + table +
           " FOR EACH ROW EXECUTE FUNCTION " + table + "_is_append_only();";
  }
  std::string triggers;
  for (const char* act : {"UPDATE", "DELETE"}) {
    triggers += "CREATE TRIGGER " + table + "_no_" + act + " BEFORE " + act + " ON " + table +
                " BEGIN SELECT RAISE(ABORT, '" + table + " is append-only'); END;";
  }
  return triggers;
}

// Until the transaction ends; another process waits here for our COMMIT and then sees it.
Status LockOutOthers(Conn& conn) {
  if (conn.engine() == Engine::kSqlite) return absl::OkStatus();  // one process by its lock file
  return conn
      .Exec("SELECT pg_advisory_xact_lock(hashtextextended('migrate ' || current_schema(), 0))", {})
      .status();
}

// A column that sorts by the database's own collation would walk in another order than on SQLite.
Status CheckCollations(Conn& conn) {
  if (conn.engine() == Engine::kSqlite) return absl::OkStatus();
  std::string wrong;
  RETURN_IF_ERROR(conn.Query(
      "SELECT c.relname || '.' || a.attname FROM pg_attribute a"
      " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation"
      " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
      " AND a.attnum > 0 AND NOT a.attisdropped AND l.collname <> 'C' ORDER BY 1 LIMIT 1",
      {}, [&](const Row& row) {
        wrong = row.Text(0);
        return absl::OkStatus();
      }));
  if (wrong.empty()) return absl::OkStatus();
  return Internal("column " + wrong + " does not sort by its bytes: declare it {text}");
}

// Applies the first migration that the database lacks, if any.
Status Step(Conn& conn, const std::string& table, const std::vector<Migration>& migrations,
            bool* applied) {
  *applied = false;
  RETURN_IF_ERROR(LockOutOthers(conn));
  RETURN_IF_ERROR(
      conn.Script("CREATE TABLE IF NOT EXISTS " + table +
                  "(number {int64} NOT NULL PRIMARY KEY,"
                  " name {text} NOT NULL, checksum {text} NOT NULL, applied_at {int64} NOT NULL)"
                  " {strict}"));
  std::vector<std::pair<int64_t, std::string>> stored;
  RETURN_IF_ERROR(conn.Query("SELECT number, checksum FROM " + table + " ORDER BY number", {},
                             [&](const Row& row) {
                               stored.emplace_back(row.Int(0), row.Text(1));
                               return absl::OkStatus();
                             }));
  for (size_t i = 0; i < stored.size(); ++i) {
    const auto& [number, checksum] = stored[i];
    if (number != static_cast<int64_t>(i) + 1) {
      return Internal("the database holds migration " + std::to_string(number) + " but not " +
                      std::to_string(i + 1) + ": its table " + table + " was changed by hand");
    }
    if (i >= migrations.size()) {
      return Internal("the database is at migration " + std::to_string(stored.back().first) +
                      ", this program knows them up to " + std::to_string(migrations.size()) +
                      ": run a newer version of it");
    }
    if (checksum != Checksum(migrations[i].sql)) {
      return Internal("migration " + Label(migrations[i]) +
                      " was changed after it was applied: stored checksum " + checksum +
                      ", this program has " + Checksum(migrations[i].sql));
    }
  }
  if (stored.size() == migrations.size()) return CheckCollations(conn);
  const Migration& next = migrations[stored.size()];
  Status status = conn.Script(next.sql);
  if (!status.ok()) {
    return Refuse(ReasonOf(status), "migration " + Label(next) + ": " + MessageOf(status));
  }
  *applied = true;
  FAILPOINT("mid-migration");
  return conn
      .Exec("INSERT INTO " + table +
                "(number, name, checksum, applied_at)"
                " VALUES ($1, $2, $3, $4)",
            {next.number, next.name, Checksum(next.sql), MachineNow()})
      .status();
}

}  // namespace

Status Store::Migrate(const std::vector<Migration>& migrations, const std::string& table) {
  for (size_t i = 0; i < migrations.size(); ++i) {
    if (migrations[i].number != static_cast<int>(i) + 1) {
      return Internal("migration " + Label(migrations[i]) + " stands where number " +
                      std::to_string(i + 1) + " is due: numbers run 1, 2, 3 without a gap");
    }
  }
  bool applied = true;
  while (applied) {
    RETURN_IF_ERROR(
        WriteAndWait([&](Conn& conn) { return Step(conn, table, migrations, &applied); }));
  }
  return absl::OkStatus();
}

std::string ForEngine(Engine engine, const std::string& ddl) {
  static constexpr const char* kTokens[][3] = {
      // token, SQLite, PostgreSQL
      {"{int64}", "INTEGER", "BIGINT"},
      {"{text}", "TEXT", "TEXT COLLATE \"C\""},
      {"{bytes}", "BLOB", "BYTEA"},
      {"{strict}", "STRICT", ""},
  };
  std::string text = ddl;
  for (const auto& [token, sqlite, postgres] : kTokens) {
    const std::string replacement = engine == Engine::kSqlite ? sqlite : postgres;
    for (size_t at = 0; (at = text.find(token, at)) != std::string::npos;) {
      text.replace(at, std::string(token).size(), replacement);
      at += replacement.size();
    }
  }
  static constexpr char kAppendOnly[] = "{append_only:";
  for (size_t at = 0; (at = text.find(kAppendOnly, at)) != std::string::npos;) {
    const size_t from = at + sizeof kAppendOnly - 1, end = text.find('}', from);
    const std::string table = text.substr(from, end - from);
    text.replace(at, end + 1 - at, AppendOnly(engine, table));
  }
  return text;
}

}  // namespace hub::db
