// SHA-256, the one digest here: of migrations, texts, records and journal rows.
#pragma once

#include <string>

#include "common/base/status.h"

namespace hub {

std::string Sha256(const std::string& data);  // 32 bytes
StatusOr<std::string> Sha256OfFile(const std::string& path);

}  // namespace hub
