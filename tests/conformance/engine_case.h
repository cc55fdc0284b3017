// The engine of a service on a database under test: what density and commands are shown with. The
// service is scheduling, whose requests are told to a partner in part only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/db/conformance.h"
#include "common/journal/engine.h"
#include "coproduction/scheduling/events/v1/requests.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"

namespace hub::db {

using coproduction::scheduling::events::v1::RequestSubmitted;
using coproduction::scheduling::v1::EngagementRequest;
using coproduction::scheduling::v1::GetRequestRequest;

inline constexpr char kForum[] = "forums/warwickshire";
inline constexpr char kWcc[] = "forums/warwickshire/partners/wcc";
inline constexpr char kIcb[] = "forums/warwickshire/partners/icb";

class EngineCase {
 public:
  // An engine with a store of its own on that database. `keys` is the file of the key store.
  EngineCase(const StoreOptions& options, const std::string& keys, int replica = 0);

  using Handler = std::function<Status(Write&)>;
  // As a command of the service itself; without a request_id it gets one of its own.
  std::shared_ptr<journal::Call> Call(const std::string& request_id = "");
  Status Do(const Handler& handler, const std::string& request_id = "");
  // A draft of that partner; its name.
  std::string NewRequest(const std::string& partner = kWcc);
  // Changes the title to one that nothing had, and tells it to the partner too where it is `told`.
  static Handler Change(const std::string& name, bool told);

  Store& store() { return *store_; }
  journal::Engine& engine() { return *engine_; }

 private:
  std::unique_ptr<Store> store_;
  std::unique_ptr<privacy::KeyStore> keys_;
  Clock clock_;
  std::unique_ptr<journal::Engine> engine_;
};

}  // namespace hub::db
