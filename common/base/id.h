// Identifiers: UUIDv7 (RFC 9562: ordered by time, unique within the process), UUIDv4 where a method
// is anonymous, and random bytes from the operating system's generator.
#pragma once

#include <cstddef>
#include <string>

namespace hub {

std::string NewId();        // UUIDv7, lower case with hyphens; each greater than the one before
std::string NewRandomId();  // UUIDv4
bool IsUuid(const std::string& text);
std::string RandomBytes(size_t count);

std::string Base64Url(const std::string& bytes);  // without padding
bool FromBase64Url(const std::string& text,
                   std::string* bytes);  // strict: no padding, no white space
std::string Hex(const std::string& bytes);

}  // namespace hub
