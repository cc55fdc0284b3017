// The names of the schema as people read them.
#pragma once

#include <string>

namespace hub {

// 'MemberCharacteristics', 'given_name', 'LIVES_HERE' -> 'member characteristics', 'given name',
// 'lives here'.
std::string Words(const std::string& name);
std::string Heading(const std::string& name);  // 'Given name'

}  // namespace hub
