#include "common/privacy/master_keys.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/privacy/seal.h"

namespace hub::privacy {
namespace {

constexpr char kVariable[] = "HUB_MASTER_KEY";

// Never says what stands there: it may be most of a key.
StatusOr<MasterKeys> Parse(const std::string& text, const std::string& source) {
  std::vector<std::string> keys;
  for (const std::string& word : std::vector<std::string>(
           absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty()))) {
    if (word.size() != 2 * kKeyBytes ||
        !std::all_of(word.begin(), word.end(), absl::ascii_isxdigit)) {
      return InvalidField(
          "master_key",
          absl::StrCat("key ", keys.size() + 1, " of ", source, " has ", word.size(),
                       " characters; a master key has ", 2 * kKeyBytes,
                       " hexadecimal digits, as 'openssl rand -hex ", kKeyBytes, "' prints it"));
    }
    keys.push_back(absl::HexStringToBytes(word));
  }
  if (keys.empty()) return InvalidField("master_key", source + " holds no master key");
  return MasterKeys(std::move(keys));
}

}  // namespace

StatusOr<MasterKeys> MasterKeys::Read(const std::string& file, const std::string& state) {
  if (const char* given = std::getenv(kVariable); file.empty() && given != nullptr) {
    return Parse(given, absl::StrCat("the variable ", kVariable));
  }
  const std::string path = file.empty() ? state + "/master.key" : file;
  ASSIGN_OR_RETURN(const std::string text, ReadFile("master_key", path));
  return Parse(text, absl::StrCat("'", path, "'"));
}

std::string MasterKeys::Wrap(const std::string& key, const std::string& place) const {
  return Seal(keys_.front(), key, place);
}

StatusOr<std::string> MasterKeys::Unwrap(const std::string& wrapped, const std::string& place,
                                         bool* current) const {
  StatusOr<std::string> key;
  for (const std::string& master : keys_) {
    key = Open(master, wrapped, place);
    if (!key.ok()) continue;
    if (current != nullptr) *current = &master == &keys_.front();
    break;
  }
  return key;
}

}  // namespace hub::privacy
