#include "common/base/letters.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <vector>

namespace hub {

std::string Folded(const std::string& text) {
  UErrorCode error = U_ZERO_ERROR;
  icu::UnicodeString apart = icu::UnicodeString::fromUTF8(text);
  // Without ICU's data accents count; nothing else depends on it.
  if (const auto* parts = icu::Normalizer2::getNFKDInstance(error)) {
    apart = parts->normalize(apart, error);
  }
  apart.foldCase();
  icu::UnicodeString kept;
  for (int32_t at = 0; at < apart.length(); at = apart.moveIndex32(at, 1)) {
    if (u_isalnum(apart.char32At(at))) kept.append(apart.char32At(at));
  }
  std::string folded;
  return kept.toUTF8String(folded);
}

size_t Distance(const std::string& a, const std::string& b, size_t most) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most) return most + 1;
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return std::min(d[a.size()][b.size()], most + 1);
}

}  // namespace hub
