#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "services/hubctl/backup.h"
#include "services/hubctl/keys.h"
#include "services/hubctl/manifest.h"
#include "services/hubctl/output.h"
#include "services/hubctl/programs.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;

constexpr Micros kSecond = 1000000;
constexpr int kReplicas = 8;  // that may serve one database on PostgreSQL
constexpr char kRestoring[] = ".restoring", kReplaced[] = ".replaced";

Status InUse(const std::string& what) {
  return Refuse(errors::CONFLICT, what + " is in use: stop the hub first; nothing was changed");
}
Status HasData(const std::string& what) {
  return Refuse(errors::CONFLICT,
                what +
                    " has data: restore into an empty place, or give --replace, by "
                    "which all that is there goes; nothing was changed");
}
Status Failed(const std::string& what, const std::error_code& error) {
  return Refuse(errors::CONFLICT, absl::StrCat(what, ": ", error.message()));
}

// Holds the files of databases as a process that serves them does (db.h), for as long as it stands.
class Hold {
 public:
  Status File(const std::string& path) {
    if (!fs::exists(path)) return Status();
    files_.emplace_back(open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const Fd& file = files_.back();
    if (!file.is_open()) return Internal(absl::StrCat("'", path, ".lock' cannot be opened"));
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) return InUse(absl::StrCat("'", path, "'"));
    return Status();
  }

 private:
  std::vector<Fd> files_;
};

// The same of schemas, until the transaction ends: every name by which a process has one open.
std::string HoldSchemas() {
  return absl::StrCat(
      "SET LOCAL lock_timeout = '2s'; SELECT pg_advisory_xact_lock(hashtextextended('named ' || "
      "service || ' replica ' || replica, 0)) FROM generate_series(0, ",
      kReplicas - 1, ") AS replica, unnest(ARRAY['", absl::StrJoin(Services(), "', '"),
      "']) AS service; ");
}

// In one transaction: everything or nothing.
Status RunSql(const std::string& url, std::vector<std::string> parts) {
  std::vector<std::string> words = {
      "psql",          "--no-psqlrc",          "--quiet",
      "--no-password", "--single-transaction", "--set=ON_ERROR_STOP=1"};
  words.insert(words.end(), parts.begin(), parts.end());
  const Status status = RunOnPostgres(PathOf(url), words);
  return absl::StrContains(MessageOf(status), "lock timeout") ? InUse("the database") : status;
}

StatusOr<bool> HasTables(const Databases& databases, const std::string& name) {
  const db::StoreOptions options = databases.Of(name);
  if (IsSqlite(options.url)) return fs::exists(PathOf(options.url));
  db::StoreOptions beside = options;
  beside.read_only = true;
  ASSIGN_OR_RETURN(const auto store, db::Store::Open(beside));
  int64_t tables = 0;
  RETURN_IF_ERROR(store->ReadAndWait([&](db::Conn& conn) {
    return conn.Query("SELECT COUNT(*) FROM pg_tables WHERE schemaname = $1", {name},
                      [&](const db::Row& row) {
                        tables = row.Int(0);
                        return Status();
                      });
  }));
  return tables > 0;
}

// What has been restored has the rows that were copied.
Status CompareRows(db::Conn& conn, const std::string& name, const Manifest& manifest) {
  ASSIGN_OR_RETURN(const auto rows, CountRows(conn, name));
  for (const auto& [table, count] : manifest.rows) {
    if (!table.starts_with(name + ".")) continue;
    const auto found = rows.find(table);
    const int64_t restored = found == rows.end() ? 0 : found->second;
    if (restored == count) continue;
    return Internal(absl::StrCat(table, " has ", restored, " rows, the backup has ", count));
  }
  return Status();
}

// The epoch is a number that has never been one: what was told under a later one than the backup's
// is lost too, and nobody here knows that one.
std::string NextEpoch(const Manifest& manifest) {
  return absl::StrCat(std::max(manifest.epoch + 1, MachineNow() / kSecond));
}

Status Sql(db::Store& store, const std::string& sql) {
  return store.WriteAndWait([&](db::Conn& conn) { return conn.Exec(sql, {}).status(); });
}
std::string RaiseEpoch(const std::string& schema, const std::string& epoch) {
  return absl::StrCat("UPDATE ", schema, "meta SET value = '", epoch, "' WHERE name = 'epoch'");
}

// Files beside their place, made ready there, and then put into it.
Status RestoreFiles(const Databases& databases, const Manifest& manifest, const std::string& from,
                    const std::string& epoch) {
  const std::string folder = PathOf(databases.data), draft = folder + kRestoring;
  std::error_code error;
  fs::remove_all(draft, error);
  if (!fs::create_directories(draft, error)) return Failed("'" + draft + "' cannot be made", error);
  fs::permissions(draft, fs::perms::owner_all, error);
  Databases drafts = databases;
  drafts.data = "sqlite:" + draft;
  for (const std::string& service : Services()) {
    const std::string path = PathOf(drafts.Of(service).url);
    if (!fs::copy_file(absl::StrCat(from, "/", service, ".db"), path, error)) {
      return Failed("'" + path + "' cannot be written", error);
    }
    {
      ASSIGN_OR_RETURN(const auto store, db::Store::Open(drafts.Of(service)));
      RETURN_IF_ERROR(
          store->ReadAndWait([&](db::Conn& conn) { return CompareRows(conn, service, manifest); }));
      RETURN_IF_ERROR(Sql(*store, RaiseEpoch("", epoch)));
    }
    RETURN_IF_ERROR(SyncFile(path));
  }
  RETURN_IF_ERROR(SyncFile(draft));
  fs::remove_all(folder + kReplaced, error);
  fs::remove(folder, error);  // where it is there and empty
  if (fs::exists(folder)) fs::rename(folder, folder + kReplaced, error);
  if (!error) fs::rename(draft, folder, error);
  if (error) return Failed("'" + draft + "' cannot be put into its place", error);
  fs::remove_all(folder + kReplaced, error);
  return SyncFile(fs::absolute(folder).parent_path());
}

Status RestoreSchemas(const std::string& url, const std::set<std::string>& names,
                      const std::string& file, const std::string& epoch) {
  std::string drop, raise = "SELECT 1";
  for (const std::string& name : names) {
    absl::StrAppend(&drop, "DROP SCHEMA IF EXISTS ", name, " CASCADE; ");
    if (!epoch.empty()) absl::StrAppend(&raise, "; ", RaiseEpoch(name + ".", epoch));
  }
  return RunSql(
      url, {"--command=" + HoldSchemas(), "--command=SET client_min_messages = warning; " + drop,
            "--file=" + file, "--command=" + raise});
}

// How many keys have been destroyed by then.
StatusOr<int64_t> ReplayErasures(const db::StoreOptions& store, const Backup& backup) {
  ASSIGN_OR_RETURN(const auto keys, OpenKeys(store, backup.databases));
  ASSIGN_OR_RETURN(const auto erasures, keys->Erasures());
  return static_cast<int64_t>(erasures.size());
}

StatusOr<int64_t> RestoreKeys(const Backup& backup) {
  const db::StoreOptions options = backup.databases.Of(kKeys);
  if (backup.keys.empty()) return ReplayErasures(options, backup);
  if (!IsSqlite(options.url)) {
    RETURN_IF_ERROR(RestoreSchemas(options.url, {kKeys}, backup.keys + "/keys.sql", ""));
    return ReplayErasures(options, backup);
  }
  const std::string path = PathOf(options.url), draft = path + kRestoring;
  std::error_code error;
  fs::create_directories(fs::absolute(path).parent_path(), error);
  for (const char* rest : {"", "-wal", "-shm", ".lock"}) fs::remove(draft + rest, error);
  if (!fs::copy_file(backup.keys + "/keys.db", draft, error)) {
    return Failed("'" + draft + "' cannot be written", error);
  }
  db::StoreOptions drafts = options;
  drafts.url = "sqlite:" + draft;
  const auto erased = ReplayErasures(drafts, backup);
  fs::remove(draft + ".lock", error);
  if (!erased.ok()) {
    fs::remove(draft, error);
    return erased.status();
  }
  RETURN_IF_ERROR(SyncFile(draft));
  for (const char* rest : {"-wal", "-shm"}) fs::remove(path + rest, error);  // of another database
  fs::rename(draft, path, error);
  if (error) return Failed("'" + draft + "' cannot be put into its place", error);
  RETURN_IF_ERROR(SyncFile(fs::absolute(path).parent_path()));
  return *erased;
}

Status CheckEngine(const Manifest& manifest, const std::string& folder, const std::string& url) {
  const std::string wanted = IsSqlite(url) ? "sqlite" : "postgres";
  if (manifest.engine == wanted) return Status();
  return Refuse(errors::CONFLICT, absl::StrCat("'", folder, "' is of ", manifest.engine,
                                               ", and the database is of ", wanted));
}

// A demonstration's rows belong into its state, whose date a command moves, and no others do.
Status CheckDemo(const Manifest& data, const Options& options) {
  const bool demo = !options.state.empty() && fs::exists(options.state + "/demo");
  if (data.demo && options.state.empty()) {
    return UsageError(
        "the backup is a demonstration's, whose date stands in the state: --state=DIR");
  }
  if (demo && !data.demo) {
    return Refuse(errors::CONFLICT, "'" + options.state +
                                        "' is a demonstration's state, and the backup is not of "
                                        "one: choose another by --state=DIR");
  }
  return Status();
}

}  // namespace

Status Restore(Backup backup, const Options& options) {
  Databases& databases = backup.databases;
  RETURN_IF_ERROR(databases.Complete("restore", options));
  ASSIGN_OR_RETURN(const std::string list, databases.Erasures());
  const Micros began = MachineNow();

  ASSIGN_OR_RETURN(const Manifest data, ReadManifest(backup.folder, kDataCopy));
  RETURN_IF_ERROR(CheckEngine(data, backup.folder, databases.data));
  RETURN_IF_ERROR(CheckDemo(data, options));
  RETURN_IF_ERROR(databases.Masters().status());
  std::set<std::string> names = Services();
  if (!backup.keys.empty()) {
    ASSIGN_OR_RETURN(const Manifest keys, ReadManifest(backup.keys, kKeysCopy));
    RETURN_IF_ERROR(CheckEngine(keys, backup.keys, databases.keys));
    if (keys.taken_at < data.taken_at) {
      return Refuse(errors::CONFLICT,
                    absl::StrCat("the keys in '", backup.keys, "' are of ", TimeOf(keys.taken_at),
                                 ", before the data of ", TimeOf(data.taken_at),
                                 ": what was sealed between could never be opened; take keys that "
                                 "were copied with the data or later"));
    }
    names.insert(kKeys);
  } else {
    ASSIGN_OR_RETURN(const bool there, HasTables(databases, kKeys));
    if (!there) {
      return Refuse(errors::CONFLICT,
                    "there is no key store, without which what is sealed in the data can never be "
                    "opened: give the backup of the keys by --keys-from");
    }
  }
  std::cerr << absl::StrFormat("checked %s of %s, %s\n", SizeOf(data.bytes()),
                               TimeOf(data.taken_at), backup.folder);

  Hold hold;
  if (const std::string folder = PathOf(databases.data);
      IsSqlite(databases.data) && !backup.replace && fs::exists(folder) && !fs::is_empty(folder)) {
    return HasData("'" + folder + "'");
  }
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const bool there, HasTables(databases, name));
    if (there && !backup.replace) {
      return HasData(IsSqlite(databases.Of(name).url) ? "'" + PathOf(databases.Of(name).url) + "'"
                                                      : "the schema " + name);
    }
    if (IsSqlite(databases.Of(name).url)) {
      RETURN_IF_ERROR(hold.File(PathOf(databases.Of(name).url)));
    }
  }
  if (!IsSqlite(databases.data)) {
    RETURN_IF_ERROR(RunSql(databases.data, {"--command=" + HoldSchemas()}));
  }

  // The keys first: where they are missing, nothing serves.
  ASSIGN_OR_RETURN(const int64_t erased, RestoreKeys(backup));
  std::cerr << absl::StrFormat("keys: %d erasures replayed from %s\n", erased, list);
  const std::string epoch = NextEpoch(data);
  if (data.demo) std::ofstream(options.state + "/demo") << data.demo_date << "\n";
  if (IsSqlite(databases.data)) {
    RETURN_IF_ERROR(RestoreFiles(databases, data, backup.folder, epoch));
  } else {
    RETURN_IF_ERROR(RestoreSchemas(databases.data, Services(), backup.folder + "/data.sql", epoch));
    db::StoreOptions beside = databases.Of(*Services().begin());
    beside.read_only = true;
    ASSIGN_OR_RETURN(const auto store, db::Store::Open(beside));
    RETURN_IF_ERROR(store->ReadAndWait([&](db::Conn& conn) -> Status {
      for (const std::string& service : Services()) {
        RETURN_IF_ERROR(CompareRows(conn, service, data));
      }
      return Status();
    }));
  }
  const double seconds = static_cast<double>(MachineNow() - began) / 1e6;
  if (options.format == "json") {
    std::cout << Report(
        {{"data", backup.folder}, {"takenAt", TimeOf(data.taken_at)}, {"epoch", epoch}},
        {{"rows", static_cast<double>(data.row_count())},
         {"erasures", static_cast<double>(erased)},
         {"seconds", seconds}});
  } else {
    std::cout << absl::StrFormat("restored: %d rows as of %s, epoch %s, %.2f s\n", data.row_count(),
                                 TimeOf(data.taken_at), epoch, seconds);
  }
  return Status();
}

}  // namespace hub::ctl
