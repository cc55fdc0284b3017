#include "common/journal/engine.h"

#include <condition_variable>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/id.h"
#include "common/base/words.h"
#include "common/journal/sharing.h"
#include "common/journal/tables.h"
#include "common/privacy/seal.h"
#include "coproduction/hub/events/v1/events.pb.h"

namespace hub::journal {

namespace options = ::coproduction::options::v1;
namespace {

constexpr size_t kSaltBytes = 16;
// Ends the transaction of a call that was only to be checked (AIP-163): all is undone, the answer
// stands.
constexpr char kOnlyChecked[] = "coproduction-hub/only-checked";

class SubjectSealer : public db::Sealer {
 public:
  explicit SubjectSealer(privacy::KeyStore* keys) : keys_(keys) {}
  StatusOr<std::string> Seal(const std::string& service, const std::string& person,
                             const std::string& plain, const std::string& bound_to) override {
    ASSIGN_OR_RETURN(std::string key, keys_->SubjectKey(service, person));
    return privacy::Seal(key, plain, bound_to);
  }
  StatusOr<std::string> Open(const std::string& service, const std::string& person,
                             const std::string& sealed, const std::string& bound_to) override {
    ASSIGN_OR_RETURN(std::string key, keys_->SubjectKey(service, person));
    return privacy::Open(key, sealed, bound_to);
  }

 private:
  privacy::KeyStore* keys_;
};

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

std::string ReceiverOfForum(const std::string& forum) { return "forums/" + forum; }

// What a constraint refused, by the fields of the schema. The database's own text names tables, and
// what is stored under the same key may be none of the caller's business: neither is told.
Status InWords(const std::string& service, const Status& status) {
  const auto columns = status.GetPayload(db::kConstraint);
  if (!columns.has_value()) return status;
  if (ReasonOf(status) != errors::RESOURCE_EXISTS) {
    return Refuse(
        errors::CONFLICT,
        "this does not fit what is stored: something that it names is not there, or not as "
        "it has to be; read it again, then decide again");
  }
  const std::vector<std::string> parts =
      absl::StrSplit(std::string(*columns), ", ", absl::SkipEmpty());
  const std::string table = parts.empty() ? "" : parts[0].substr(0, parts[0].find('.'));
  for (const auto* resource : schema::Resources(service)) {
    if (resource->option->table() != table) continue;
    std::vector<std::string> fields;
    for (const auto& part : parts) {
      const std::string column = part.substr(part.find('.') + 1);
      if (column == "id") fields.emplace_back("id");
      for (const auto& stored : resource->columns) {
        if (stored.name == column) fields.push_back(stored.field->name());
      }
    }
    const std::string type = Words(resource->type->name());
    return Refuse(errors::RESOURCE_EXISTS,
                  "there is already one " + type + " with this " + absl::StrJoin(fields, " and ") +
                      ", and there can be no second; give another " +
                      (fields.size() > 1 ? "for one of them" : "one") + ", or use the one there is",
                  resource->collection);
  }
  return Refuse(errors::RESOURCE_EXISTS,
                "something is already there that there can be only one of; read it again");
}

bool Holds(const options::Event& event, options::Audience audience) {
  for (int entry : event.audiences()) {
    if (entry == audience) return true;
  }
  return false;
}

}  // namespace

Engine::Engine(Options options)
    : options_(std::move(options)), sealer_(std::make_unique<SubjectSealer>(options_.keys)) {}

StatusOr<std::unique_ptr<Engine>> Engine::Open(Options options,
                                               const std::vector<db::Migration>& migrations) {
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  db::Store& store = *engine->options_.store;
  RETURN_IF_ERROR(store.Migrate({{1, "0001_engine.sql", kTables},
                                 {2, "0002_audit.sql", kAuditTables},
                                 {3, "0003_dead_letters.sql", kDeadLetterTables},
                                 {4, "0004_anonymous.sql", kAnonymousTables},
                                 {5, "0005_sharing.sql", kSharingTables},
                                 {6, "0006_erasures.sql", kErasureTables}},
                                "engine_migrations"));
  RETURN_IF_ERROR(store.Migrate(migrations));
  RETURN_IF_ERROR(engine->options_.store->ReadAndWait([&](db::Conn& conn) -> Status {
    for (const auto* resource : schema::Resources(engine->options_.service)) {
      RETURN_IF_ERROR(db::CheckTable(conn, *resource));
    }
    // Those of anonymous methods may be ahead.
    return conn.Query("SELECT seq FROM journal WHERE principal <> '' ORDER BY seq DESC LIMIT 1", {},
                      [&](const db::Row& row) {
                        engine->last_seq_ = row.Int(0);
                        return Status();
                      });
  }));
  return engine;
}

int64_t Engine::NextSeq(bool anonymous) {
  Micros now = MachineNow();
  if (anonymous) {
    // Drawn over the whole day, so that not even its latest moment is told.
    uint64_t random = 0;
    for (char c : RandomBytes(8)) random = random << 8 | static_cast<unsigned char>(c);
    now = now - now % kDay + static_cast<Micros>(random % static_cast<uint64_t>(kDay));
    return now << kReplicaBits | options_.replica;
  }
  int64_t wanted = now << kReplicaBits | options_.replica;
  int64_t last = last_seq_.load();
  int64_t next;
  do {
    next =
        wanted > last ? wanted : (((last >> kReplicaBits) + 1) << kReplicaBits | options_.replica);
  } while (!last_seq_.compare_exchange_weak(last, next));
  return next;
}

StatusOr<std::string> Engine::KeyOfDay(Micros machine_time) {
  return options_.keys->DayKey(options_.service, LondonDate(machine_time));
}

void Engine::Execute(std::shared_ptr<Call> call, std::function<Status(Write&)> handler,
                     std::function<void(Status)> done) {
  Micros deadline = call->deadline;
  options_.store->Write(
      [this, call, handler = std::move(handler)](db::Conn& conn) {
        return Run(*call, handler, conn);
      },
      deadline,
      [this, done = std::move(done)](const Status& status) {
        if (status.ok()) wake();
        done(status.GetPayload(kOnlyChecked) ? Status() : InWords(options_.service, status));
      });
}

Status Engine::ExecuteAndWait(std::shared_ptr<Call> call, std::function<Status(Write&)> handler) {
  std::mutex mutex;
  std::condition_variable ready;
  bool finished = false;
  Status result;
  Execute(std::move(call), std::move(handler), [&](Status status) {
    std::lock_guard<std::mutex> lock(mutex);
    result = std::move(status);
    finished = true;
    ready.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  ready.wait(lock, [&] { return finished; });
  return result;
}

void Engine::Query(std::shared_ptr<Call> call, std::function<Status(Read&)> handler,
                   std::function<void(Status)> done) {
  options_.store->Read(
      [this, call, handler = std::move(handler)](db::Conn& conn) -> Status {
        RETURN_IF_ERROR(call->verdict);
        Command command{this, call.get(), &conn, Now(), {}};
        Read read(&command);
        if (call->response) call->response->Clear();
        RETURN_IF_ERROR(handler(read));
        return Finish(command);
      },
      call->deadline, std::move(done));
}

Status Engine::Run(Call& call, const std::function<Status(Write&)>& handler, db::Conn& conn) {
  const int64_t seq = NextSeq(call.anonymous());
  std::string hash;
  ASSIGN_OR_RETURN(bool claimed, Claim(call, conn, seq, &hash));
  if (!claimed) return Replay(call, conn);
  RETURN_IF_ERROR(call.verdict);
  call.crossed.clear();
  Command command{this, &call, &conn, call.now != 0 ? call.now : Now(), {}};
  Write write(&command);
  if (call.response) call.response->Clear();
  RETURN_IF_ERROR(handler(write));
  RETURN_IF_ERROR(Finish(command));
  RETURN_IF_ERROR(WriteRows(call, command, seq));
  if (!call.validate_only) return Status();
  Status undo = Internal("only to be checked");
  undo.SetPayload(kOnlyChecked, absl::Cord());
  return undo;
}

StatusOr<bool> Engine::Claim(Call& call, db::Conn& conn, int64_t seq, std::string* hash) {
  // Of the day that its sequence says, by which a resend finds the key: a sequence may be ahead of
  // a clock that went back.
  ASSIGN_OR_RETURN(std::string key, KeyOfDay(seq >> kReplicaBits));
  // What is anonymous leaves nothing that a guess of its content could be held against.
  *hash = call.anonymous() ? "" : privacy::Hmac(key, call.method_name + "\n" + call.body);
  if (call.request_id.empty()) call.request_id = NewRandomId();
  ASSIGN_OR_RETURN(int64_t rows,
                   conn.Exec("INSERT INTO keys(source, principal, request_id, hash, seq) "
                             "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                             {int64_t{call.source}, call.anonymous() ? "" : call.principal.key(),
                              call.request_id, db::Bytes{*hash}, call.anonymous() ? 0 : seq}));
  return rows == 1;
}

Status Engine::Replay(Call& call, db::Conn& conn) {
  int64_t seq = 0;
  std::string hash, sealed, resource;
  RETURN_IF_ERROR(conn.Query(
      "SELECT hash, seq FROM keys WHERE source = $1 AND principal = $2 AND request_id = $3",
      {int64_t{call.source}, call.anonymous() ? "" : call.principal.key(), call.request_id},
      [&](const db::Row& row) {
        hash = std::string(row.Blob(0));
        seq = row.Int(1);
        return Status();
      }));
  if (call.response == nullptr) return Status();  // an event or a timer: it was done
  RETURN_IF_ERROR(
      conn.Query("SELECT resource FROM journal WHERE seq = $1", {seq}, [&](const db::Row& row) {
        resource = std::string(row.Text(0));
        return Status();
      }));
  const Status done = Refuse(errors::ALREADY_DONE,
                             "this request_id was done before; its answer is no longer kept" +
                                 (resource.empty() ? "" : ", the record is " + resource),
                             resource);
  if (call.anonymous()) {
    return Refuse(errors::ALREADY_DONE,
                  "this token was used before; what was said with "
                  "it was taken, and nothing more is kept of it");
  }
  auto key = KeyOfDay(seq >> kReplicaBits);
  if (!key.ok()) return done;
  if (privacy::Hmac(*key, call.method_name + "\n" + call.body) != hash) {
    return Refuse(errors::REQUEST_ID_REUSED,
                  "request_id '" + call.request_id +
                      "' was used for another call; take a new one for each new call",
                  "request_id");
  }
  RETURN_IF_ERROR(conn.Query("SELECT body FROM payloads WHERE id = $1", {seq * kPartsPerCommand},
                             [&](const db::Row& row) {
                               sealed = std::string(row.Blob(0));
                               return Status();
                             }));
  if (sealed.empty()) return done;
  ASSIGN_OR_RETURN(std::string plain,
                   privacy::Open(*key, sealed, "payloads|" + std::to_string(seq)));
  if (!call.response->ParseFromString(plain.substr(kSaltBytes))) {
    return Internal("a stored answer cannot be read");
  }
  if (call.principal.side != options::PARTNER) return Status();
  // What was shared then may not be now.
  Command command{this, &call, &conn, Now(), {}};
  RETURN_IF_ERROR(Redact(command));
  return InsertCrossings(conn, call.crossed);
}

// Computed fields, then redaction: the answer as it leaves.
Status Engine::Finish(Command& command) {
  Call& call = *command.call;
  Read read(&command);
  if (call.response == nullptr) return Status();
  std::function<Status(Message*)> fill = [&](Message* message) -> Status {
    auto hook = computed.find(message->GetDescriptor());
    if (hook != computed.end()) RETURN_IF_ERROR(hook->second(read, message));
    const auto* reflection = message->GetReflection();
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    reflection->ListFields(*message, &fields);
    for (const auto* field : fields) {
      if (!schema::IsClassifiedMessage(field)) continue;
      if (field->is_repeated()) {
        for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
          RETURN_IF_ERROR(fill(reflection->MutableRepeatedMessage(message, field, i)));
        }
      } else {
        RETURN_IF_ERROR(fill(reflection->MutableMessage(message, field)));
      }
    }
    return Status();
  };
  RETURN_IF_ERROR(fill(call.response));
  return Redact(command);
}

Status Engine::Redact(Command& command) {
  Call& call = *command.call;
  Read read(&command);
  ASSIGN_OR_RETURN(const privacy::Viewer* viewer, command.Viewer());
  privacy::Crossed crossed;
  privacy::Redact(
      call.response, *viewer,
      [&](const Message& record) {
        auto hook = attends.find(record.GetDescriptor());
        return hook != attends.end() && hook->second(read, record);
      },
      &crossed);
  call.crossed.clear();
  if (!call.principal.service.empty()) return Status();  // the service that asks answers for it
  for (const auto& [item, person] : crossed) {
    call.crossed.push_back({NextSeq(false), read.now(),
                            ReceiverOfForum(call.forum) + "/partners/" + viewer->partner,
                            viewer->shares.at(item), item, person, call.method_name, call.named,
                            call.principal.key()});
  }
  return Status();
}

Status Engine::WriteRows(Call& call, Command& command, int64_t seq) {
  const Micros at = call.anonymous() ? command.now - command.now % kDay : command.now;
  // What somebody anonymous did is told in one batch with all else of its day.
  const Micros held_until = call.anonymous() ? at + kDay : 0;
  const int64_t told = call.anonymous() ? NextSeq(true) : seq;  // its events lead to no other row
  std::vector<Payload> payloads;
  std::vector<Crossing>& crossings = call.crossed;
  int64_t part = 1;

  std::string salt = RandomBytes(kSaltBytes), answer;
  if (call.response != nullptr && !call.anonymous()) {
    answer = call.response->SerializeAsString();
    ASSIGN_OR_RETURN(std::string key, KeyOfDay(seq >> kReplicaBits));
    payloads.push_back({seq * kPartsPerCommand, "", "", "", 0, 0, at, "",
                        privacy::Seal(key, salt + answer, "payloads|" + std::to_string(seq))});
  }

  std::string resource;
  int64_t version = 0;
  for (auto& touched : command.touched) {
    if (touched->after == nullptr) {
      if (touched->event) return Internal("an event of " + touched->name + " without its change");
      continue;
    }
    if (touched->paths.empty() && touched->before != nullptr && touched->event == nullptr) {
      continue;  // nothing changed, and nothing is told
    }
    const int64_t now_version = schema::VersionOf(*touched->after);
    if (resource.empty()) resource = touched->name, version = now_version;
    coproduction::hub::events::v1::ResourceChanged changed;
    changed.set_type(touched->resource->type->full_name());
    changed.set_resource(touched->name);
    const std::string paths = Joined(touched->paths);
    for (const auto& receiver : options_.receivers) {
      // A named event where the audience is shown it; else, who gets every change gets that
      // something changed. What is sealed is told to nobody outside.
      const Message* event = touched->event.get();
      const options::Event* option =
          event ? &event->GetDescriptor()->options().GetExtension(options::event) : nullptr;
      int64_t n = now_version;
      privacy::Shares shares;
      options::Audience audience;
      if (receiver == "services") {
        audience = options::TO_SERVICES;
      } else if (receiver == ReceiverOfForum(touched->forum)) {
        audience = options::TO_FORUM;
        if (touched->resource->sealed()) continue;
      } else {
        audience = options::TO_PARTNER;
        if (event == nullptr || !Holds(*option, audience)) continue;
        if (receiver.rfind(ReceiverOfForum(touched->forum) + "/partners/", 0) != 0) continue;
        const std::string& field = touched->resource->option->partner();
        if (!field.empty() && schema::TextOf(*touched->after, field) != receiver) continue;
        ASSIGN_OR_RETURN(shares, SharesOf(*command.conn, receiver, LondonDate(command.now)));
        if (const auto& item = schema::DataItemOf(event->GetDescriptor()); !item.empty()) {
          auto share = shares.find(item);
          if (share == shares.end()) continue;
          crossings.push_back({NextSeq(call.anonymous()), at, receiver, share->second, item, "",
                               event->GetDescriptor()->full_name(), touched->name, receiver});
        }
        RETURN_IF_ERROR(command.conn->Query(
            "INSERT INTO counters(receiver, aggregate, n) VALUES ($1, $2, 1) "
            "ON CONFLICT (receiver, aggregate) DO UPDATE SET n = counters.n + 1 RETURNING n",
            {receiver, touched->name}, [&](const db::Row& row) {
              n = row.Int(0);
              return Status();
            }));
      }
      if (event == nullptr || !Holds(*option, audience)) event = &changed;
      if (part == kPartsPerCommand) return Internal("one command changes too many records");
      // Not even the names of changed fields go to a partner: they tell of what it may not see.
      payloads.push_back({told * kPartsPerCommand + part++, receiver, touched->name,
                          event->GetDescriptor()->full_name(),
                          audience == options::TO_PARTNER ? n : now_version, n, at,
                          audience == options::TO_PARTNER ? "" : paths,
                          privacy::Project(*event, audience, shares), held_until});
    }
  }

  RETURN_IF_ERROR(InsertPayloads(*command.conn, payloads));
  RETURN_IF_ERROR(InsertCrossings(*command.conn, crossings));
  const std::string method = call.method_name;
  return command.conn
      ->Exec(
          "INSERT INTO journal(seq, at, principal, method, resource, version, digest) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7)",
          {seq, at, call.anonymous() ? "" : call.principal.key(), method,
           call.anonymous() ? "" : resource, call.anonymous() ? int64_t{0} : version,
           db::Bytes{privacy::Sha256(salt + call.body + answer)}})
      .status();
}

Status InsertPayloads(db::Conn& conn, const std::vector<Payload>& payloads) {
  return InsertRows(
      conn,
      "INSERT INTO payloads(id, receiver, aggregate, type, version, n, at, paths, "
      "body, held_until) ",
      payloads, [](const Payload& row) {
        return std::vector<db::Value>{
            row.id, row.receiver, row.aggregate,       row.type,      row.version, row.n,
            row.at, row.paths,    db::Bytes{row.body}, row.held_until};
      });
}

}  // namespace hub::journal

namespace hub {

StatusOr<const privacy::Viewer*> Command::Viewer() {
  if (viewer.has_value()) return &*viewer;
  privacy::Viewer caller = auth::ViewerOf(call->principal, call->forum);
  if (caller.side == auth::options::PARTNER) {
    ASSIGN_OR_RETURN(
        caller.shares,
        journal::SharesOf(*conn, "forums/" + call->forum + "/partners/" + caller.partner,
                          LondonDate(now)));
  }
  viewer = std::move(caller);
  return &*viewer;
}

}  // namespace hub
