// What other handlers ask of and do to items.
#pragma once

#include <string>
#include <vector>

#include "common/journal/context.h"
#include "coproduction/scheduling/v1/items.pb.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

// The items on the agenda of a session, planned or presented, in order.
StatusOr<std::vector<v1::Item>> ItemsOf(Read& read, const std::string& session);

// Takes a planned item off its agenda: its places end, the session's agenda needs both sides again,
// the request waits for another session.
StatusOr<v1::Item> Drop(Write& write, v1::Item item);

}  // namespace hub::scheduling
