#include "common/auth/fetch.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/auth/token.h"
#include "common/privacy/seal.h"

namespace hub::auth {
namespace {

constexpr int64_t kPatienceMs = 3000;
constexpr int64_t kOk = 200, kNotModified = 304;

using Curl = privacy::Handle<CURL, curl_easy_cleanup>;
using Url = privacy::Handle<CURLU, curl_url_cleanup>;
using Lines = privacy::Handle<curl_slist, curl_slist_free_all>;

std::string PartOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

// What is longer than a key set ends the transfer.
size_t TakeBody(const char* data, size_t size, size_t count, void* to) {
  auto* body = static_cast<std::string*>(to);
  if (body->size() + size * count > kMaxJwksBytes) return 0;
  body->append(data, size * count);
  return size * count;
}

size_t TakeHeader(const char* data, size_t size, size_t count, void* to) {
  const std::string line(data, size * count);
  constexpr char kEtag[] = "etag:";
  if (absl::StartsWithIgnoreCase(line, kEtag)) {
    std::string value = line.substr(sizeof kEtag - 1);
    absl::StripAsciiWhitespace(&value);
    *static_cast<std::string*>(to) = value;
  }
  return size * count;
}

}  // namespace

Status CheckAddress(const std::string& address) {
  Url url(curl_url());
  const bool read =
      url != nullptr && curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) == CURLUE_OK;
  const std::string scheme = read ? PartOf(url.get(), CURLUPART_SCHEME) : "";
  const std::string host = read ? PartOf(url.get(), CURLUPART_HOST) : "";
  const bool here = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
  if ((scheme == "https" || (scheme == "http" && here)) &&
      PartOf(url.get(), CURLUPART_USER).empty()) {
    return Status();
  }
  return InvalidField("jwks", "'" + address +
                                  "' is no address for keys; it begins with https://, or with "
                                  "http:// on this machine, and names no user");
}

StatusOr<Fetched> Fetch(const std::string& url, const std::string& authority,
                        const std::string& etag) {
  RETURN_IF_ERROR(CheckAddress(url));
  static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
  Curl curl(begun == CURLE_OK ? curl_easy_init() : nullptr);
  if (curl == nullptr) return Internal("libcurl does not start");
  Fetched fetched;
  Lines headers(curl_slist_append(nullptr, "Accept: application/jwk-set+json, application/json"));
  if (!etag.empty()) {
    headers.reset(
        curl_slist_append(headers.release(), absl::StrCat("If-None-Match: ", etag).c_str()));
  }
  char why[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  if (absl::StartsWithIgnoreCase(url,
                                 "http:")) {  // on this machine; to others as its variables say
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  }
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kPatienceMs);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &fetched.body);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &fetched.etag);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, why);
  if (!authority.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, authority.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
  }
  const CURLcode done = curl_easy_perform(curl.get());
  if (done != CURLE_OK) {
    return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                  absl::StrCat("'", url, "' cannot be asked: ",
                               why[0] != '\0' ? why : curl_easy_strerror(done)));
  }
  long code = 0;  // NOLINT(google-runtime-int): as libcurl writes it
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &code);
  fetched.same = code == kNotModified && !etag.empty();
  if (code != kOk && !fetched.same) {
    return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                  absl::StrCat("'", url, "' answers with the HTTP status ", code));
  }
  return fetched;
}

}  // namespace hub::auth
