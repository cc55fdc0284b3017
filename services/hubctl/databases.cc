#include "services/hubctl/databases.h"

#include "absl/strings/str_cat.h"
#include "common/schema/schema.h"
#include "services/hubctl/output.h"

namespace hub::ctl {

Status Databases::Complete(const std::string& command, const Options& options) {
  if (options.state.empty() && (data.empty() || keys.empty())) {
    return UsageError(command +
                      " needs --state=DIR or HUB_STATE, or --database and --keys-database");
  }
  state = options.state;
  if (data.empty()) data = absl::StrCat("sqlite:", options.state, "/data");
  if (keys.empty()) keys = absl::StrCat("sqlite:", options.state, "/keys/keys.db");
  return Status();
}

StatusOr<std::string> Databases::Erasures() const {
  if (!erasures.empty()) return erasures;
  if (!state.empty()) return state + "/erasures";
  return UsageError("it needs --erasures, or --state=DIR or HUB_STATE");
}

db::StoreOptions Databases::Of(const std::string& service) const {
  db::StoreOptions options;
  options.url = service == kKeys ? keys : data;
  options.schema = service;
  options.readers = 1;
  if (service != kKeys && IsSqlite(data)) absl::StrAppend(&options.url, "/", service, ".db");
  return options;
}

std::set<std::string> Services() {
  std::set<std::string> services;
  for (const schema::Method* method : schema::Methods()) {
    if (!schema::Resources(method->service).empty()) services.insert(method->service);
  }
  return services;
}

bool IsSqlite(const std::string& url) { return url.starts_with("sqlite:"); }
std::string PathOf(const std::string& url) { return url.substr(url.find(':') + 1); }

StatusOr<std::map<std::string, int64_t>> CountRows(db::Conn& conn, const std::string& service) {
  std::map<std::string, int64_t> rows;
  const bool sqlite = conn.engine() == db::Engine::kSqlite;
  RETURN_IF_ERROR(conn.Query(
      sqlite ? "SELECT name FROM sqlite_schema WHERE type = 'table' AND SUBSTR(name, 1, 7) <> "
               "'sqlite_' ORDER BY name"
             : "SELECT tablename FROM pg_tables WHERE schemaname = '" + service + "' ORDER BY 1",
      {}, [&](const db::Row& row) {
        rows[absl::StrCat(service, ".", std::string(row.Text(0)))] = 0;
        return Status();
      }));
  for (auto& [table, count] : rows) {
    const std::string from = sqlite ? table.substr(service.size() + 1) : table;
    RETURN_IF_ERROR(
        conn.Query("SELECT COUNT(*) FROM " + from, {}, [&count = count](const db::Row& row) {
          count = row.Int(0);
          return Status();
        }));
  }
  return rows;
}

}  // namespace hub::ctl
