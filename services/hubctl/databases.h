// Where a hub has its rows and its keys, for the commands that read or make them beside hubd.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/base/status.h"
#include "common/db/db.h"
#include "common/privacy/master_keys.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

struct Databases {
  std::string data;      // as hubd's --database; sqlite:STATE/data if empty
  std::string keys;      // as hubd's --keys_database; sqlite:STATE/keys/keys.db if empty
  std::string master;    // as hubd's --master_key
  std::string erasures;  // as hubd's --erasures
  std::string state;     // where what is empty is taken from

  // Fills in what is empty. A usage error where there is no state to take it from.
  Status Complete(const std::string& command, const Options& options);
  // The file of the list; STATE/erasures if nothing else is said, a usage error without a state.
  StatusOr<std::string> Erasures() const;
  StatusOr<privacy::MasterKeys> Masters() const { return privacy::MasterKeys::Read(master, state); }
  // Of a service ('keys': of the key store), to be opened with one reader.
  db::StoreOptions Of(const std::string& service) const;
};

inline constexpr char kKeys[] = "keys";
std::set<std::string> Services();  // that have rows

bool IsSqlite(const std::string& url);
std::string PathOf(const std::string& url);  // what stands behind the engine's name

// How many rows each table of a service has, by 'service.table'.
StatusOr<std::map<std::string, int64_t>> CountRows(db::Conn& conn, const std::string& service);

}  // namespace hub::ctl
