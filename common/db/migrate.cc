#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/db/engine.h"
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

// The oldest number whose program can run on what the migration leaves, as its first line may say;
// else its own.
StatusOr<int64_t> ReadableSince(const Migration& migration) {
  static const std::string kWords = "-- readable since: ";
  const std::string line = migration.sql.substr(0, migration.sql.find('\n'));
  if (line.rfind(kWords, 0) != 0) return migration.number;
  const std::string number = line.substr(kWords.size());
  const int64_t since = std::atoll(number.c_str());
  if (since < 1 || since > migration.number || std::to_string(since) != number) {
    return Internal("migration " + Label(migration) + " says '" + line + "': a number from 1 to " +
                    std::to_string(migration.number) + " is due");
  }
  return since;
}

// The steps that were taken. Those of a version that did not note it are readable since themselves.
struct Taken {
  int64_t number;
  std::string name, checksum;
  int64_t readable_since;
};

StatusOr<std::vector<Taken>> TakenSteps(Conn& conn, const std::string& table) {
  RETURN_IF_ERROR(
      conn.Script("CREATE TABLE IF NOT EXISTS " + table +
                  "(number {int64} NOT NULL PRIMARY KEY,"
                  " name {text} NOT NULL, checksum {text} NOT NULL, applied_at {int64} NOT NULL,"
                  " readable_since {int64}) {strict}"));
  ASSIGN_OR_RETURN(const auto columns, ColumnsOf(conn, table));
  if (columns.count("readable_since") == 0) {
    RETURN_IF_ERROR(conn.Script("ALTER TABLE " + table + " ADD COLUMN readable_since {int64}"));
  }
  std::vector<Taken> taken;
  RETURN_IF_ERROR(
      conn.Query("SELECT number, name, checksum, readable_since FROM " + table + " ORDER BY number",
                 {}, [&](const Row& row) {
                   taken.push_back({row.Int(0), std::string(row.Text(1)), std::string(row.Text(2)),
                                    row.IsNull(3) ? row.Int(0) : row.Int(3)});
                   return absl::OkStatus();
                 }));
  return taken;
}

// Applies the first migration that the database lacks, if any. `ahead` says how far the database is
// beyond this program, where it may run nevertheless.
Status Step(Conn& conn, const std::string& table, const std::vector<Migration>& migrations,
            bool* applied, std::string* ahead) {
  *applied = false;
  ahead->clear();
  RETURN_IF_ERROR(LockOutOthers(conn));
  ASSIGN_OR_RETURN(const auto taken, TakenSteps(conn, table));
  const int64_t head = static_cast<int64_t>(migrations.size());
  int64_t readable_since = 0;  // by all steps that this program does not know
  for (size_t i = 0; i < taken.size(); ++i) {
    if (taken[i].number != static_cast<int64_t>(i) + 1) {
      return Internal("the database holds migration " + std::to_string(taken[i].number) +
                      " but not " + std::to_string(i + 1) + ": its table " + table +
                      " was changed by hand");
    }
    if (taken[i].number > head) {
      readable_since = std::max(readable_since, taken[i].readable_since);
    } else if (taken[i].checksum != Checksum(migrations[i].sql)) {
      return Internal("migration " + Label(migrations[i]) +
                      " was changed after it was applied: stored checksum " + taken[i].checksum +
                      ", this program has " + Checksum(migrations[i].sql));
    }
  }
  if (readable_since > 0) {
    *ahead = "the database is at migration " + std::to_string(taken.back().number) + " (" +
             taken.back().name + "), this program knows them up to " + std::to_string(head);
    if (head < readable_since) {
      return Internal(*ahead + ", and only one that knows them up to " +
                      std::to_string(readable_since) + " can run on it: run a newer version of it");
    }
  }
  if (taken.size() >= migrations.size()) return CheckCollations(conn);
  const Migration& next = migrations[taken.size()];
  ASSIGN_OR_RETURN(const int64_t next_readable_since, ReadableSince(next));
  Status status = conn.Script(next.sql);
  if (!status.ok()) {
    return Refuse(ReasonOf(status), "migration " + Label(next) + ": " + MessageOf(status));
  }
  *applied = true;
  FAILPOINT("mid-migration");
  return conn
      .Exec("INSERT INTO " + table +
                "(number, name, checksum, applied_at, readable_since)"
                " VALUES ($1, $2, $3, $4, $5)",
            {next.number, next.name, Checksum(next.sql), MachineNow(), next_readable_since})
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
  std::string ahead;
  while (applied) {
    RETURN_IF_ERROR(
        WriteAndWait([&](Conn& conn) { return Step(conn, table, migrations, &applied, &ahead); }));
  }
  if (!ahead.empty()) std::fprintf(stderr, "%s and can run on it\n", ahead.c_str());
  return absl::OkStatus();
}

std::string ForEngine(Engine engine, const std::string& ddl) {
  static constexpr const char* kTokens[][3] = {
      // token, SQLite, PostgreSQL
      {"{int64}", "INTEGER", "BIGINT"},
      {"{text}", "TEXT", "TEXT COLLATE \"C\""},
      {"{bytes}", "BLOB", "BYTEA"},
      {"{strict}", "STRICT", ""},
      {"{by_key}", "STRICT, WITHOUT ROWID", ""},
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
