// The key store under an operator's hand, without a hub.
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"
#include "common/privacy/keys.h"
#include "services/hubctl/databases.h"

namespace hub::ctl {

// Opens a key store as hubd does: its keys that are on the list are destroyed by then. Where it is
// a file, not while another has it open.
StatusOr<std::unique_ptr<privacy::KeyStore>> OpenKeys(const db::StoreOptions& store,
                                                      const Databases& databases);

Status EraseKeys(const std::string& person, Databases databases, const Options& options);
// Wraps every key under the first of the master keys.
Status RotateKeys(Databases databases, const Options& options);
// As the list has them, from the key store itself.
Status PrintErasures(Databases databases, const Options& options);

}  // namespace hub::ctl
