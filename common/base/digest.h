// SHA-256, the one digest here: of migrations, texts, records and journal rows.
#pragma once

#include <string>

namespace hub {

std::string Sha256(const std::string& data);  // 32 bytes

}  // namespace hub
