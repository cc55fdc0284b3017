// The master keys, which no database holds: every key of the key store is wrapped under one. The
// first of them wraps, the older ones open what was not wrapped anew yet (hubctl keys rotate).
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace hub::privacy {

class MasterKeys {
 public:
  // Of `file`, or where none is named of the variable HUB_MASTER_KEY, or else of STATE/master.key:
  // keys of kKeyBytes in hexadecimal digits, the current one first, white space between them.
  static StatusOr<MasterKeys> Read(const std::string& file, const std::string& state);
  explicit MasterKeys(std::vector<std::string> keys) : keys_(std::move(keys)) {}  // in bytes

  // `place` is what the key is for, to which the wrapped bytes are bound.
  std::string Wrap(const std::string& key, const std::string& place) const;
  // INTERNAL_FAULT if none of them opens it. `current`: whether the first one did.
  StatusOr<std::string> Unwrap(const std::string& wrapped, const std::string& place,
                               bool* current = nullptr) const;

 private:
  std::vector<std::string> keys_;
};

}  // namespace hub::privacy
