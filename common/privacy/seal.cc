#include "common/privacy/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <climits>
#include <cstdlib>

#include "common/base/id.h"

namespace hub::privacy {
namespace {

using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using MacContext = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kDigestBytes = 32;

// Fails only where memory is gone or the caller is wrong (a key of another length, two gigabytes):
// to go on would be to store what is not sealed.
void Must(bool done) {
  if (!done) std::abort();
}

// Never freed: threads may seal until the process has ended.
struct Algorithms {
  EVP_CIPHER* aes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  EVP_MAC_CTX* hmac = nullptr;  // with its digest, without a key: a call makes its own copy

  Algorithms() {
    Handle<EVP_MAC, EVP_MAC_free> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    Must(aes != nullptr && mac != nullptr);
    hmac = EVP_MAC_CTX_new(mac.get());
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    Must(hmac != nullptr && EVP_MAC_CTX_set_params(hmac, params) == 1);
  }
};

const Algorithms& Fetched() {
  static const Algorithms& algorithms = *new Algorithms;
  return algorithms;
}

const unsigned char* In(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Out(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

int Length(const std::string& bytes) {
  Must(bytes.size() <= INT_MAX);
  return static_cast<int>(bytes.size());
}

}  // namespace

std::string Seal(const std::string& key, const std::string& plain, const std::string& bound_to) {
  Must(key.size() == kKeyBytes);
  std::string sealed = RandomBytes(kNonceBytes);
  sealed.resize(kNonceBytes + plain.size() + kTagBytes);
  unsigned char* body = Out(sealed) + kNonceBytes;
  CipherContext context(EVP_CIPHER_CTX_new());
  int written = 0;
  Must(context != nullptr &&
       EVP_EncryptInit_ex2(context.get(), Fetched().aes, In(key), In(sealed), nullptr) == 1 &&
       EVP_EncryptUpdate(context.get(), nullptr, &written, In(bound_to), Length(bound_to)) == 1 &&
       EVP_EncryptUpdate(context.get(), body, &written, In(plain), Length(plain)) == 1 &&
       EVP_EncryptFinal_ex(context.get(), body + plain.size(), &written) == 1 &&
       EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, body + plain.size()) ==
           1);
  return sealed;
}

StatusOr<std::string> Open(const std::string& key, const std::string& sealed,
                           const std::string& bound_to) {
  Must(key.size() == kKeyBytes);
  if (sealed.size() < kNonceBytes + kTagBytes) {
    return Internal("a sealed value is shorter than its seal");
  }
  std::string plain(sealed.size() - kNonceBytes - kTagBytes, '\0');
  std::string tag = sealed.substr(sealed.size() - kTagBytes);
  CipherContext context(EVP_CIPHER_CTX_new());
  int written = 0;
  Must(context != nullptr &&
       EVP_DecryptInit_ex2(context.get(), Fetched().aes, In(key), In(sealed), nullptr) == 1 &&
       EVP_DecryptUpdate(context.get(), nullptr, &written, In(bound_to), Length(bound_to)) == 1 &&
       EVP_DecryptUpdate(context.get(), Out(plain), &written, In(sealed) + kNonceBytes,
                         Length(plain)) == 1 &&
       EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, Out(tag)) == 1);
  if (EVP_DecryptFinal_ex(context.get(), Out(plain) + plain.size(), &written) != 1) {
    return Internal("a sealed value does not open: changed, moved, or sealed with another key");
  }
  return plain;
}

std::string Hmac(const std::string& key, const std::string& data) {
  std::string mac(kDigestBytes, '\0');
  MacContext context(EVP_MAC_CTX_dup(Fetched().hmac));
  size_t written = 0;
  Must(context != nullptr && EVP_MAC_init(context.get(), In(key), key.size(), nullptr) == 1 &&
       EVP_MAC_update(context.get(), In(data), data.size()) == 1 &&
       EVP_MAC_final(context.get(), Out(mac), &written, mac.size()) == 1);
  return mac;
}

bool SameBytes(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hub::privacy
