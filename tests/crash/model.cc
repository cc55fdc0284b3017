// The model check as a program: clients call a hub whose state is a new demonstration's, all at
// once, and keep the histories of a few things at a time; at the end each history is held against
// its model. Prints 'under way' when the stage is set, and at the end a line of JSON. Exit code 0:
// all histories hold.
#include <cstdio>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "tests/crash/things.h"

namespace hub::crash {
namespace {

struct Options {
  ctl::Options hub;
  unsigned seed = 0;
  double seconds = 60;
  int clients = 16;
  size_t calls = 120;  // of one history
  int limit = 60;      // seconds for one check
};

// The things that are called now, and those that had enough.
class Scene {
 public:
  Scene(Caller* caller, const Stage* stage, size_t calls)
      : caller_(caller), stage_(stage), calls_(calls) {}

  Status Begin() {
    for (size_t i = 0; i < kAtOnce; ++i) {
      ASSIGN_OR_RETURN(auto thing, New(i));
      now_.push_back(std::move(thing));
    }
    return Status();
  }

  // One of them. Whoever meets one that has had enough makes another in its place.
  StatusOr<std::shared_ptr<Thing>> Any(Random& random) {
    const size_t at = random() % kAtOnce;
    std::shared_ptr<Thing> thing;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      thing = now_[at];
      if (thing->calls() < calls_ || making_[at]) return thing;
      making_[at] = true;
    }
    ASSIGN_OR_RETURN(thing, New(at));
    std::lock_guard<std::mutex> lock(mutex_);
    past_.push_back(std::exchange(now_[at], thing));
    making_[at] = false;
    return thing;
  }

  std::vector<std::shared_ptr<Thing>> All() {
    past_.insert(past_.end(), now_.begin(), now_.end());
    now_.clear();
    return past_;
  }

 private:
  static constexpr size_t kAtOnce = 4;

  StatusOr<std::shared_ptr<Thing>> New(size_t at) {
    std::shared_ptr<Thing> thing = at == 0   ? NewRecord(caller_)
                                   : at == 1 ? NewPlaces(caller_, stage_)
                                             : NewMoney(caller_, ++funds_);
    RETURN_IF_ERROR(thing->Open());
    return thing;
  }

  Caller* const caller_;
  const Stage* const stage_;
  const size_t calls_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Thing>> now_, past_;
  bool making_[kAtOnce] = {};
  std::atomic<int> funds_{0};
};

// Waits until every event was taken by whoever follows it.
Status Settle(const ctl::Options& hub) {
  ctl::Options as = hub;
  as.as = "operator";
  const ctl::Client client(as, 60);
  const absl::Time until = absl::Now() + absl::Minutes(2);
  while (absl::Now() < until) {
    ASSIGN_OR_RETURN(const auto each, client.CallEach<coproduction::hub::v1::HubStatus>(
                                          coproduction::hub::v1::GetStatusRequest()));
    bool settled = true;
    for (const auto& one : each) settled &= one.settled();
    if (settled) return Status();
    absl::SleepFor(absl::Milliseconds(100));
  }
  return Internal("the hub does not settle within two minutes");
}

struct Figures {
  std::map<std::string, int64_t> calls;  // by kind
  int64_t histories = 0, refused = 0, undecided = 0, planted = 0, planted_refused = 0;
  size_t longest = 0, most_unanswered = 0;
  double longest_check = 0;
};

Figures JudgeAll(const std::vector<std::shared_ptr<Thing>>& things, absl::Duration limit) {
  Figures figures;
  std::map<std::string, int> planted;
  for (const auto& thing : things) {
    const Judged judged = thing->Judge(limit);
    ++figures.histories;
    figures.calls[thing->kind()] += static_cast<int64_t>(thing->calls());
    figures.longest = std::max(figures.longest, thing->calls());
    figures.most_unanswered = std::max(figures.most_unanswered, thing->unanswered());
    figures.longest_check = std::max(figures.longest_check, judged.seconds);
    if (judged.verdict.word == Verdict::kUndecided) ++figures.undecided;
    if (judged.verdict.word == Verdict::kRefused) {
      // The first as a whole, of the others what nothing explains.
      const std::string first_line = judged.told.substr(0, judged.told.find('\n') + 1);
      std::fprintf(stderr, "%s", (figures.refused++ == 0 ? judged.told : first_line).c_str());
    }
    if (!judged.verdict.holds()) continue;
    // The judge bites: of each kind of bug, one is put into a true history.
    for (const auto& [what, bad] : thing->Plant(limit)) {
      if (planted[what]++ > 0) continue;
      ++figures.planted;
      const bool refused = bad.verdict.word == Verdict::kRefused;
      if (refused) ++figures.planted_refused;
      std::printf("planted %s: %s\n", what.c_str(), refused ? "refused" : "NOT REFUSED");
    }
  }
  return figures;
}

StatusOr<bool> Run(const Options& options) {
  Caller caller(options.hub, absl::Minutes(2));
  ASSIGN_OR_RETURN(const Stage stage, SetStage(caller, options.hub));
  Scene scene(&caller, &stage, options.calls);
  RETURN_IF_ERROR(scene.Begin());
  std::printf("under way, seed %u\n", options.seed);
  std::fflush(stdout);
  const absl::Time from = absl::Now(), until = from + absl::Seconds(options.seconds);
  std::vector<std::thread> clients;
  for (int i = 0; i < options.clients; ++i) {
    clients.emplace_back([&, i] {
      Random random(options.seed + static_cast<unsigned>(i));
      while (absl::Now() < until) {
        const auto thing = scene.Any(random);
        if (!thing.ok()) return caller.Fault(thing.status().ToString());
        (*thing)->Act(random);
      }
    });
  }
  for (auto& client : clients) client.join();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - from);
  const auto things = scene.All();
  for (const auto& thing : things) thing->Look();  // as it stands when all is over
  const Figures figures = JudgeAll(things, absl::Seconds(options.limit));
  RETURN_IF_ERROR(Settle(options.hub));
  if (const Status promises = CheckPromises(caller); !promises.ok()) {
    caller.Fault(absl::StrCat("places and promises: ", MessageOf(promises)));
  }
  const auto faults = caller.faults();
  for (const auto& fault : faults) std::fprintf(stderr, "%s\n", fault.c_str());
  std::string calls;
  for (const auto& [kind, n] : figures.calls) absl::StrAppend(&calls, "\"", kind, "\": ", n, ", ");
  std::printf(
      "%s\n",
      absl::StrCat(
          "{", calls, "\"seconds\": ", seconds, ", \"unanswered\": ", caller.unanswered.load(),
          ", \"sent_again\": ", caller.again.load(), ", \"resends\": ", caller.resends.load(),
          ", \"histories\": ", figures.histories, ", \"longest\": ", figures.longest,
          ", \"most_unanswered\": ", figures.most_unanswered,
          ", \"longest_check\": ", figures.longest_check, ", \"refused\": ", figures.refused,
          ", \"undecided\": ", figures.undecided, ", \"planted\": ", figures.planted,
          ", \"planted_refused\": ", figures.planted_refused, ", \"faults\": ", faults.size(), "}")
          .c_str());
  return figures.refused == 0 && figures.undecided == 0 && faults.empty() &&
         figures.planted == figures.planted_refused;
}

}  // namespace
}  // namespace hub::crash

int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape): it may end of its faults
  hub::crash::Options options;
  options.seed = std::random_device{}();
  CLI::App app("Holds histories of concurrent calls against sequential models.");
  app.add_option("--server", options.hub.server, "HOST:PORT, or service=HOST:PORT,...");
  app.add_option("--state", options.hub.state, "the hub's folder, for its tokens")->required();
  app.add_option("--seed", options.seed, "of what the clients draw");
  app.add_option("--seconds", options.seconds, "how long they call");
  app.add_option("--clients", options.clients, "how many call at once");
  app.add_option("--calls", options.calls, "of one history");
  app.add_option("--limit", options.limit, "seconds for the check of one history");
  CLI11_PARSE(app, argc, argv);
  const auto holds = hub::crash::Run(options);
  if (!holds.ok()) {
    std::fprintf(stderr, "the check cannot be made: %s\n", hub::MessageOf(holds.status()).c_str());
    return 2;
  }
  return *holds ? 0 : 1;
}
