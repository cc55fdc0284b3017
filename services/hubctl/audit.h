// The audit's check: that the journal's sealed rows are as they were when they were sealed. It
// works the heads out anew from the rows, under keys that are not in the services' databases.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/db/db.h"
#include "services/hubctl/databases.h"

namespace hub::ctl {

// Each service's key, from the key store and the file of the master key. A service that has sealed
// nothing yet has none.
StatusOr<std::map<std::string, std::string>> AuditKeys(const Databases& databases);

struct AuditReport {
  std::map<int64_t, std::string> heads;  // by block
  int64_t sealed = 0, unsealed = 0;      // rows of the journal
  std::vector<std::string> findings;     // what is not as it was
};
// In one snapshot of the service's database.
StatusOr<AuditReport> CheckAudit(db::Conn& conn, const std::string& key);

}  // namespace hub::ctl
