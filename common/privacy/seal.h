// Sealing: AES-256-GCM with a random nonce, bound to where the sealed bytes stand (table, row,
// column), so that a sealed value copied elsewhere does not open. The algorithms are fetched once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "common/base/digest.h"
#include "common/base/status.h"

namespace hub::privacy {

inline constexpr size_t kKeyBytes = 32;

// `key` has kKeyBytes. The result is nonce (12) | ciphertext | tag (16). A key seals at most 2^32
// values: beyond that two random nonces may meet.
std::string Seal(const std::string& key, const std::string& plain, const std::string& bound_to);
// INTERNAL_FAULT if the bytes were changed, moved, or sealed with another key.
StatusOr<std::string> Open(const std::string& key, const std::string& sealed,
                           const std::string& bound_to);
std::string Hmac(const std::string& key, const std::string& data);  // HMAC-SHA-256, 32 bytes
using hub::Sha256;
bool SameBytes(const std::string& a, const std::string& b);  // in constant time

// Owns what a C function must free, as every handle of OpenSSL is owned, here and in common/auth:
// Handle<EVP_PKEY, EVP_PKEY_free>.
template <auto Free>
struct FreedBy {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
template <typename T, auto Free>
using Handle = std::unique_ptr<T, FreedBy<Free>>;

}  // namespace hub::privacy
