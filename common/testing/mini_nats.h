// The real nats-server for a test, with JetStream, in a temporary folder and on a free port, with
// the accounts that deploy/nats/make-config.sh makes. It ends with the object, and also when the
// thread that started it dies.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/events/nats.h"
#include "common/events/receivers.h"

namespace hub::testing {

class MiniNats {
 public:
  // An error that says what is missing where nats-server is not installed. A `config` of one's own
  // has {port} and {folder} where these belong; it has no receivers and no tenants.
  static StatusOr<std::unique_ptr<MiniNats>> Start(const std::string& config = "");
  ~MiniNats();
  MiniNats(const MiniNats&) = delete;

  void Stop();      // as an operator does: what it has is on disk
  void Kill();      // kill -9
  Status Resume();  // on the same port, with what is in the folder

  std::string url() const;
  const std::string& folder() const { return folder_; }
  std::string store() const { return folder_ + "/jetstream"; }
  std::string receivers_path() const { return folder_ + "/receivers.json"; }
  events::Receiver receiver(const std::string& name) const;
  const std::vector<events::Receiver>& receivers() const { return receivers_; }
  // How that tenant ('wcc') connects, with its own credential.
  StatusOr<events::Endpoint> Tenant(const std::string& name) const;

 private:
  MiniNats() = default;
  Status Configure(const std::string& config);
  void End(int signal);

  std::string folder_;
  int port_ = 0;
  pid_t server_ = 0;  // 0 while it is down
  std::vector<events::Receiver> receivers_;
};

}  // namespace hub::testing
