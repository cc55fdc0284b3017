#include "common/daemon/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/base/id.h"
#include "common/fault/failpoint.h"
#include "common/journal/person.h"
#include "common/journal/sharing.h"
#include "common/journal/tables.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::hub::v1;

// An event that its handler refused this often is set aside, where an operator sees it.
constexpr int kMostTries = 5;
constexpr int kTimerBatch = 100;
constexpr Micros kConsumeLease = 10'000'000;  // machine time
constexpr std::chrono::minutes kSealEvery(1), kForgetEvery(60);

std::string CollectionOf(const std::string& aggregate) {
  const auto* resource = schema::ResourceOfName(aggregate);
  return resource ? resource->collection : "";
}

using coproduction::hub::events::v1::SharingAgreed;
using coproduction::hub::events::v1::SharingEnded;

template <class E>
Status OnSharing(Write& write, const E& event, const Envelope&) {
  return journal::KeepSharing(write, event);
}

using coproduction::hub::events::v1::MemberErased;

Status OnMemberErased(Write& write, const MemberErased& event, const Envelope&) {
  return journal::ErasePerson(write, write.principal().service, IdOf(event.member()),
                              event.rights_request());
}

int64_t NumberOf(const std::string& epoch) { return std::strtoll(epoch.c_str(), nullptr, 10); }

Envelope EnvelopeOf(const v1::Event& event) {
  return {event.id(),       event.type(),  event.subject(),       event.version(),
          event.sequence(), event.epoch(), ToMicros(event.time())};
}

}  // namespace

Runtime::Runtime(Module module, Options options)
    : module_(std::move(module)), options_(std::move(options)) {}

Runtime::~Runtime() { Drain(); }

std::shared_ptr<journal::Call> Runtime::InsideCall(journal::Source source, const std::string& forum,
                                                   const std::string& id, const std::string& name,
                                                   const std::string& body) const {
  auto call = std::make_shared<journal::Call>();
  call->source = source;
  call->principal = auth::ServicePrincipal(module_.name);
  call->forum = forum;
  call->request_id = id;
  call->method_name = name;
  call->body = body;
  return call;
}

StatusOr<std::unique_ptr<Runtime>> Runtime::Open(Module module, Options options) {
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(module), std::move(options)));
  auto& self = *runtime;
  db::StoreOptions store;
  store.url = self.options_.database;
  store.schema = self.module_.name + self.options_.schema_suffix;
  store.name = self.Self();
  if (store.url.rfind("sqlite:", 0) == 0) store.url += "/" + self.module_.name + ".db";
  ASSIGN_OR_RETURN(self.store_, db::Store::Open(store));
  journal::Engine::Options engine;
  engine.service = self.module_.name;
  engine.store = self.store_.get();
  engine.keys = self.options_.keys;
  engine.clock = self.options_.clock;
  engine.replica = self.options_.replica;
  for (const auto& receiver : self.options_.receivers) {
    engine.receivers.push_back(receiver.name);
    engine.keep_events = std::max(engine.keep_events, receiver.max_age);
  }
  ASSIGN_OR_RETURN(self.engine_, journal::Engine::Open(engine, self.module_.migrations));
  self.executor_ = std::make_unique<Executor>(self.options_.workers, 1000);
  Door::Options door;
  door.engine = self.engine_.get();
  door.authenticator = self.options_.authenticator;
  door.peers = self.options_.peers;
  door.executor = self.executor_.get();
  door.gate = self.options_.gate;
  door.limits = self.options_.limits;
  door.certificates = self.options_.certificates;
  door.demo = self.options_.demo;
  door.follows = [runtime = &self](const std::string& name) { return runtime->Follows(name); };
  self.door_ = std::make_unique<Door>(door);
  for (auto* bind : self.module_.binders) bind(*self.door_);
  for (const auto& method : self.door_->BindStandard(self.module_.name)) {
    return Internal("method " + method + " has no handler");
  }
  if (self.module_.consumers) self.module_.consumers(self.consumers_);
  // What every engine goes by, the owner's own too.
  self.consumers_.On<SharingAgreed>(OnSharing);
  self.consumers_.On<SharingEnded>(OnSharing);
  self.consumers_.On<MemberErased>(OnMemberErased);
  if (!self.consumers_.due.empty()) RETURN_IF_ERROR(self.FindTimers());
  for (const auto& [type, event] : self.consumers_.events) {
    const auto& option =
        event.make()->GetDescriptor()->options().GetExtension(::coproduction::options::v1::event);
    const auto* resource = schema::FindResource(option.aggregate());
    if (resource == nullptr) continue;
    self.followed_.insert(resource->collection);
    self.producers_.insert(resource->service);
  }
  return runtime;
}

Status Runtime::FindTimers() {
  return store_->ReadAndWait([this](db::Conn& conn) -> Status {
    ASSIGN_OR_RETURN(const auto views, db::ViewsOf(conn, "due"));
    if (views.empty()) {
      return Internal("no view tells when the timers of " + module_.name + " are due");
    }
    timers_due_ = "(SELECT name, forum, resource, due_on FROM " +
                  absl::StrJoin(views, " UNION ALL SELECT name, forum, resource, due_on FROM ") +
                  ") AS timers";
    return Status();
  });
}

Status Runtime::Start() {
  RETURN_IF_ERROR(ReadEpoch());
  const events::Receiver* services = nullptr;
  for (const auto& receiver : options_.receivers) {
    if (receiver.name == "services") services = &receiver;
  }
  if (!options_.receivers.empty()) {
    events::Relay::Options relay;
    relay.service = module_.name;
    relay.store = store_.get();
    relay.clock = options_.clock;
    relay.receivers = options_.receivers;
    relay.makes_streams = module_.makes_streams;
    relay.holder = Self();
    if (services != nullptr) relay.informed = [this] { return informed_.load(); };
    ASSIGN_OR_RETURN(relay_, events::Relay::Start(relay));
    engine_->wake = [this] { relay_->Wake(); };
  }
  if (services != nullptr && !consumers_.events.empty()) {
    std::unique_ptr<events::Lease> lease;  // SQLite has one process
    if (store_->engine() == db::Engine::kPostgres) {
      lease = std::make_unique<events::Lease>(store_.get(), "subscriber/" + module_.name, Self(),
                                              kConsumeLease);
    }
    ASSIGN_OR_RETURN(subscriber_, events::Subscriber::Start(
                                      *services, module_.name,
                                      [this](const Envelope& envelope, const std::string& body) {
                                        std::lock_guard<std::mutex> one(apply_mutex_);
                                        return Apply(envelope, body);
                                      },
                                      std::move(lease)));
  }
  started_ = true;
  timers_ = std::thread([this] { TimerLoop(); });
  return Status();
}

void Runtime::Rest() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (timers_.joinable()) timers_.join();
  subscriber_.reset();
}

void Runtime::Drain() {
  Rest();
  if (std::exchange(drained_, true)) return;
  if (started_) FAILPOINT("mid-drain");
  if (executor_) executor_->Drain();
  // What is stopped in order leaves nothing unsealed but what an anonymous method did today.
  if (engine_ && started_) Say("audit", engine_->SealJournal());
  if (engine_) engine_->wake = [] {};
  relay_.reset();
  if (store_) store_->Drain();
}

bool Runtime::Follows(const std::string& aggregate) const {
  return followed_.count(CollectionOf(aggregate)) > 0;
}

StatusOr<int64_t> Runtime::LastOf(Write& write, const std::string& aggregate, std::string* epoch) {
  int64_t last = 0;
  RETURN_IF_ERROR(
      write.sql().Query(std::string("SELECT n, epoch FROM positions WHERE aggregate = $1") +
                            db::ForUpdate(write.sql()),
                        {aggregate}, [&](const db::Row& row) {
                          last = row.Int(0);
                          if (epoch != nullptr) *epoch = std::string(row.Text(1));
                          return Status();
                        }));
  return last;
}

Status Runtime::Advance(Write& write, const Envelope& envelope) {
  return write.sql()
      .Exec(
          "INSERT INTO positions(aggregate, n, epoch) VALUES ($1, $2, $3) "
          "ON CONFLICT (aggregate) DO UPDATE SET n = excluded.n, epoch = excluded.epoch",
          {envelope.aggregate, envelope.sequence, envelope.epoch})
      .status();
}

Status Runtime::Handle(Write& write, const Envelope& envelope, const std::string& body) const {
  auto it = consumers_.events.find(envelope.type);
  if (it == consumers_.events.end()) return Status();
  std::unique_ptr<Message> event = it->second.make();
  if (!event->ParseFromString(body)) return Internal("event " + envelope.id + " cannot be read");
  return it->second.handle(write, *event, envelope);
}

Status Runtime::ApplyOne(const Envelope& envelope, const std::string& body, bool* gap,
                         int64_t* last) {
  auto call =
      InsideCall(journal::kEvent, ForumOf(envelope.aggregate), envelope.id, envelope.type, body);
  *gap = false;
  return engine_->ExecuteAndWait(call, [&](Write& write) -> Status {
    // The dense sequence tells what was missed. After a restore a number may be told anew, where
    // its first event was lost and had been taken here.
    std::string epoch;
    ASSIGN_OR_RETURN(*last, LastOf(write, envelope.aggregate, &epoch));
    const bool anew = !epoch.empty() && epoch != envelope.epoch;
    if (!anew && envelope.sequence <= *last) return Status();  // applied before
    if (envelope.sequence > *last + 1) {
      *gap = true;
      return Refuse(errors::INTERNAL_FAULT, "a gap in the events of " + envelope.aggregate,
                    "sequence");
    }
    RETURN_IF_ERROR(Advance(write, envelope));
    ASSIGN_OR_RETURN(bool waits, WaitsBefore(write, envelope.aggregate, envelope.sequence));
    if (waits && consumers_.events.count(envelope.type) > 0) {
      return SetAside(write, envelope, body, 0, Status());
    }
    return Handle(write, envelope, body);
  });
}

Status Runtime::Apply(const Envelope& envelope, const std::string& body) {
  if (!Follows(envelope.aggregate)) return Status();
  // From before a restore. What was not lost is asked of its owner (FollowEpoch).
  if (NumberOf(envelope.epoch) < epoch_) return Status();
  bool gap = false;
  int64_t last = 0;
  Status status = ApplyOne(envelope, body, &gap, &last);
  if (gap) {
    RETURN_IF_ERROR(Repair(envelope, last));
    status = ApplyOne(envelope, body, &gap, &last);
  }
  if (status.ok()) {
    failures_.erase(envelope.id);
    return status;
  }
  if (ReasonOf(status) == errors::TEMPORARILY_UNAVAILABLE ||
      ++failures_[envelope.id] < kMostTries) {
    return status;
  }
  // The events after it go on; those of its record wait behind it.
  failures_.erase(envelope.id);
  auto call =
      InsideCall(journal::kEvent, ForumOf(envelope.aggregate), envelope.id, envelope.type, body);
  return engine_->ExecuteAndWait(call, [&](Write& write) -> Status {
    RETURN_IF_ERROR(Advance(write, envelope));
    return SetAside(write, envelope, body, kMostTries, status);
  });
}

// Fetches the events that the stream did not bring from their owner, in order. One that is refused
// is tried and set aside as if the stream had brought it.
Status Runtime::Repair(const Envelope& envelope, int64_t after) {
  v1::ListEventsRequest request;
  request.set_parent("forums/-");
  request.set_receiver("services");
  request.set_aggregate(envelope.aggregate);
  const auto* resource = schema::ResourceOfName(envelope.aggregate);
  while (true) {
    request.set_after_sequence(after);
    ASSIGN_OR_RETURN(const auto page, ListEventsOf(resource->service, request));
    for (const auto& event : page.events()) {
      if (event.sequence() >= envelope.sequence) return Status();
      RETURN_IF_ERROR(Apply(EnvelopeOf(event), event.data()));
      after = event.sequence();
    }
    if (page.events().empty()) return Status();
  }
}

StatusOr<v1::ListEventsResponse> Runtime::ListEventsOf(const std::string& service,
                                                       const v1::ListEventsRequest& request) {
  v1::ListEventsResponse response;
  ASSIGN_OR_RETURN(std::string token, options_.authenticator->InsideToken(
                                          module_.name, auth::ServicePrincipal(module_.name)));
  RETURN_IF_ERROR(
      options_.peers->CallService(service, token, MachineNow() + 10'000'000, request, &response));
  return response;
}

Status Runtime::ReadEpoch() {
  return store_->ReadAndWait([&](db::Conn& conn) -> Status {
    std::string epoch, followed = "1";  // a new database has nothing to follow
    RETURN_IF_ERROR(
        conn.Query("SELECT name, value FROM meta WHERE name = 'epoch' OR name = 'followed'", {},
                   [&](const db::Row& row) {
                     (row.Text(0) == "epoch" ? epoch : followed) = std::string(row.Text(1));
                     return Status();
                   }));
    epoch_ = NumberOf(epoch);
    epoch_followed_ = epoch == followed;
    return Status();
  });
}

// All services were restored together, so that none has told what another has not. A step that was
// done is done again without effect, here or in another process.
Status Runtime::FollowEpoch() {
  RETURN_IF_ERROR(ReadEpoch());
  if (epoch_followed_) return Status();
  const std::string epoch = std::to_string(epoch_);
  RETURN_IF_ERROR(engine_->TellEpoch(epoch));
  for (const std::string& service : producers_) RETURN_IF_ERROR(TakeAll(service));
  RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) {
    return conn
        .Exec(
            "INSERT INTO meta(name, value) VALUES ('followed', $1) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            {epoch})
        .status();
  }));
  epoch_followed_ = true;
  return Status();
}

Status Runtime::TakeAll(const std::string& service) {
  std::map<std::string, int64_t> taken;
  RETURN_IF_ERROR(store_->ReadAndWait([&](db::Conn& conn) {
    taken.clear();
    return conn.Query("SELECT aggregate, n FROM positions", {}, [&](const db::Row& row) {
      taken[std::string(row.Text(0))] = row.Int(1);
      return Status();
    });
  }));
  v1::ListEventsRequest request;
  request.set_parent("forums/-");
  request.set_receiver("services");
  request.set_page_size(200);
  do {
    ASSIGN_OR_RETURN(const auto page, ListEventsOf(service, request));
    for (const auto& event : page.events()) {
      if (event.sequence() > taken[event.subject()]) {
        std::lock_guard<std::mutex> one(apply_mutex_);
        RETURN_IF_ERROR(Apply(EnvelopeOf(event), event.data()));
      }
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return Status();
}

Status Runtime::RunDueTimers() {
  std::lock_guard<std::mutex> one(timers_mutex_);
  Say("the end of a day", engine_->EndAnonymousDays());  // what is left of it the next time
  if (consumers_.due.empty()) return Status();
  std::set<std::string> tried;
  while (true) {
    struct Due {
      std::string name, forum, resource, on;
    };
    std::vector<Due> rows;
    // What was found due is judged by the time at which it was found, even if the clock goes back
    // meanwhile: a handler that then saw nothing due would have spent the timer's key.
    const Micros now = options_.clock->Now();
    const std::string today = LondonDate(now);
    RETURN_IF_ERROR(store_->ReadAndWait([&](db::Conn& conn) {
      rows.clear();
      return conn.Query("SELECT name, forum, resource, due_on FROM " + timers_due_ +
                            " WHERE due_on <= $1 ORDER BY due_on, name, resource LIMIT " +
                            std::to_string(kTimerBatch + tried.size()),
                        {today}, [&](const db::Row& row) {
                          rows.push_back({std::string(row.Text(0)), std::string(row.Text(1)),
                                          std::string(row.Text(2)), std::string(row.Text(3))});
                          return Status();
                        });
    }));
    bool any = false;
    for (const auto& due : rows) {
      const std::string id = due.name + "|" + due.resource + "|" + due.on;
      if (!tried.insert(id).second) continue;  // refused, or left in the view: once a run
      auto it = consumers_.due.find(due.name);
      if (it == consumers_.due.end()) continue;
      any = true;
      auto call = InsideCall(journal::kTimer, due.forum, id, due.name, id);
      call->now = now;
      Status status = engine_->ExecuteAndWait(
          call, [&](Write& write) { return it->second(write, due.resource); });
      if (!status.ok()) {
        std::fprintf(stderr, "timer %s of %s was refused: %s\n", due.name.c_str(),
                     due.resource.c_str(), Why(status).c_str());
      }
    }
    if (!any) return Status();
  }
}

void Runtime::Say(const char* what, const Status& status) const {
  if (status.ok()) return;
  std::fprintf(stderr, "%s of %s: %s\n", what, module_.name.c_str(), MessageOf(status).c_str());
}

void Runtime::TimerLoop() {
  using Steady = std::chrono::steady_clock;  // whatever happens to the machine's time
  auto sealed = Steady::now(), forgot = sealed - kForgetEvery;
  std::string retained_on;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Say("the epoch", FollowEpoch());
    Say("timers", RunDueTimers());
    if (!informed_ && subscriber_) informed_ = subscriber_->Lag().value_or(1) == 0;
    Say("an erasure", FinishErasures());
    if (Steady::now() >= sealed + kSealEvery) {
      sealed = Steady::now();
      Say("audit", engine_->SealJournal());
    }
    if (Steady::now() >= forgot + kForgetEvery) {
      forgot = Steady::now();
      Say("retention", engine_->Forget());
    }
    if (const std::string today = LondonDate(engine_->Now()); today != retained_on) {
      retained_on = today;
      Say("retention", engine_->EndRetentions(today));
    }
    lock.lock();
    stop_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; });
  }
}

Status Runtime::ListEvents(const std::string& receiver, const std::string& aggregate,
                           int64_t after_sequence, int64_t after_id, int limit,
                           std::vector<std::pair<int64_t, v1::Event>>* out) {
  return store_->ReadAndWait([&](db::Conn& conn) -> Status {
    out->clear();
    std::string epoch;
    RETURN_IF_ERROR(
        conn.Query("SELECT value FROM meta WHERE name = 'epoch'", {}, [&](const db::Row& row) {
          epoch = std::string(row.Text(0));
          return Status();
        }));
    std::string where = "receiver = $1 AND id > $2 AND held_until <= 0";
    std::vector<db::Value> values = {receiver, after_id};
    if (!aggregate.empty()) {
      where += " AND aggregate = $3 AND n > $4";
      values.push_back(aggregate);
      values.push_back(after_sequence);
    }
    if (receiver.find("/partners/") != std::string::npos) {
      ASSIGN_OR_RETURN(const auto shares,
                       journal::SharesOf(conn, receiver, options_.clock->Today()));
      for (const std::string& type : journal::Withheld(shares)) {
        values.emplace_back(type);
        where += " AND type <> $" + std::to_string(values.size());
      }
    }
    return conn.Query(
        "SELECT id, type, aggregate, version, n, at, paths, body FROM payloads WHERE " + where +
            " ORDER BY " + (aggregate.empty() ? "id" : "n") + " LIMIT " + std::to_string(limit),
        values, [&](const db::Row& row) -> Status {
          v1::Event event;
          event.set_id(events::EventId(module_.name, row.Int(0)));
          event.set_type(std::string(row.Text(1)));
          event.set_source("//coproduction-hub/" + module_.name);
          event.set_subject(std::string(row.Text(2)));
          event.set_version(row.Int(3));
          event.set_sequence(row.Int(4));
          event.set_epoch(epoch);
          *event.mutable_time() = ToTimestamp(row.Int(5));
          event.set_paths(std::string(row.Text(6)));
          event.set_data(std::string(row.Blob(7)));
          const auto* type =
              google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
                  event.type());
          if (type != nullptr) {
            std::unique_ptr<Message> body(
                google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
            if (body->ParseFromString(event.data())) {
              google::protobuf::util::MessageToJsonString(*body, event.mutable_data_json());
            }
          }
          out->emplace_back(row.Int(0), std::move(event));
          return Status();
        });
  });
}

Status Runtime::ListCrossings(const v1::ListCrossingsRequest& in, int64_t after, int limit,
                              std::vector<std::pair<int64_t, v1::Crossing>>* out) {
  return store_->ReadAndWait([&](db::Conn& conn) {
    out->clear();
    const Micros from = in.from().empty() ? 0 : LondonInstant(in.from(), "00:00");
    const Micros until = in.to().empty() ? std::numeric_limits<Micros>::max()
                                         : LondonInstant(AddDays(in.to(), 1), "00:00");
    return conn.Query(
        "SELECT id, at, entry, item, person, via, resource, receiver FROM crossings "
        "WHERE partner = $1 AND id > $2 AND at >= $3 AND at < $4 AND ($5 = '' OR person = $5) "
        "ORDER BY id LIMIT $6",
        {in.partner(), after, from, until, in.person(), int64_t{limit}}, [&](const db::Row& row) {
          v1::Crossing crossing;
          *crossing.mutable_time() = ToTimestamp(row.Int(1));
          crossing.set_sharing_entry(std::string(row.Text(2)));
          crossing.set_data(std::string(row.Text(3)));
          crossing.set_person(std::string(row.Text(4)));
          crossing.set_by(std::string(row.Text(5)));
          crossing.set_resource(std::string(row.Text(6)));
          crossing.set_to(std::string(row.Text(7)));
          out->emplace_back(row.Int(0), std::move(crossing));
          return Status();
        });
  });
}

StatusOr<v1::ServiceStatus> Runtime::Condition() {
  v1::ServiceStatus status;
  status.set_service(module_.name);
  const std::string today = options_.clock->Today();
  RETURN_IF_ERROR(store_->ReadAndWait([&](db::Conn& conn) -> Status {
    auto count = [&](const std::string& sql, std::vector<db::Value> values, auto set) {
      return conn.Query(sql, values, [&](const db::Row& row) {
        set(row.Int(0));
        return Status();
      });
    };
    RETURN_IF_ERROR(
        count("SELECT COUNT(*) FROM journal", {}, [&](int64_t n) { status.set_journal_rows(n); }));
    RETURN_IF_ERROR(
        count("SELECT COUNT(*) FROM payloads WHERE sent_at IS NULL AND receiver <> '' "
              "AND held_until <= $1",
              {options_.clock->Now()}, [&](int64_t n) { status.set_unsent_events(n); }));
    RETURN_IF_ERROR(conn.Query("SELECT n, head FROM blocks ORDER BY n DESC LIMIT 1", {},
                               [&](const db::Row& row) {
                                 status.set_sealed_blocks(row.Int(0));
                                 status.set_audit_head(Hex(std::string(row.Blob(1))));
                                 return Status();
                               }));
    RETURN_IF_ERROR(count("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blocks", {},
                          [&](int64_t n) { status.set_unsealed_rows(status.journal_rows() - n); }));
    RETURN_IF_ERROR(count("SELECT COUNT(*) FROM dead_letters WHERE given_up IS NULL", {},
                          [&](int64_t n) { status.set_dead_letters(n); }));
    RETURN_IF_ERROR(count(
        "SELECT COUNT(*) FROM (SELECT DISTINCT partner, item FROM sharing WHERE from_on <= $1 "
        "AND (ends_on = '' OR ends_on > $1)) AS shared",
        {today}, [&](int64_t n) { status.set_shared_items(n); }));
    if (consumers_.due.empty()) return Status();
    return count("SELECT COUNT(*) FROM " + timers_due_ + " WHERE due_on <= $1", {today},
                 [&](int64_t n) { status.set_due_timers(n); });
  }));
  if (!epoch_followed_) status.set_untaken_events(-1);
  if (subscriber_ && epoch_followed_) {
    auto lag = subscriber_->Lag();
    status.set_untaken_events(lag.ok() ? *lag : -1);
  }
  return status;
}

}  // namespace hub
