#include "services/hubctl/audit.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/privacy/seal.h"

namespace hub::ctl {
namespace {

void Append(std::string* text, const std::string& part) {
  absl::StrAppend(text, part.size(), ":", part, "\n");
}

struct Block {
  int64_t at = 0, size = 0;
  std::string head;
};

}  // namespace

StatusOr<std::map<std::string, std::string>> AuditKeys(const Databases& databases) {
  ASSIGN_OR_RETURN(const auto masters, databases.Masters());
  db::StoreOptions options = databases.Of(kKeys);
  options.read_only = true;
  ASSIGN_OR_RETURN(const auto store, db::Store::Open(options));
  std::map<std::string, std::string> wrapped;
  RETURN_IF_ERROR(store->ReadAndWait([&](db::Conn& conn) {
    wrapped.clear();
    return conn.Query("SELECT service, wrapped FROM keys WHERE kind = 'named' AND name = 'audit'",
                      {}, [&](const db::Row& row) {
                        wrapped[std::string(row.Text(0))] = row.Blob(1);
                        return Status();
                      });
  }));
  std::map<std::string, std::string> keys;
  for (const std::string& service : Services()) {
    const auto found = wrapped.find(service);
    if (found == wrapped.end()) continue;
    auto key = masters.Unwrap(found->second, absl::StrCat("keys/named/", service, "/audit"));
    if (!key.ok()) {
      return InvalidField("master_key", "the master key does not open the audit key of " + service +
                                            ": it is not the one of this key store");
    }
    keys[service] = *std::move(key);
  }
  return keys;
}

StatusOr<AuditReport> CheckAudit(db::Conn& conn, const std::string& key) {
  AuditReport report;
  std::map<int64_t, Block> blocks;
  RETURN_IF_ERROR(
      conn.Query("SELECT n, at, size, head FROM blocks ORDER BY n", {}, [&](const db::Row& row) {
        blocks[row.Int(0)] = {row.Int(1), row.Int(2), std::string(row.Blob(3))};
        return Status();
      }));
  RETURN_IF_ERROR(conn.Query(
      "SELECT COUNT(*) FROM journal j LEFT JOIN block_rows b ON b.seq = j.seq WHERE b.seq IS NULL",
      {}, [&](const db::Row& row) {
        report.unsealed = row.Int(0);
        return Status();
      }));
  std::string before;
  int64_t due = 1;
  for (const auto& [n, block] : blocks) {
    for (; due < n; ++due) report.findings.push_back(absl::StrCat("block ", due, " is gone"));
    due = n + 1;
    std::string said;
    Append(&said, before);
    Append(&said, absl::StrCat(n));
    Append(&said, absl::StrCat(block.at));
    int64_t rows = 0;
    RETURN_IF_ERROR(conn.Query(
        "SELECT j.seq, j.at, j.principal, j.method, j.resource, j.version, j.digest, b.seq "
        "FROM block_rows b LEFT JOIN journal j ON j.seq = b.seq WHERE b.block = $1 "
        "ORDER BY b.position",
        {n}, [&, n = n](const db::Row& row) {
          ++rows;
          if (row.IsNull(0)) {
            report.findings.push_back(
                absl::StrCat("row ", row.Int(7), " of block ", n, " is not in the journal"));
            return Status();
          }
          for (int column : {0, 1}) Append(&said, absl::StrCat(row.Int(column)));
          for (int column : {2, 3, 4}) Append(&said, std::string(row.Text(column)));
          Append(&said, absl::StrCat(row.Int(5)));
          Append(&said, std::string(row.Blob(6)));
          return Status();
        }));
    report.sealed += rows;
    if (rows != block.size) {
      report.findings.push_back(
          absl::StrCat("block ", n, " was sealed with ", block.size, " rows and has ", rows));
    }
    if (!privacy::SameBytes(privacy::Hmac(key, said), block.head)) {
      report.findings.push_back(
          absl::StrCat("block ", n, " or a row in it is not as it was sealed"));
    }
    before = block.head;  // as it stands: each block is judged by itself
    report.heads[n] = block.head;
  }
  return report;
}

}  // namespace hub::ctl
