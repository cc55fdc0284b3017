// The contract as tables for people to review: who sees what, who may call what, which state may
// follow which, what an event shows to whom. Each is computed by the code that enforces it, never
// from the options alone.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "common/schema/schema.h"

namespace hub::contract {

namespace options = ::coproduction::options::v1;

options::Side SideOf(options::Role role);
// The relation under which a role may call a method, or nothing.
enum class Access { kNo, kOwn, kAllowed };
Access AccessOf(const schema::Method& method, options::Role role);
std::string ShortName(const google::protobuf::MethodDescriptor& method);  // 'Members.GetMember'

std::string Visibility();
std::string Methods();
std::string States();
std::string Events();

// By name: what `contract_print` prints and golden/<name>.txt keeps.
const std::map<std::string, std::function<std::string()>>& Tables();

}  // namespace hub::contract
