#include "common/base/id.h"

#include <openssl/rand.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"

namespace hub {
namespace {

std::string Format(const unsigned char* b) {
  char text[40];
  std::snprintf(text, sizeof text,
                "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                b[15]);
  return text;
}

}  // namespace

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    std::abort();  // without randomness no key and no id is safe
  }
  return bytes;
}

std::string NewId() {
  static std::mutex mutex;
  static int64_t last_ms = 0;
  static uint32_t counter = 0;
  std::string random = RandomBytes(16);
  auto* b = reinterpret_cast<unsigned char*>(random.data());
  std::lock_guard<std::mutex> lock(mutex);
  int64_t ms = absl::GetCurrentTimeNanos() / 1000000;
  if (ms <= last_ms) {  // the counter in the 12 bits after the version keeps the order
    if (++counter > 0xfff) ++last_ms, counter = 0;
    ms = last_ms;
  } else {
    last_ms = ms, counter = ((b[6] << 8 | b[7]) & 0x7ff);
  }
  for (int i = 0; i < 6; ++i) b[i] = static_cast<unsigned char>(ms >> (8 * (5 - i)));
  b[6] = static_cast<unsigned char>(0x70 | counter >> 8);
  b[7] = static_cast<unsigned char>(counter);
  b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
  return Format(b);
}

std::string NewRandomId() {
  std::string random = RandomBytes(16);
  auto* b = reinterpret_cast<unsigned char*>(random.data());
  b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
  return Format(b);
}

bool IsUuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < 36; ++i) {
    bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    char c = text[i];
    bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (hyphen ? c != '-' : !hex) return false;
  }
  return true;
}

std::string Base64Url(const std::string& bytes) {
  std::string text;
  absl::WebSafeBase64Escape(absl::string_view(bytes.data(), bytes.size()), &text);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

bool FromBase64Url(const std::string& text, std::string* bytes) {
  for (char c : text) {
    bool fine = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                c == '-' || c == '_';
    if (!fine) return false;
  }
  // One spelling a value: what re-encodes otherwise was tampered with.
  return absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), bytes) &&
         Base64Url(*bytes) == text;
}

std::string Hex(const std::string& bytes) {
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

}  // namespace hub
