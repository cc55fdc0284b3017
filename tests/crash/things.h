// The things of a hub that the model check calls and keeps the history of: a session with its
// places, a fund with its money, a member's record. Each is made through the public API, called by
// many clients at once, and at the end held against its model (tests/crash/sequential.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/hubctl/call.h"
#include "tests/crash/linearize.h"

namespace hub::crash {

using Random = std::mt19937;

// Calls the hub as anybody. For many threads.
class Caller {
 public:
  // A call without an answer is sent again after `patience` no more, even where one insists.
  Caller(const ctl::Options& hub, absl::Duration patience);

  // `insist`: where nobody answers it is sent again, as it is, until somebody does.
  template <class Response, class Request>
  StatusOr<Response> Call(const std::string& who, const Request& request, bool insist) {
    Response response;
    RETURN_IF_ERROR(Send(who, request, &response, insist));
    return response;
  }
  // 'scheduling.v1.CreateItem' with the text of its request; insists. The answer's record.
  StatusOr<std::unique_ptr<google::protobuf::Message>> Do(const std::string& who,
                                                          const std::string& method,
                                                          const std::string& text);
  // The same; its name.
  StatusOr<std::string> Make(const std::string& who, const std::string& method,
                             const std::string& text);

  // Whether it may have been done or not.
  static bool Unanswered(const Status& status);
  int64_t Tick() { return ++tick_; }
  // What must not be, whatever the history: told at the end.
  void Fault(const std::string& what);

  std::atomic<int64_t> calls{0}, unanswered{0}, again{0}, resends{0};
  std::vector<std::string> faults() const;

 private:
  Status Send(const std::string& who, const google::protobuf::Message& request,
              google::protobuf::Message* response, bool insist);
  const ctl::Client& ClientOf(const std::string& who);

  const ctl::Options hub_;
  const absl::Duration patience_;
  const std::shared_ptr<const ctl::Servers> servers_;
  std::atomic<int64_t> tick_{0};
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ctl::Client>> clients_;
  std::vector<std::string> faults_;
};

// What all things need: date, grants, code of conduct, fee, a fund for the sessions, accepted
// requests and reps in good standing.
struct Stage {
  std::vector<std::string> requests;  // one for each item of a session
  std::vector<std::string> reps;
};
StatusOr<Stage> SetStage(Caller& caller, const ctl::Options& hub);

// How a history was judged.
struct Judged {
  Verdict verdict;
  double seconds = 0;
  std::string told;  // all of it, if it was refused
};

class Thing {
 public:
  explicit Thing(Caller* caller) : caller_(*caller) {}
  virtual ~Thing() = default;
  virtual const char* kind() const = 0;
  virtual Status Open() = 0;
  // One call of one client, drawn at random.
  virtual void Act(Random& random) = 0;
  // Reads it; insists.
  virtual void Look() = 0;
  virtual size_t calls() const = 0;
  virtual size_t unanswered() const = 0;
  virtual Judged Judge(absl::Duration limit) const = 0;
  // Histories that must be refused: this one with one answer in it changed, as by a hub with a bug,
  // and by no call that an unanswered one could explain.
  virtual std::vector<std::pair<std::string, Judged>> Plant(absl::Duration limit) const = 0;

 protected:
  Caller& caller_;
};

std::unique_ptr<Thing> NewPlaces(Caller* caller, const Stage* stage);
// `number`: each fund pays one day of its own, so that no other can pay for it.
std::unique_ptr<Thing> NewMoney(Caller* caller, int number);
std::unique_ptr<Thing> NewRecord(Caller* caller);

// When all is settled: whoever has a place has one confirmed promise for it, and nobody else one.
Status CheckPromises(Caller& caller);

}  // namespace hub::crash
