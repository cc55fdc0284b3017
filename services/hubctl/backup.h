// 'backup' and 'restore': the four databases of a hub and, apart from them, its key store.
//
// A backup is taken while the hub serves, all databases as of one moment, and the keys after them,
// so that what is sealed in the data has its key. A restore brings all back or nothing, destroys
// again the keys on the list of erasures, and raises the epoch: who keeps a copy of what the hub
// told learns by it that facts were lost (services/hubctl/README.md).
#pragma once

#include <string>

#include "common/base/status.h"
#include "services/hubctl/databases.h"

namespace hub::ctl {

struct Backup {
  Databases databases;
  std::string folder;    // of the data
  std::string keys;      // the folder of the keys; restore: empty where the key store has survived
  bool replace = false;  // restore: what is there goes
};

Status TakeBackup(Backup backup, const Options& options);
Status Restore(Backup backup, const Options& options);

}  // namespace hub::ctl
