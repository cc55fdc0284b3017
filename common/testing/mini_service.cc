#include "common/testing/mini_service.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace hub::testing {
namespace {

namespace options = ::coproduction::options::v1;

template <class T>
T Must(StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "test set-up: %s\n", MessageOf(value.status()).c_str());
    std::abort();
  }
  return std::move(value).value();
}

const std::map<std::string, std::string>& Organisations() {
  static const std::map<std::string, std::string> organisations = {
      {"https://forum.test", "forums/warwickshire"},
      {"https://wcc.test", "forums/warwickshire/partners/wcc"},
      {"https://stranger.test", "forums/elsewhere"},
      {"https://operator.test", "operator"},
      {"https://national.test", "forums/national"}};
  return organisations;
}

bool PartnerRole(auth::Role role) {
  return role >= options::FACILITATOR && role < options::OPERATOR;
}

}  // namespace

// Answers for the services that are not there.
class MiniService::AnsweringPeers : public Peers {
 public:
  explicit AnsweringPeers(MiniService* mini) : mini_(mini) {}
  Status CallService(const std::string& service, const std::string&, Micros, const Message& request,
                     Message* response) const override {
    auto it = mini_->answers_.find(request.GetDescriptor());
    if (it == mini_->answers_.end()) {
      return Refuse(
          errors::TEMPORARILY_UNAVAILABLE,
          "the test has no answer of " + service + " for " + request.GetDescriptor()->full_name());
    }
    return it->second(request, response);
  }

 private:
  MiniService* mini_;
};

MiniService::MiniService(Module module, db::Engine engine) : module_(std::move(module)) {
  char folder[] = "/tmp/mini_service.XXXXXX";
  folder_ = mkdtemp(folder);
  std::vector<auth::Issuer> issuers;
  for (const auto& [issuer, organisation] : Organisations()) {
    auto& signer = signers_[issuer];
    signer = Must(auth::Signer::Generate("test"));
    issuers.push_back({issuer, organisation, Must(auth::KeySet::FromJwks(signer->Jwks()))});
  }
  inside_ = Must(auth::Signer::Generate("inside"));
  authenticator_ = std::make_unique<auth::Authenticator>(
      std::make_shared<auth::Trust>(std::move(issuers)), inside_);
  authenticator_->SetDirectory(
      [this](const std::string& issuer,
             const std::string& subject) -> StatusOr<std::vector<auth::Grant>> {
        return grants_[issuer + "|" + subject];
      });
  db::StoreOptions keys;
  keys.url = "sqlite:" + folder_ + "/keys.db";
  keys_ = Must(privacy::KeyStore::Open(Must(db::Store::Open(keys)),
                                       privacy::MasterKeys({RandomBytes(privacy::kKeyBytes)})));
  peers_ = std::make_unique<AnsweringPeers>(this);
  options_.database = "sqlite:" + folder_;
  if (engine == db::Engine::kPostgres) {
    // A schema of its own on the process's server.
    options_.database = "postgres:" + Must(MiniPostgres::Shared())->ConnString();
    options_.schema_suffix = "_" + Hex(RandomBytes(6));
  }
  options_.keys = keys_.get();
  options_.clock = &process_.clock;
  options_.authenticator = authenticator_.get();
  options_.peers = peers_.get();
  options_.demo = true;
  for (const char* name : {"services", "forums/warwickshire", "forums/warwickshire/partners/wcc"}) {
    events::Receiver receiver;
    receiver.name = name;
    options_.receivers.push_back(receiver);
  }
  Start();
  ShareAll();
}

void MiniService::ShareAll() {
  Status status = runtime().engine().config().store->WriteAndWait([](db::Conn& conn) -> Status {
    for (const std::string& item : schema::DataItems()) {
      RETURN_IF_ERROR(conn.Exec("INSERT INTO sharing(entry, item, partner, from_on, ends_on) "
                                "VALUES ($1, $2, $3, '', '')",
                                {"forums/warwickshire/sharingEntries/" + item, item,
                                 "forums/warwickshire/partners/wcc"})
                          .status());
    }
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status;
}

MiniService::MiniService(const MiniService* first)
    : module_(first->module_), options_(first->options_) {
  char folder[] = "/tmp/mini_service.XXXXXX";
  folder_ = mkdtemp(folder);
  options_.replica = 1;
  Start();
}

void MiniService::Start() {
  process_.demo = true;
  process_.demo_file = folder_ + "/demo";
  process_.runtimes.push_back(Must(Runtime::Open(module_, options_)));
  BindHubMethods(runtime().door(), process_);
  grpc::ServerBuilder builder;
  runtime().door().Register(&builder);
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  server_ = builder.BuildAndStart();
  channel_ = server_->InProcessChannel(grpc::ChannelArguments());
}

void MiniService::Stop() {
  server_->Shutdown();
  runtime().Drain();
  channel_.reset();
  server_.reset();
  process_.runtimes.clear();
}

void MiniService::Restart() {
  Stop();
  Start();
}

MiniService::~MiniService() {
  Stop();
  keys_.reset();
  std::filesystem::remove_all(folder_);
}

std::string MiniService::Token(auth::Role role, const std::string& person) {
  const bool national = role == options::NATIONAL_READER;
  const std::string issuer = role == options::OPERATOR ? "https://operator.test"
                             : national                ? "https://national.test"
                             : PartnerRole(role)       ? "https://wcc.test"
                                                       : "https://forum.test";
  const std::string subject = options::Role_Name(role) + ":" + person;
  grants_[issuer + "|" + subject] = {
      {role, national ? auth::kNational : "warwickshire", PartnerRole(role) ? "wcc" : "", person}};
  return signers_[issuer]->Sign(issuer, subject, MachineNow(), 600);
}

std::string MiniService::ServiceToken(const std::string& service) {
  return Must(authenticator_->InsideToken(service, auth::ServicePrincipal(service)));
}

std::string MiniService::StrangerToken() {
  grants_["https://stranger.test|chair"] = {{options::CHAIR, "elsewhere", "", ""}};
  return signers_["https://stranger.test"]->Sign("https://stranger.test", "chair", MachineNow(),
                                                 600);
}

Status MiniService::Deliver(const std::string& aggregate, const Message& event) {
  Envelope envelope;
  envelope.id = NewId();
  envelope.type = event.GetDescriptor()->full_name();
  envelope.aggregate = aggregate;
  envelope.version = envelope.sequence = ++delivered_[aggregate];
  envelope.epoch = "1";
  envelope.time = process_.clock.Now();
  return runtime().Apply(envelope, event.SerializeAsString());
}

std::vector<coproduction::hub::v1::Event> MiniService::Events(const std::string& receiver) {
  std::vector<std::pair<int64_t, coproduction::hub::v1::Event>> rows;
  Status status = runtime().ListEvents(receiver, "", 0, 0, 100000, &rows);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<coproduction::hub::v1::Event> events;
  for (auto& [id, event] : rows) events.push_back(std::move(event));
  return events;
}

void MiniService::SetDate(const std::string& date) {
  process_.clock.SetDate(date);
  Status status = runtime().RunDueTimers();
  EXPECT_TRUE(status.ok()) << status;
}

int64_t MiniService::Rows(const std::string& table) {
  int64_t rows = -1;
  Status status = runtime().engine().config().store->ReadAndWait([&](db::Conn& conn) {
    return conn.Query("SELECT COUNT(*) FROM " + table, {}, [&](const db::Row& row) {
      rows = row.Int(0);
      return Status();
    });
  });
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

::testing::AssertionResult Refused(const Status& status, errors::ErrorReason reason,
                                   const std::string& about) {
  const auto info = ErrorInfoOf(status);
  bool named = about.empty();
  for (const auto& [key, value] : info.metadata()) named |= value == about;
  if (!status.ok() && ReasonOf(status) == reason && named) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "status is " << status << ", reason " << info.reason();
}

}  // namespace hub::testing
