#include "common/events/readback.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "common/events/relay.h"

namespace hub::events {
namespace {

constexpr size_t kPage = 1000;  // rows of one query

// The row of an event's id; 0 for ids of other services.
int64_t PayloadOf(const std::string& service, const std::string& id) {
  int64_t payload = 0;
  if (id.size() <= service.size() || id[service.size()] != '.' || !absl::StartsWith(id, service) ||
      !absl::SimpleHexAtoi(id.substr(service.size() + 1), &payload)) {
    return 0;
  }
  return payload;
}

// Acknowledged rows that may be lost, newest first. A store loses its end, never its middle: once
// past the horizon, a row whose message is there answers for all before it.
StatusOr<std::vector<Mark>> RowsToVerify(Connection& connection, db::Store& store,
                                         const std::string& service, const Receiver& receiver,
                                         Micros horizon, const StreamSpan& span) {
  std::vector<Mark> rows;
  int64_t below = std::numeric_limits<int64_t>::max();
  Micros newest = 0, oldest = 0;
  while (true) {
    std::vector<Mark> page;
    RETURN_IF_ERROR(store.ReadAndWait([&](db::Conn& conn) {
      page.clear();
      return conn.Query(
          "SELECT id, stream_seq, sent_at FROM payloads WHERE receiver = $1 "
          "AND stream_seq IS NOT NULL AND stream_seq < $2 ORDER BY stream_seq DESC LIMIT $3",
          {receiver.name, below, static_cast<int64_t>(kPage)}, [&](const db::Row& row) {
            page.push_back({row.Int(0), row.Int(1)});
            oldest = row.Int(2);
            newest = std::max(newest, oldest);
            return Status();
          });
    }));
    rows.insert(rows.end(), page.begin(), page.end());
    if (page.size() < kPage) return rows;
    below = page.back().stream_seq;
    if (oldest >= newest - horizon) continue;
    if (below < span.first) return rows;
    if (below > span.last) continue;
    auto message = MessageAt(connection, receiver.stream, below);
    if (ReasonOf(message.status()) == errors::RESOURCE_NOT_FOUND) continue;
    RETURN_IF_ERROR(message.status());
    if (message->headers["Nats-Msg-Id"] == EventId(service, page.back().id)) return rows;
  }
}

}  // namespace

StatusOr<Difference> ReadBack(Connection& connection, db::Store& store, const std::string& service,
                              const Receiver& receiver, Micros horizon,
                              const std::function<Status()>& go_on) {
  ASSIGN_OR_RETURN(const StreamSpan span, SpanOf(connection, receiver.stream));
  ASSIGN_OR_RETURN(const std::vector<Mark> sent,
                   RowsToVerify(connection, store, service, receiver, horizon, span));
  std::unordered_map<int64_t, int64_t> there;  // payload -> stream sequence of its first copy
  const int64_t from = std::max(span.first, sent.empty() ? 1 : sent.back().stream_seq);
  RETURN_IF_ERROR(ReadIds(connection, receiver.stream, from, span.last,
                          [&](int64_t stream_seq, const std::string& id) {
                            const int64_t payload = PayloadOf(service, id);
                            if (payload != 0) there.emplace(payload, stream_seq);
                            return go_on();
                          }));
  Difference difference;
  for (const Mark& row : sent) {
    if (row.stream_seq < span.first) continue;  // past its age, not lost
    const auto copy = there.find(row.id);
    if (copy == there.end() || copy->second != row.stream_seq) {
      difference.lost.push_back(row);
    } else {
      there.erase(copy);
    }
  }
  for (const auto& [id, stream_seq] : there) difference.found.push_back({id, stream_seq});
  return difference;
}

}  // namespace hub::events
