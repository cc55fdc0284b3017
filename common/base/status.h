// Errors for the person who reads them. Every refusal of ours is made by Refuse(): its reason
// stands in errors.proto with the gRPC code that goes with it, its message says what was wrong,
// with which value, and what to do. The reason and the field or rule travel in the status to the
// caller.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coproduction/errors/v1/errors.pb.h"

namespace hub {

using absl::Status;
using absl::StatusOr;
namespace errors = ::coproduction::errors::v1;

// `about` is the field (INVALID_FIELD ...), the rule (RULE_REFUSED) or what else the reason names.
Status Refuse(errors::ErrorReason reason, const std::string& message,
              const std::string& about = "");

// The commonest: a field with a value that cannot be. 'field' is its path from the request.
inline Status InvalidField(const std::string& field, const std::string& message) {
  return Refuse(errors::INVALID_FIELD, message, field);
}
// A rule of the domain says no. 'rule' is a stable word in snake_case that programs may test.
inline Status RuleRefused(const std::string& rule, const std::string& message) {
  return Refuse(errors::RULE_REFUSED, message, rule);
}
inline Status Internal(const std::string& message) {
  return Refuse(errors::INTERNAL_FAULT, message);
}

// What Refuse() put into the status; INTERNAL_FAULT for a status that came from elsewhere.
errors::ErrorInfo ErrorInfoOf(const Status& status);
errors::ErrorReason ReasonOf(const Status& status);
std::string MessageOf(const Status& status);

}  // namespace hub

#define HUB_CONCAT_(a, b) a##b
#define HUB_CONCAT(a, b) HUB_CONCAT_(a, b)

#define RETURN_IF_ERROR(expr)                                    \
  do {                                                           \
    ::absl::Status hub_status_from_expr = (expr);                \
    if (!hub_status_from_expr.ok()) return hub_status_from_expr; \
  } while (false)

#define ASSIGN_OR_RETURN(lhs, expr) HUB_ASSIGN_OR_RETURN(HUB_CONCAT(hub_or_, __LINE__), lhs, expr)
#define HUB_ASSIGN_OR_RETURN(tmp, lhs, expr) \
  auto tmp = (expr);                         \
  if (!tmp.ok()) return tmp.status();        \
  lhs = std::move(tmp).value()
