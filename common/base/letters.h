// Texts as they are compared where spelling is not to count.
#pragma once

#include <cstddef>
#include <string>

namespace hub {

// Letters and digits alone, without case and accents: 'E-Mail ' -> 'email', 'Siân' -> 'sian'.
std::string Folded(const std::string& text);

// Letters to add, drop, change or swap with the next, up to `most`; more is `most` + 1.
size_t Distance(const std::string& a, const std::string& b, size_t most);

}  // namespace hub
