// Which rows and which messages of a stream do not know of each other: JetStream acknowledges
// before it fsyncs, and a relay may end between an acknowledgement and its mark.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/db/db.h"
#include "common/events/nats.h"
#include "common/events/receivers.h"

namespace hub::events {

struct Mark {
  int64_t id;          // of the row
  int64_t stream_seq;  // of its message
};
struct Difference {
  std::vector<Mark> lost;   // acknowledged rows whose message is not where it was
  std::vector<Mark> found;  // messages whose row does not say so
};

// Compares the stream with the rows that were acknowledged within the horizon before the last
// acknowledgement, and further back for as long as messages are missing. Changes nothing. `go_on`
// is asked now and then, since this may take long.
StatusOr<Difference> ReadBack(Connection& connection, db::Store& store, const std::string& service,
                              const Receiver& receiver, Micros horizon,
                              const std::function<Status()>& go_on);

}  // namespace hub::events
