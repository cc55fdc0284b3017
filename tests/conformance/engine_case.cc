#include "tests/conformance/engine_case.h"

#include <atomic>
#include <cstdlib>
#include <utility>

#include "common/privacy/seal.h"
#include "services/scheduling/module.h"

namespace hub::db {
namespace {

template <class T>
T Must(StatusOr<T> value) {
  if (!value.ok()) ADD_FAILURE() << value.status();
  if (!value.ok()) std::abort();
  return std::move(value).value();
}

}  // namespace

EngineCase::EngineCase(const StoreOptions& options, const std::string& keys, int replica)
    : store_(Must(Store::Open(options))) {
  StoreOptions keys_options;
  keys_options.url = "sqlite:" + keys;
  keys_ =
      Must(privacy::KeyStore::Open(Must(Store::Open(keys_options)),
                                   privacy::MasterKeys({std::string(privacy::kKeyBytes, 'k')})));
  journal::Engine::Options engine;
  engine.service = "scheduling";
  engine.store = store_.get();
  engine.keys = keys_.get();
  engine.clock = &clock_;
  engine.receivers = {"services", kForum, kWcc, kIcb, "forums/elsewhere"};
  engine.replica = replica;
  engine_ =
      Must(journal::Engine::Open(std::move(engine), scheduling::MakeSchedulingModule().migrations));
  // Both partners have an entry of the sharing agreement.
  const Status shared = store_->WriteAndWait([](Conn& conn) {
    for (const char* partner : {kWcc, kIcb}) {
      conn.Post(
          "INSERT INTO sharing(entry, item, partner, from_on, ends_on) "
          "VALUES ($1, 'hub-work', $1, '', '') ON CONFLICT DO NOTHING",
          {partner});
    }
    return Status();
  });
  EXPECT_TRUE(shared.ok()) << shared;
}

std::shared_ptr<journal::Call> EngineCase::Call(const std::string& request_id) {
  auto call = std::make_shared<journal::Call>();
  call->principal = auth::ServicePrincipal("scheduling");
  call->forum = "warwickshire";
  call->method_name = "test";
  call->request_id = request_id;
  return call;
}

Status EngineCase::Do(const Handler& handler, const std::string& request_id) {
  return engine_->ExecuteAndWait(Call(request_id), handler);
}

std::string EngineCase::NewRequest(const std::string& partner) {
  std::string name;
  Status status = Do([&](Write& write) -> Status {
    EngagementRequest request;
    request.set_partner(partner);
    request.set_title("Short breaks");
    request.set_state(EngagementRequest::DRAFT);
    ASSIGN_OR_RETURN(request, write.Create(std::move(request)));
    name = request.name();
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status;
  return name;
}

EngineCase::Handler EngineCase::Change(const std::string& name, bool told) {
  static std::atomic<int> number{0};
  const std::string title = "Title " + std::to_string(++number);
  return [=](Write& write) -> Status {
    ASSIGN_OR_RETURN(EngagementRequest request, write.Get<EngagementRequest>(name));
    request.set_title(title);
    if (told) write.Emit<RequestSubmitted>(request);
    return write.Put(std::move(request)).status();
  };
}

}  // namespace hub::db
