// A key set from its address, by HTTP: the only includer of libcurl.
#pragma once

#include <string>

#include "common/base/status.h"

namespace hub::auth {

struct Fetched {
  bool same = false;  // as the one that `etag` was given for; then nothing else is said
  std::string body;
  std::string etag;
};

// INVALID_FIELD unless the address is https, or http on this machine (localhost, 127.0.0.1, [::1])
// without a user's name.
Status CheckAddress(const std::string& url);

// Asks for it, for 3 seconds at most, and follows nobody elsewhere. The server's certificate is
// held against `authority` (a PEM file), or the system's authorities where that is empty.
// TEMPORARILY_UNAVAILABLE if the answer is not 200 or 304, or is longer than a key set can be.
StatusOr<Fetched> Fetch(const std::string& url, const std::string& authority,
                        const std::string& etag);

}  // namespace hub::auth
