// Who receives events, over which connection. The file is deployment's business: one entry per
// receiver with the credential of the hub's own publisher in that receiver's NATS account.
// Receivers: 'services' (all services of this installation), 'forums/warwickshire' (the forum's
// platform), 'forums/warwickshire/partners/wcc' (a partner's systems).
#pragma once

#include <string>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"

namespace hub::events {

struct Receiver {
  std::string name;  // 'services', 'forums/warwickshire', 'forums/warwickshire/partners/wcc'
  std::string url;   // nats://127.0.0.1:4222
  std::string user;
  std::string password;
  std::string stream;   // the one stream of this receiver, in its own account
  std::string durable;  // the receiver's one durable consumer; empty for 'services' (one a service)
  bool json = true;     // body as proto JSON (outside), or as protobuf (services)
  // Of a stream that is to be created; one that exists keeps its own, if they are not less.
  int replicas = 1;
  Micros max_age = 30ll * 86400 * 1000000;
  Micros duplicate_window = 120 * 1000000ll;
  bool forum() const { return name != "services" && name.find("/partners/") == std::string::npos; }
  bool partner() const { return name.find("/partners/") != std::string::npos; }
};

// Reads {"receivers": [{"name": ..., "url": ..., "user": ..., "password": ..., "stream": ...,
// "durable": ..., "format": "json" | "protobuf", "replicas": 3, "maxAgeDays": 30}]}; the last three
// may be missing. Says which entry and key is wrong.
StatusOr<std::vector<Receiver>> ReadReceivers(const std::string& path);

}  // namespace hub::events
