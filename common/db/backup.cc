#include "common/db/backup.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <memory>

#include "common/base/file.h"
#include "common/base/status.h"

namespace hub::db {
namespace {

constexpr int kWaitMs = 10000;  // for whoever writes at the moment

struct CloseDb {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Db = std::unique_ptr<sqlite3, CloseDb>;

Status Failed(const std::string& path, int code) {
  const std::string why = sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Refuse(errors::CONFLICT, "the disk of '" + path + "' is full");
    case SQLITE_BUSY:
      return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                    "'" + path + "' is held by another program; try again");
    case SQLITE_CANTOPEN:
      return InvalidField("database", "there is no database '" + path + "' that can be opened");
    default:
      return Internal("'" + path + "' cannot be copied: " + why);
  }
}

StatusOr<Db> Open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, nullptr);
  Db db(handle);
  if (code != SQLITE_OK) return Failed(path, code);
  sqlite3_busy_timeout(db.get(), kWaitMs);
  return db;
}

Status Run(sqlite3* db, const std::string& path, const char* sql) {
  return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : Failed(path, sqlite3_extended_errcode(db));
}

// From the snapshot that `source` has open.
Status Copy(sqlite3* source, const std::string& from, const std::string& to) {
  if (!Fd(open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)).is_open()) {
    return InvalidField("folder", "'" + to + "' cannot be made, or is there already");
  }
  ASSIGN_OR_RETURN(const Db target, Open(to));
  sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", source, "main");
  if (backup == nullptr) return Failed(to, sqlite3_extended_errcode(target.get()));
  const int code = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE || finished != SQLITE_OK) {
    return Failed((code & 0xff) == SQLITE_FULL ? to : from,
                  finished == SQLITE_OK ? code : finished);
  }
  return Run(target.get(), to, "PRAGMA journal_mode=DELETE");  // one file, whoever reads it
}

}  // namespace

Status CopyFiles(const std::vector<std::pair<std::string, std::string>>& from_to) {
  std::vector<Db> writers, readers;
  for (const auto& [from, to] : from_to) {
    ASSIGN_OR_RETURN(writers.emplace_back(), Open(from));
    ASSIGN_OR_RETURN(readers.emplace_back(), Open(from));
  }
  // Whoever holds all files' right to write sees to it that all snapshots are of one moment. Nobody
  // who has one of them waits for another.
  for (size_t i = 0; i < from_to.size(); ++i) {
    RETURN_IF_ERROR(Run(writers[i].get(), from_to[i].first, "BEGIN IMMEDIATE"));
  }
  for (size_t i = 0; i < from_to.size(); ++i) {
    RETURN_IF_ERROR(
        Run(readers[i].get(), from_to[i].first, "BEGIN; SELECT COUNT(*) FROM sqlite_schema"));
  }
  writers.clear();
  for (size_t i = 0; i < from_to.size(); ++i) {
    RETURN_IF_ERROR(Copy(readers[i].get(), from_to[i].first, from_to[i].second));
  }
  return absl::OkStatus();
}

StatusOr<std::vector<std::pair<std::string, std::string>>> EnvironmentOf(
    const std::string& conninfo) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(conninfo.c_str(), &message), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> free(message, PQfreemem);
  // Without the parser's words: they may quote a password.
  if (options == nullptr) {
    return InvalidField("database", "it is no connection string of PostgreSQL");
  }
  std::vector<std::pair<std::string, std::string>> environment;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || *option->val == '\0') continue;
    if (option->envvar == nullptr) {
      return InvalidField("database", std::string("pg_dump and psql cannot be told '") +
                                          option->keyword + "'; leave it out here");
    }
    environment.emplace_back(option->envvar, option->val);
  }
  return environment;
}

}  // namespace hub::db
