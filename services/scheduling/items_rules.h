// How a request becomes an item of a session, and when it was presented.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

// The item with what its request says, after the items that stand on the agenda and with the
// minutes wanted, where `wanted` does not say otherwise.
v1::Item ItemOf(const v1::EngagementRequest& request, const std::vector<v1::Item>& planned,
                v1::Item wanted);

// Only an accepted request, on a session that is still open and has an agenda, within its minutes.
// `free_minutes`: what the other items leave. [seed: over-subscription, sessions that overrun]
Status MayBePlaced(const v1::Item& item, const v1::EngagementRequest& request,
                   const v1::Session& session, int64_t free_minutes);

// What a request is by its items: SCHEDULED while one is planned, else PRESENTED if one was, else
// ACCEPTED, waiting for a session. One that was withdrawn stays so.
v1::EngagementRequest::State StateBy(const v1::EngagementRequest& request,
                                     const std::vector<v1::Item>& items);

// On the session's day or later; in a hub session only from an agenda that both sides agreed.
Status MayBePresented(const v1::Session& session, const std::string& today);

}  // namespace hub::scheduling
