// The standard methods that no service writes a handler for, since the schema says all there is to
// say: Get of a record (AIP-131), List (AIP-132), Get and Update of a forum's settings (AIP-156). A
// method of that shape that does more is bound by its service, as any other.
#pragma once

#include <functional>

#include "common/base/status.h"
#include "common/journal/context.h"
#include "common/schema/schema.h"

namespace hub::journal {

struct Standard {
  bool write = false;
  // `context` is a Write where `write` says so. Null: the method is not of a standard shape.
  std::function<Status(Read& context, const Message& in, Message* out)> run;
};
Standard StandardOf(const schema::Method& method);

}  // namespace hub::journal
