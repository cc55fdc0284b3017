#include "common/rpc/door.h"

#include <chrono>
#include <cstdio>

#include "common/fault/failpoint.h"
#include "common/journal/standard.h"
#include "common/rpc/gate.h"
#include "common/rpc/limits.h"
#include "common/rpc/peers.h"
#include "common/rpc/wire.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/server_builder.h"

namespace hub {
namespace {

namespace options = ::coproduction::options::v1;

// How long it may take to cancel a reservation, whatever is left of the call's own time.
constexpr Micros kUndoWithin = 5 * 1000000ll;
// How often the others are asked where events overtake their answers.
constexpr int kMostAsks = 5;
// Marks the end of a command whose answers were overtaken.
constexpr char kOvertaken[] = "coproduction-hub/overtaken";

// Calls `each` for every name of a record in a request.
void EachName(const Message& message, const std::function<void(const std::string&)>& each) {
  const auto* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    const bool named = field->name() == "name" || !schema::FieldOption(field).reference().empty();
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (schema::IsClassifiedMessage(field)) {
        EachName(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                      : reflection->GetMessage(message, field),
                 each);
      } else if (named && field->type() == google::protobuf::FieldDescriptor::TYPE_STRING) {
        each(field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                  : reflection->GetString(message, field));
      }
    }
  }
}

using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

}  // namespace

// The grpc::Service of one proto service. Bytes come in, so that this file alone knows gRPC's
// headers; they are parsed just as generated code would.
class Door::Service : public grpc::Service {
 public:
  void Add(const schema::Method* method, Handler* handler) {
    AddMethod(new grpc::internal::RpcServiceMethod(method->path.c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodCallback(bound_++, handler);
  }

 private:
  int bound_ = 0;
};

// One call from its entry to its answer.
struct Flight : public Ask, public std::enable_shared_from_this<Flight> {
  Flight(Door* door, const Door::Entry& entry, grpc::CallbackServerContext* context,
         grpc::ByteBuffer* out, grpc::ServerUnaryReactor* reactor)
      : door(door), entry(entry), context(context), out(out), reactor(reactor) {
    auto* factory = google::protobuf::MessageFactory::generated_factory();
    request.reset(factory->GetPrototype(entry.method->descriptor->input_type())->New());
    response.reset(factory->GetPrototype(entry.method->descriptor->output_type())->New());
  }
  ~Flight() override {
    if (inside) door->options_.gate->Leave();
  }

  Door* door;
  const Door::Entry& entry;
  grpc::CallbackServerContext* context;
  grpc::ByteBuffer* out;
  grpc::ServerUnaryReactor* reactor;
  std::unique_ptr<Message> request, response;
  std::string token;
  std::shared_ptr<journal::Call> call = std::make_shared<journal::Call>();
  std::shared_ptr<const void> word;
  std::vector<std::function<void(Ask&)>> undo;
  bool inside = false;                   // the gate
  bool counted = false;                  // among the caller's calls under way
  std::map<std::string, int64_t> stood;  // before the others were asked: by record, the last event
  int asks = 0;

  // --- gRPC's thread: nothing here waits.
  void Enter(const grpc::ByteBuffer* in) {
    if (auto* gate = door->options_.gate; gate != nullptr) {
      inside = gate->Enter() || (FromOwnProcess() && gate->Enter(true));
      if (!inside) {
        return Finish(Refuse(errors::TEMPORARILY_UNAVAILABLE,
                             "this process is about to stop; try again, and another answers"));
      }
    }
    const Limits& limits = *door->options_.limits;
    if (Status fits = limits.CheckSize(in->Length()); !fits.ok()) return Finish(fits);
    auto deadline = std::chrono::duration_cast<std::chrono::microseconds>(
                        context->deadline().time_since_epoch())
                        .count();
    call->deadline = limits.Deadline(deadline);
    auto header = context->client_metadata().find("authorization");
    if (header != context->client_metadata().end()) {
      token.assign(header->second.data(), header->second.size());
    }
    if (token.rfind("Bearer ", 0) != 0) {
      return Finish(Refuse(errors::UNAUTHENTICATED,
                           "the call carries no token; send the header 'authorization: Bearer "
                           "<token>'"));
    }
    token.erase(0, 7);
    grpc::ByteBuffer copy(*in);
    if (!FromBuffer(&copy, request.get())) {
      return Finish(InvalidField(
          "", "the request cannot be read as " + request->GetDescriptor()->full_name()));
    }
    if (auto known = door->options_.authenticator->Known(token)) return Proceed(*known);
    Elsewhere([self = shared_from_this()] {
      auto principal = self->door->options_.authenticator->Verify(self->token);
      if (!principal.ok()) return self->Finish(principal.status());
      self->Proceed(**principal);
    });
  }

  void Elsewhere(std::function<void()> work) {
    if (!door->options_.executor->Run(std::move(work))) {
      Finish(Refuse(errors::TEMPORARILY_UNAVAILABLE,
                    "the hub has more to do than it can take now; try again"));
    }
  }

  // A connection from outside has a kind of security, if only 'insecure'.
  bool FromOwnProcess() const {
    return context->auth_context()
        ->FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME)
        .empty();
  }

  // Those outside are counted. A service's token counts for nothing in other hands than its own.
  Status Admit() {
    const std::string& service = call->principal.service;
    if (service.empty()) {
      RETURN_IF_ERROR(door->options_.limits->Enter(call->principal.key()));
      counted = true;
      return Status();
    }
    if (!door->options_.certificates || FromOwnProcess()) return Status();
    for (const auto& name :
         context->auth_context()->FindPropertyValues(GRPC_X509_SAN_PROPERTY_NAME)) {
      if (service == std::string(name.data(), name.size())) return Status();
    }
    return Refuse(errors::UNAUTHENTICATED,
                  "a service's token counts only with the certificate of that service");
  }

  void Proceed(const auth::Principal& principal) {
    const auto& option = *entry.method->option;
    if (option.demo_only() && !door->options_.demo) {
      return Finish(Refuse(errors::DEMO_ONLY,
                           "this is only for a demonstration's state, which this hub's is not"));
    }
    call->principal = principal;
    if (Status admitted = Admit(); !admitted.ok()) return Finish(admitted);
    call->method_name = entry.method->descriptor->full_name();
    call->named = schema::TextOf(*request, "name");
    if (call->named.empty()) call->named = schema::TextOf(*request, "parent");
    auto forum = schema::ForumOfRequest(*request);
    // A name that cannot be read is of no forum: the caller's own judges the role, then the verdict
    // below says what is wrong with it.
    call->forum = forum.ok() ? *forum : principal.grants.empty() ? "" : principal.grants[0].forum;
    // The role comes before the fields: who may not call learns nothing of them.
    if (Status allowed = CheckRole(); !allowed.ok()) return Finish(allowed);
    call->verdict = forum.ok() ? CheckName() : forum.status();
    if (call->verdict.ok()) call->verdict = schema::Validate(request.get(), call->forum);
    call->method = entry.method;
    call->own = entry.own;
    call->request_id = schema::TextOf(*request, "request_id");
    call->body = request->SerializeAsString();
    call->response = response.get();
    if (const auto* field = request->GetDescriptor()->FindFieldByName("validate_only")) {
      call->validate_only = request->GetReflection()->GetBool(*request, field);
    }
    if (entry.ask) {
      Elsewhere([self = shared_from_this()] { self->AskFirst(); });
    } else {
      Run();
    }
  }

  // The settings of a forum are found by the forum alone, so their name is judged here.
  Status CheckName() {
    const auto* own = entry.own ? schema::FindResource(entry.own) : nullptr;
    const auto* field = request->GetDescriptor()->FindFieldByName("name");
    std::string forum, id;
    if (own == nullptr || !own->singleton || field == nullptr ||
        schema::ParseName(*own, schema::TextOf(*request, "name"), &forum, &id)) {
      return Status();
    }
    return InvalidField("name", "name is '" + schema::TextOf(*request, "name") +
                                    "', which is not of the form " + own->option->pattern());
  }

  Status CheckRole() {
    auto& caller = call->principal;
    bool by_service = false;
    for (const auto& policy : entry.method->option->policy()) {
      for (int role : policy.roles()) {
        if (role == options::SERVICE) {
          by_service = !caller.service.empty();
        } else if (caller.Has(static_cast<options::Role>(role), call->forum)) {
          return Status();
        }
      }
    }
    if (!by_service) {
      return Refuse(errors::ROLE_NOT_ALLOWED,
                    "your roles in this forum do not include " + entry.method->descriptor->name());
    }
    // A method for services: its answer is for the service, not for the person it acts for.
    caller.side = options::HUB;
    caller.grants.push_back({options::SERVICE, "*", "", ""});
    return Status();
  }

  // --- the module's executor: this may wait.
  void AskFirst() {
    // A resend is answered from what is stored; asking again could reserve twice.
    Status checked = Snapshot([this](Read& read) -> Status {
      if (entry.write && !call->request_id.empty()) {
        ASSIGN_OR_RETURN(int64_t seq, read.Number("SELECT seq FROM keys WHERE source = $1 AND "
                                                  "principal = $2 AND request_id = $3",
                                                  {int64_t{journal::kCall}, call->principal.key(),
                                                   call->request_id}));
        done_before = seq != 0;
      }
      if (done_before) return Status();
      RETURN_IF_ERROR(call->verdict);
      stood.clear();
      Status status;
      EachName(*request, [&](const std::string& name) {
        if (!entry.write || !status.ok() || !door->options_.follows(name)) return;
        auto last = read.Number("SELECT n FROM positions WHERE aggregate = $1", {name});
        status = last.status();
        if (last.ok()) stood[name] = *last;
      });
      RETURN_IF_ERROR(status);
      const auto* resource = schema::ResourceOfName(schema::TextOf(*request, "name"));
      // A name of another service's is no record of ours; the Ask says what is wrong with it.
      if (resource == nullptr || resource->service != door->options_.engine->config().service) {
        return Status();
      }
      std::unique_ptr<Message> record(google::protobuf::MessageFactory::generated_factory()
                                          ->GetPrototype(resource->type)
                                          ->New());
      return Precheck(read, record.get());
    });
    if (!checked.ok()) return Finish(checked);
    if (!done_before) {
      auto answer = entry.ask(*this, *request);
      if (!answer.ok()) {
        Undo();
        return Finish(answer.status());
      }
      word = *answer;
      if (entry.write) FAILPOINT("asked");
    }
    Run();
  }

  // Holds up the events of the records that the call names until the command ends, and whoever
  // consumes them then finds what it did.
  Status NotOvertaken(Read& read) {
    for (const auto& [name, before] : stood) {
      bool found = false;
      int64_t last = 0;
      RETURN_IF_ERROR(read.sql().Query(
          std::string("SELECT n FROM positions WHERE aggregate = $1") + db::ForUpdate(read.sql()),
          {name}, [&](const db::Row& row) {
            found = true;
            last = row.Int(0);
            return Status();
          }));
      if (!found) {
        ASSIGN_OR_RETURN(int64_t rows, read.sql().Exec("INSERT INTO positions(aggregate, n, epoch) "
                                                       "VALUES ($1, 0, '') ON CONFLICT DO NOTHING",
                                                       {name}));
        if (rows == 0) last = -1;  // its first event came at this moment
      }
      if (last == before) continue;
      Status overtaken = Refuse(errors::TEMPORARILY_UNAVAILABLE,
                                "'" + name + "' changed while others were asked; try again");
      overtaken.SetPayload(kOvertaken, absl::Cord());
      return overtaken;
    }
    return Status();
  }

  Status Precheck(Read& read, Message* record) {
    struct Checker : Read {
      Status Check(const std::string& name, const std::string& etag, Message* record) {
        return Load(name, etag, false, record);
      }
    };
    return static_cast<Checker&>(read).Check(schema::TextOf(*request, "name"),
                                             schema::TextOf(*request, "etag"), record);
  }

  void Run() {
    auto self = shared_from_this();
    auto run = [self](Read& context) -> Status {
      RETURN_IF_ERROR(self->NotOvertaken(context));
      return self->entry.run(context, *self->request, self->word.get(), self->response.get());
    };
    auto done = [self](Status status) {
      if (status.GetPayload(kOvertaken) && ++self->asks < kMostAsks) {
        return self->Elsewhere([self] { self->AskFirst(); });
      }
      if (!status.ok() && !self->undo.empty()) {
        // Only the executor may wait; a full one leaves the reservation to its expiry.
        self->door->options_.executor->Run([self] { self->Undo(); });
      }
      self->Finish(status);
    };
    if (entry.write) {
      door->options_.engine->Execute(call, run, done);
    } else {
      door->options_.engine->Query(call, run, done);
    }
  }

  void Undo() {
    call->deadline = std::max(call->deadline, MachineNow() + kUndoWithin);
    for (auto& step : undo) step(*this);
    undo.clear();
  }

  // Refusals, and reads of personal data that the schema marks, go to the access log first; a read
  // that cannot be kept there is not answered.
  void Finish(const Status& status) {
    const auto reason = ReasonOf(status);
    const bool logged = status.ok() ? entry.method->option->read_logged() && !entry.write
                                    : reason == errors::ROLE_NOT_ALLOWED ||
                                          reason == errors::RESOURCE_NOT_FOUND ||
                                          reason == errors::FIELD_NOT_YOURS;
    const bool crossed = status.ok() && !entry.write && !call->crossed.empty();
    if (!(logged || crossed) || call->principal.issuer.empty() ||
        entry.method->option->anonymous()) {
      return Leave(status);
    }
    if (!crossed) call->crossed.clear();
    door->options_.engine->LogAccess(*call,
                                     !logged       ? ""
                                     : status.ok() ? "OK"
                                                   : errors::ErrorReason_Name(reason),
                                     [self = shared_from_this(), status](const Status& kept) {
                                       self->Leave(status.ok() ? kept : status);
                                     });
  }

  void Leave(const Status& status) {
    if (status.ok()) *out = ToBuffer(*response);
    if (ReasonOf(status) == errors::INTERNAL_FAULT && !status.ok()) {
      std::fprintf(stderr, "fault in %s: %s\n", entry.method->path.c_str(),
                   MessageOf(status).c_str());
    }
    if (counted) door->options_.limits->Leave(call->principal.key());
    reactor->Finish(ToWire(status));
  }

  // --- Ask
  const auth::Principal& principal() const override { return call->principal; }
  const std::string& forum() const override { return call->forum; }
  Micros now() const override { return door->options_.engine->Now(); }
  std::string today() const override { return LondonDate(now()); }
  void IfItFails(std::function<void(Ask&)> step) override { undo.push_back(std::move(step)); }
  Status Snapshot(const std::function<Status(Read&)>& read) override {
    auto* engine = door->options_.engine;
    return engine->config().store->ReadAndWait([&](db::Conn& conn) {
      Command command{engine, call.get(), &conn, engine->Now(), {}};
      Read context(&command);
      return read(context);
    });
  }
  Status Send(const Message& message, Message* answer) override {
    ASSIGN_OR_RETURN(std::string inside,
                     door->options_.authenticator->InsideToken(
                         door->options_.engine->config().service, call->principal));
    return door->options_.peers->Call(inside, call->deadline, message, answer);
  }

  bool done_before = false;
};

Door::Door(Options options) : options_(options) {
  if (options_.limits == nullptr) {
    own_limits_ = std::make_unique<Limits>();
    options_.limits = own_limits_.get();
  }
}
Door::~Door() = default;

Door::Entry* Door::Declare(const char* service, const char* method,
                           const google::protobuf::Descriptor* request,
                           const google::protobuf::Descriptor* response, bool write) {
  const std::string name = std::string(service) + "." + method;
  const schema::Method* found = schema::FindMethod(name);
  if (found == nullptr || found->descriptor->input_type() != request ||
      found->descriptor->output_type() != response) {
    std::fprintf(stderr, "%s: the handler does not fit the schema\n", name.c_str());
    std::abort();  // a mistake in a Bind line, found by the first start
  }
  auto& entry = entries_[name];
  entry = std::make_unique<Entry>();
  entry->method = found;
  entry->write = write;
  entry->own = schema::FindResource(response) != nullptr ? response : nullptr;
  auto& grpc_service = services_[service];
  if (grpc_service == nullptr) grpc_service = std::make_unique<Service>();
  Entry* stored = entry.get();
  grpc_service->Add(found,
                    new Handler([this, stored](grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* in, grpc::ByteBuffer* out) {
                      auto* reactor = context->DefaultReactor();
                      std::make_shared<Flight>(this, *stored, context, out, reactor)->Enter(in);
                      return reactor;
                    }));
  return stored;
}

std::vector<std::string> Door::BindStandard(const std::string& service) {
  std::vector<std::string> missing;
  for (const auto* method : schema::Methods()) {
    const std::string& name = method->descriptor->full_name();
    if (method->service != service || entries_.count(name) > 0) continue;
    journal::Standard standard = journal::StandardOf(*method);
    if (standard.run == nullptr) {
      missing.push_back(name);
      continue;
    }
    Entry* entry = Declare(method->descriptor->service()->full_name().c_str(),
                           method->descriptor->name().c_str(), method->descriptor->input_type(),
                           method->descriptor->output_type(), standard.write);
    entry->run = [run = standard.run](Read& context, const Message& in, const void*, Message* out) {
      return run(context, in, out);
    };
  }
  return missing;
}

void Door::Register(grpc::ServerBuilder* builder) {
  for (auto& [name, service] : services_) builder->RegisterService(service.get());
}

}  // namespace hub
