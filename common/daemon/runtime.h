// One module alive in a process: its store, engine and door, the relay of its events, its
// consumption of the other services' events, and its timers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/daemon/module.h"
#include "common/events/relay.h"
#include "common/events/subscriber.h"
#include "common/rpc/peers.h"
#include "coproduction/hub/v1/hub.pb.h"

namespace hub {

class Runtime {
 public:
  struct Options {
    std::string database;       // URL as in db.h, without the module's own part
    std::string schema_suffix;  // PostgreSQL: after the module's name
    privacy::KeyStore* keys = nullptr;
    Clock* clock = nullptr;
    auth::Authenticator* authenticator = nullptr;
    const Peers* peers = nullptr;
    Gate* gate = nullptr;
    Limits* limits = nullptr;
    bool certificates = false;  // between services
    std::vector<events::Receiver> receivers;
    int replica = 0;
    bool demo = false;
    int workers = 8;  // threads for Asks
  };
  static StatusOr<std::unique_ptr<Runtime>> Open(Module module, Options options);
  ~Runtime();

  // After the server listens: the relay, the consumer, the timers.
  Status Start();
  // Takes no more events and timers.
  void Rest();
  // Rests, finishes what runs, stops the relay.
  void Drain();

  const std::string& name() const { return module_.name; }
  Door& door() { return *door_; }
  journal::Engine& engine() { return *engine_; }
  auth::Authenticator& authenticator() { return *options_.authenticator; }

  // Runs every timer that is due at the hub's date, until none is left.
  Status RunDueTimers();
  // Does another service's event as a command. OK: it was done, now or before, or concerns nobody
  // here.
  Status Apply(const Envelope& envelope, const std::string& body);
  // After a restore, which raises the epoch in the database: tells it outside, and asks the other
  // services for what they have told, since the stream counts as taken what is lost again here.
  // Once for each epoch; the runtime does it by itself.
  Status FollowEpoch();
  // Events of `receiver` after the given position, oldest first.
  Status ListEvents(const std::string& receiver, const std::string& aggregate,
                    int64_t after_sequence, int64_t after_id, int limit,
                    std::vector<std::pair<int64_t, coproduction::hub::v1::Event>>* out);
  // The register of what crossed to a partner, oldest first.
  Status ListCrossings(const coproduction::hub::v1::ListCrossingsRequest& in, int64_t after,
                       int limit,
                       std::vector<std::pair<int64_t, coproduction::hub::v1::Crossing>>* out);
  StatusOr<coproduction::hub::v1::ServiceStatus> Condition();
  // Before it serves (erasures.cc): erases again whom the list of erasures names as persons, where
  // these rows do not know it yet, since a backup of before was restored.
  Status EraseListed();
  // What is left to do for persons whose rows were erased: their keys and the files; then
  // membership is told, until it has heard. One that fails holds up no other; the first failure is
  // returned. The runtime does it by itself.
  Status FinishErasures();

  // Events that were set aside (dead_letters.cc): those of a forum ('-': all) whose id comes after
  // the given one, or is it; what they are is not shown.
  Status ListDeadLetters(const std::string& forum, const std::string& after, bool with_it,
                         int limit, std::vector<coproduction::hub::v1::DeadLetter>* out);
  // Does them again, of one record or of all where it is empty, each in its order.
  Status Redrive(const std::string& aggregate,
                 coproduction::hub::v1::RedriveDeadLettersResponse* out);
  StatusOr<coproduction::hub::v1::DeadLetter> Discard(const std::string& event,
                                                      const std::string& reason);

 private:
  Runtime(Module module, Options options);
  // Among the processes on its database. Stable, so that a restarted one goes on where it was.
  std::string Self() const { return "replica " + std::to_string(options_.replica); }
  std::shared_ptr<journal::Call> InsideCall(journal::Source source, const std::string& forum,
                                            const std::string& id, const std::string& name,
                                            const std::string& body) const;
  Status Repair(const Envelope& envelope, int64_t after);
  Status ReadEpoch();
  Status TakeAll(const std::string& service);
  StatusOr<coproduction::hub::v1::ListEventsResponse> ListEventsOf(
      const std::string& service, const coproduction::hub::v1::ListEventsRequest& request);
  Status ApplyOne(const Envelope& envelope, const std::string& body, bool* gap, int64_t* last);
  // The handler's effect; none where nobody here is concerned.
  Status Handle(Write& write, const Envelope& envelope, const std::string& body) const;
  // The last sequence applied of a record, locked: its events are done one after another.
  StatusOr<int64_t> LastOf(Write& write, const std::string& aggregate,
                           std::string* epoch = nullptr);
  Status Advance(Write& write, const Envelope& envelope);
  StatusOr<bool> WaitsBefore(Write& write, const std::string& aggregate, int64_t sequence);
  // `why` is OK where the event only waits behind another.
  Status SetAside(Write& write, const Envelope& envelope, const std::string& body, int tries,
                  const Status& why);
  Status RedriveOne(const Envelope& envelope, const std::string& body, bool* done);
  struct Erasing {  // a row of the table erasures
    std::string person, request, confirmation;
    int64_t step;
  };
  Status DestroyKeys(const Erasing& erasing);
  Status ConfirmErasure(const Erasing& erasing);
  Status KeepErasureStep(const Erasing& erasing, int64_t step);
  Status FindTimers();
  void TimerLoop();
  void Say(const char* what, const Status& status) const;  // of what runs by itself, if it failed
  // A refusal without its sentence, which may quote what no log should hold.
  static std::string Why(const Status& status);
  bool Follows(const std::string& aggregate) const;

  Module module_;
  Options options_;
  Consumers consumers_;
  std::string timers_due_;           // the views due..., as one table in SQL
  std::set<std::string> followed_;   // collections of the records whose events are consumed here
  std::set<std::string> producers_;  // the services that tell them
  std::atomic<int64_t> epoch_ = 1;   // as the database has it
  std::atomic<bool> epoch_followed_ = true;
  std::atomic<bool> informed_ = false;  // of all that was told before the start
  std::unique_ptr<db::Store> store_;
  std::unique_ptr<journal::Engine> engine_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<events::Relay> relay_;
  std::unique_ptr<events::Subscriber> subscriber_;
  std::mutex timers_mutex_;  // one run at a time
  std::mutex apply_mutex_;   // one event at a time
  std::mutex mutex_;
  std::condition_variable stop_;
  bool started_ = false;
  bool stopping_ = false;
  bool drained_ = false;
  // By event id: tries since the start. A restart counts anew, so an event may have more than it
  // needs before it is set aside, never fewer.
  std::map<std::string, int> failures_;
  std::thread timers_;
};

}  // namespace hub
