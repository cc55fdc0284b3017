#include "common/base/words.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace hub {

std::string Words(const std::string& name) {
  const bool constant = std::none_of(name.begin(), name.end(), absl::ascii_islower);
  std::string words;
  for (char c : name) {
    if (c == '_') {
      words += ' ';
      continue;
    }
    if (absl::ascii_isupper(c) && !constant && !words.empty()) words += ' ';
    words += absl::ascii_tolower(c);
  }
  return words;
}

std::string Heading(const std::string& name) {
  std::string words = Words(name);
  if (!words.empty()) words[0] = absl::ascii_toupper(words[0]);
  return words;
}

}  // namespace hub
