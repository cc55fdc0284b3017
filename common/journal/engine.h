// One way in: whatever changes state is a command (a call, another service's event, a timer that
// fell due). In one transaction it claims its key, has its effect, leaves its events and exactly
// one journal row. A command whose key is taken gets the stored answer; another body under the same
// key is refused. One engine a module.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/auth/principal.h"
#include "common/auth/viewer.h"
#include "common/base/clock.h"
#include "common/db/record.h"
#include "common/journal/context.h"
#include "common/journal/sharing.h"
#include "common/privacy/keys.h"
#include "common/privacy/visible.h"
#include "coproduction/hub/v1/people.pb.h"

namespace hub::journal {

inline constexpr Micros kDay = 86400ll * 1000000;
inline constexpr int kReplicaBits = 3;  // of a sequence number, below its microseconds

enum Source { kCall = 1, kEvent = 2, kTimer = 3 };

// A call as the engine takes it. Everything here outlives the call of `done`.
struct Call {
  Source source = kCall;
  auth::Principal principal;
  std::string forum;
  const schema::Method* method = nullptr;             // null for events and timers
  std::string method_name;                            // for the journal
  std::string named;                                  // the record or forum that it names
  const google::protobuf::Descriptor* own = nullptr;  // the type whose transitions the method names
  std::string request_id;                             // empty: the command cannot be resent
  std::string body;                                   // what a resend must repeat
  bool validate_only = false;                         // run, answer, undo (AIP-163)
  Status verdict;               // of the checks before; spoken after the claim
  Message* response = nullptr;  // filled and redacted; null for events and timers
  Micros deadline = 0;          // machine time
  Micros now = 0;               // the hub's time that it is judged by; 0: the time at which it runs
  std::vector<Crossing> crossed;  // what the answer gives a partner
  bool anonymous() const { return method != nullptr && method->option->anonymous(); }
};

class Engine {
 public:
  struct Options {
    std::string service;
    db::Store* store = nullptr;
    privacy::KeyStore* keys = nullptr;
    const Clock* clock = nullptr;
    std::vector<std::string> receivers;  // names, as common/events/receivers.h says
    int replica = 0;                     // 0 to 7: distinguishes processes on one database
    Micros keep_events = 30 * kDay;      // as long as the streams keep them
  };

  // The engine's tables, then the service's migrations; refuses a schema that does not fit.
  static StatusOr<std::unique_ptr<Engine>> Open(Options options,
                                                const std::vector<db::Migration>& migrations);

  // Runs `handler` as a command. `done` comes on a thread of the store, after the commit.
  void Execute(std::shared_ptr<Call> call, std::function<Status(Write&)> handler,
               std::function<void(Status)> done);
  Status ExecuteAndWait(std::shared_ptr<Call> call, std::function<Status(Write&)> handler);
  // Runs `handler` on a snapshot.
  void Query(std::shared_ptr<Call> call, std::function<Status(Read&)> handler,
             std::function<void(Status)> done);

  // Before the process serves: the hooks, and who is told that payloads were committed.
  using Fill = std::function<Status(Read&, Message*)>;
  using AttendsHook = std::function<bool(Read&, const Message&)>;
  std::map<const google::protobuf::Descriptor*, Fill> computed;
  std::map<const google::protobuf::Descriptor*, AttendsHook> attends;
  std::function<void()> wake = [] {};

  // Upkeep, which the runtime calls now and then; doing it more often, or on two replicas, does no
  // harm.
  Status SealJournal();                            // audit.cc
  Status Forget();                                 // retention.cc
  Status EndRetentions(const std::string& today);  // once a day; retention.cc
  // What anonymous methods told on days that have ended goes out, and leaves no order behind.
  Status EndAnonymousDays();  // anonymous.cc
  // What was noted to leave the files leaves them.
  Status Scrub();  // anonymous.cc
  // To all outside, once for each epoch: read anew what you keep.
  Status TellEpoch(const std::string& epoch);  // epoch.cc
  // Keeps that the call was refused, or read what is logged ('OK'); where `outcome` is empty, only
  // what crossed. `done` comes after the commit.
  void LogAccess(const Call& call, const std::string& outcome, std::function<void(Status)> done);

  // All that is held here about a person of a forum, as that person may see it; where somebody else
  // asks (not `own`), without what is the person's alone. `by` is still the key of a principal.
  StatusOr<std::vector<coproduction::hub::v1::PersonalEntry>> PersonalData(
      const std::string& forum, const std::string& person, bool own);  // person.cc

  const Options& config() const { return options_; }
  db::Sealer* sealer() { return sealer_.get(); }
  Micros Now() const { return options_.clock->Now(); }

 private:
  friend class hub::Read;
  friend class hub::Write;
  explicit Engine(Options options);

  Status Run(Call& call, const std::function<Status(Write&)>& handler, db::Conn& conn);
  StatusOr<bool> Claim(Call& call, db::Conn& conn, int64_t seq, std::string* hash);
  Status Replay(Call& call, db::Conn& conn);
  Status Finish(Command& command);
  Status Redact(Command& command);
  Status WriteRows(Call& call, Command& command, int64_t seq);
  StatusOr<std::string> KeyOfDay(Micros machine_time);
  int64_t NextSeq(bool anonymous);

  Options options_;
  std::unique_ptr<db::Sealer> sealer_;
  std::atomic<int64_t> last_seq_{0};
  std::atomic<Micros> sealed_day_{0};  // the day on which all days before it were looked through
};

}  // namespace hub::journal

namespace hub {

// The engine's side of one handler run.
struct Command {
  journal::Engine* engine;
  journal::Call* call;
  db::Conn* conn;
  Micros now;

  struct Touched {
    const schema::Resource* resource;
    std::string forum, id, name;
    std::unique_ptr<Message> before;  // null where it is new
    std::unique_ptr<Message> after;   // null until it is stored
    std::vector<std::string> paths;
    std::unique_ptr<Message> event;
  };
  std::vector<std::unique_ptr<Touched>> touched;
  std::optional<privacy::Viewer> viewer = std::nullopt;

  // The caller, with what is shared with it at this moment.
  StatusOr<const privacy::Viewer*> Viewer();
  Touched* FindTouched(const std::string& name) {
    for (auto& entry : touched) {
      if (entry->name == name) return entry.get();
    }
    return nullptr;
  }
};

}  // namespace hub
