#include "services/hubctl/keys.h"

#include <iostream>
#include <utility>

#include "services/hubctl/output.h"

namespace hub::ctl {

StatusOr<std::unique_ptr<privacy::KeyStore>> OpenKeys(const db::StoreOptions& store,
                                                      const Databases& databases) {
  ASSIGN_OR_RETURN(const std::string list, databases.Erasures());
  ASSIGN_OR_RETURN(auto masters, databases.Masters());
  ASSIGN_OR_RETURN(auto opened, db::Store::Open(store));
  ASSIGN_OR_RETURN(auto keys, privacy::KeyStore::Open(std::move(opened), std::move(masters)));
  RETURN_IF_ERROR(keys->KeepErasures(list));
  return keys;
}

Status EraseKeys(const std::string& person, Databases databases, const Options& options) {
  RETURN_IF_ERROR(databases.Complete("keys erase", options));
  ASSIGN_OR_RETURN(const std::string list, databases.Erasures());
  ASSIGN_OR_RETURN(const auto keys, OpenKeys(databases.Of(kKeys), databases));
  const std::string id = person.substr(person.rfind('/') + 1);
  for (const std::string& service : Services()) {
    RETURN_IF_ERROR(keys->EraseSubjectKey(service, id));
  }
  std::cout << "the keys of " << id << " are destroyed, and it stands in " << list << "\n";
  return Status();
}

Status RotateKeys(Databases databases, const Options& options) {
  RETURN_IF_ERROR(databases.Complete("keys rotate", options));
  ASSIGN_OR_RETURN(const auto keys, OpenKeys(databases.Of(kKeys), databases));
  ASSIGN_OR_RETURN(const int64_t count, keys->WrapAnew());
  std::cout << count << " keys were under an older master key; all are under the first one now, "
            << "and no other is needed any more\n";
  return Status();
}

Status PrintErasures(Databases databases, const Options& options) {
  RETURN_IF_ERROR(databases.Complete("keys erasures", options));
  db::StoreOptions beside = databases.Of(kKeys);
  beside.read_only = true;
  ASSIGN_OR_RETURN(const auto store, db::Store::Open(beside));
  ASSIGN_OR_RETURN(const auto erasures, privacy::ReadErasures(*store));
  for (const privacy::Erasure& erasure : erasures) std::cout << privacy::LineOf(erasure) << "\n";
  return Status();
}

}  // namespace hub::ctl
