#include "services/hubctl/backup.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "common/base/version.h"
#include "common/db/backup.h"
#include "services/hubctl/manifest.h"
#include "services/hubctl/output.h"
#include "services/hubctl/programs.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;

// What the manifest says of a service's rows.
Status Describe(db::Conn& conn, const std::string& name, Manifest* manifest) {
  ASSIGN_OR_RETURN(const auto rows, CountRows(conn, name));
  manifest->rows.insert(rows.begin(), rows.end());
  if (name == kKeys) return Status();
  const std::string schema = conn.engine() == db::Engine::kSqlite ? "" : name + ".";
  return conn.Query("SELECT value FROM " + schema + "meta WHERE name = 'epoch'", {},
                    [&](const db::Row& row) {
                      int64_t epoch = 0;
                      (void)absl::SimpleAtoi(std::string(row.Text(0)), &epoch);
                      manifest->epoch = std::max(manifest->epoch, epoch);
                      return Status();
                    });
}

// Copies `names` (services, or the key store) into the folder.
Status CopySqlite(const Databases& databases, const std::set<std::string>& names,
                  const std::string& partial, Manifest* manifest) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string& name : names) {
    files.emplace_back(PathOf(databases.Of(name).url), absl::StrCat(partial, "/", name, ".db"));
  }
  manifest->taken_at = MachineNow();
  RETURN_IF_ERROR(db::CopyFiles(files));
  for (const std::string& name : names) {
    db::StoreOptions copy;
    copy.url = absl::StrCat("sqlite:", partial, "/", name, ".db");
    copy.readers = 1;
    copy.read_only = true;
    ASSIGN_OR_RETURN(const auto store, db::Store::Open(copy));
    RETURN_IF_ERROR(
        store->ReadAndWait([&](db::Conn& conn) { return Describe(conn, name, manifest); }));
  }
  return Status();
}

// All schemas by one program on one snapshot.
Status CopyPostgres(const Databases& databases, const std::set<std::string>& names,
                    const std::string& partial, Manifest* manifest) {
  db::StoreOptions options = databases.Of(*names.begin());
  options.read_only = true;
  ASSIGN_OR_RETURN(const auto store, db::Store::Open(options));
  return store->ReadAndWait([&](db::Conn& conn) -> Status {
    std::string snapshot;
    RETURN_IF_ERROR(conn.Exec("SET LOCAL idle_in_transaction_session_timeout = 0", {}).status());
    RETURN_IF_ERROR(conn.Query("SELECT pg_export_snapshot()", {}, [&](const db::Row& row) {
      snapshot = row.Text(0);
      return Status();
    }));
    manifest->taken_at = MachineNow();
    for (const std::string& name : names) RETURN_IF_ERROR(Describe(conn, name, manifest));
    std::vector<std::string> words = {
        "pg_dump",
        "--format=plain",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        "--lock-wait-timeout=10s",
        absl::StrCat("--snapshot=", snapshot),
        absl::StrCat("--file=", partial, "/", manifest->holds, ".sql")};
    for (const std::string& name : names) words.push_back("--schema=" + name);
    return RunOnPostgres(PathOf(options.url), words);
  });
}

StatusOr<Manifest> Copy(const Databases& databases, const std::string& holds,
                        const std::set<std::string>& names, const std::string& folder,
                        Manifest manifest) {
  ASSIGN_OR_RETURN(const std::string partial, BeginFolder(folder));
  const bool sqlite = IsSqlite(databases.Of(*names.begin()).url);
  manifest.holds = holds;
  manifest.engine = sqlite ? "sqlite" : "postgres";
  manifest.version = HubVersion();
  const Micros began = MachineNow();
  Status status = sqlite ? CopySqlite(databases, names, partial, &manifest)
                         : CopyPostgres(databases, names, partial, &manifest);
  if (status.ok()) status = FinishFolder(folder, &manifest);
  if (!status.ok()) {
    std::error_code error;
    fs::remove_all(partial, error);  // no half backups
    return status;
  }
  std::cerr << absl::StrFormat("%s as of %s: %d rows, %s in %.1f s, in %s\n", holds,
                               TimeOf(manifest.taken_at), manifest.row_count(),
                               SizeOf(manifest.bytes()),
                               static_cast<double>(MachineNow() - began) / 1e6, folder);
  return manifest;
}

}  // namespace

Status TakeBackup(Backup backup, const Options& options) {
  RETURN_IF_ERROR(backup.databases.Complete("backup", options));
  Manifest about;
  // Read before the data: a date that has gone on by then comes again when the play goes on.
  if (std::ifstream mark(options.state + "/demo"); !options.state.empty() && mark) {
    about.demo = true;
    std::getline(mark, about.demo_date);
  }
  const Micros began = MachineNow();
  ASSIGN_OR_RETURN(const Manifest data,
                   Copy(backup.databases, kDataCopy, Services(), backup.folder, about));
  // After the data, which have nothing sealed then whose key is not in the copy.
  const auto keys = Copy(backup.databases, kKeysCopy, {kKeys}, backup.keys, Manifest());
  if (!keys.ok()) {
    std::error_code error;
    fs::remove_all(backup.folder, error);
    return keys.status();
  }
  const double seconds = static_cast<double>(MachineNow() - began) / 1e6;
  if (options.format == "json") {
    std::cout << Report(
        {{"data", backup.folder}, {"keys", backup.keys}, {"takenAt", TimeOf(data.taken_at)}},
        {{"epoch", static_cast<double>(data.epoch)},
         {"rows", static_cast<double>(data.row_count())},
         {"bytes", static_cast<double>(data.bytes() + keys->bytes())},
         {"seconds", seconds}});
  } else {
    std::cout << absl::StrFormat("backup: %d rows, %s, epoch %d, %.2f s\n", data.row_count(),
                                 SizeOf(data.bytes() + keys->bytes()), data.epoch, seconds);
  }
  return Status();
}

}  // namespace hub::ctl
