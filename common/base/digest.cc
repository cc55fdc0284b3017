#include "common/base/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <fstream>
#include <memory>
#include <vector>

namespace hub {

std::string Sha256(const std::string& data) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

StatusOr<std::string> Sha256OfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  bool well = file && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<char> part(1 << 20);
  while (well && !file.eof()) {
    file.read(part.data(), static_cast<std::streamsize>(part.size()));
    well = !file.bad() &&
           EVP_DigestUpdate(context.get(), part.data(), static_cast<size_t>(file.gcount())) == 1;
  }
  if (!well || EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()),
                                  nullptr) != 1) {
    return InvalidField("file", "'" + path + "' cannot be read");
  }
  return digest;
}

}  // namespace hub
