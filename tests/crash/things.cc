#include "tests/crash/things.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/date.h"
#include "common/base/id.h"
#include "common/schema/schema.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/remuneration/v1/claims.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "coproduction/remuneration/v1/transfers.pb.h"
#include "coproduction/scheduling/v1/allocations.pb.h"
#include "google/protobuf/text_format.h"
#include "tests/crash/load.h"
#include "tests/crash/sequential.h"

namespace hub::crash {
namespace {

namespace membership = ::coproduction::membership::v1;
namespace remuneration = ::coproduction::remuneration::v1;
namespace scheduling = ::coproduction::scheduling::v1;

using google::protobuf::Message;

constexpr char kForum[] = "forums/warwickshire";
const std::string kParent = "parent: 'forums/warwickshire' ";
constexpr char kNewMember[] =
    "given_name: 'Jo' family_name: 'Example' residence: LIVES_HERE reach_by: POST "
    "joined_on: '2022-05-04' ";
constexpr char kRequest[] = R"(request {
    title: "Short breaks" workstream: BUSINESS_AS_USUAL purpose: DISCUSSION decision_stage: OPTIONS
    can_change: "Where and when" cannot_change: "The budget" who_decides: "Cabinet"
    requestor: "the requestor" team: "Commissioning" minutes_wanted: 20 needed_by: "2022-07-31"
    papers: "none" attendees: "only the requestor" })";
constexpr char kSessionDate[] = "2022-05-20";
constexpr int kReps = 9, kItems = 2;  // in a session of six places
constexpr int kSeats = kReps * kItems;
constexpr size_t kMostUnanswered = 6;  // of one history: each doubles what may have been
constexpr auto kPause = absl::Milliseconds(50);

int Below(Random& random, size_t n) { return static_cast<int>(random() % n); }
bool OneIn(Random& random, size_t n) { return random() % n == 0; }

std::string RuleOf(const Status& status) {
  const errors::ErrorInfo info = ErrorInfoOf(status);
  const auto rule = info.metadata().find("rule");
  return rule == info.metadata().end() ? "" : rule->second;
}

// The history of a thing and its names. Model is one of tests/crash/sequential.h.
template <class Model>
class Recorded : public Thing {
 public:
  using Thing::Thing;
  size_t calls() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return history_.size();
  }
  size_t unanswered() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return Unanswered();
  }
  Judged Judge(absl::Duration limit) const override { return JudgeIt(history_, limit); }

  std::vector<std::pair<std::string, Judged>> Plant(absl::Duration limit) const override {
    std::vector<std::pair<std::string, Judged>> planted;
    for (const auto& [what, history] : Bad(history_)) {
      planted.emplace_back(absl::StrCat(kind(), ": ", what), JudgeIt(history, limit));
    }
    return planted;
  }

 protected:
  using Call = typename Model::Call;
  using History = std::vector<Call>;

  // The history with something wrong in it; none where it has nothing that could be turned.
  virtual std::vector<std::pair<std::string, History>> Bad(History history) const = 0;
  virtual Model ModelOf(const History& history) const = 0;

  // Sends and keeps it. `read` takes the answer over into the call; a refusal is what `told` makes
  // of it.
  template <class Response, class Request>
  StatusOr<Response> Keep(Random& random, const std::string& who, const Request& request, Call call,
                          typename Model::Outcome (*told)(const Status&),
                          const std::function<void(const Response&, Call*)>& read) {
    bool insist = OneIn(random, 2);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      insist |= Unanswered() >= kMostUnanswered;
    }
    call.called = caller_.Tick();
    auto answer = caller_.Call<Response>(who, request, insist);
    if (Caller::Unanswered(answer.status())) {
      call.outcome = Model::kUnknown;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        history_.push_back(call);
      }
      Look();  // when somebody answers again, this client goes on
      return answer;
    }
    call.returned = caller_.Tick();
    call.outcome = answer.ok() ? Model::kDone : told(answer.status());
    if (call.outcome == Model::kUnknown) {
      caller_.Fault(absl::StrCat(request.GetDescriptor()->name(), " was answered by ",
                                 answer.status().ToString()));
      return answer;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (answer.ok()) read(*answer, &call);
      history_.push_back(call);
    }
    if (answer.ok() && OneIn(random, 8)) {
      const auto same = caller_.Call<Response>(who, request, false);
      ++caller_.resends;
      if (!Caller::Unanswered(same.status()) &&
          (!same.ok() || same->SerializeAsString() != answer->SerializeAsString())) {
        caller_.Fault(absl::StrCat(request.GetDescriptor()->name(), " sent again was answered by ",
                                   same.ok() ? same->ShortDebugString() : same.status().ToString(),
                                   ", and not by ", answer->ShortDebugString()));
      }
    }
    return answer;
  }

  // A read is kept when it is answered.
  template <class Response, class Request>
  void KeepRead(const std::string& who, const Request& request, bool insist,
                const std::function<void(const Response&, Call*)>& read) {
    Call call;
    call.called = caller_.Tick();
    const auto answer = caller_.Call<Response>(who, request, insist);
    if (Caller::Unanswered(answer.status())) {
      if (!insist) Look();
      return;
    }
    call.returned = caller_.Tick();
    if (!answer.ok()) {
      return caller_.Fault(absl::StrCat(request.GetDescriptor()->name(), " was answered by ",
                                        answer.status().ToString()));
    }
    call.outcome = Model::kDone;
    std::lock_guard<std::mutex> lock(mutex_);
    read(*answer, &call);
    history_.push_back(call);
  }

  // With the lock.
  int64_t NumberOf(const std::string& name) {
    if (name.empty()) return kNobody;
    const auto [at, is_new] = numbers_.try_emplace(name, numbers_.size() + 1);
    if (is_new) names_.push_back(name);
    return at->second;
  }
  // Any name, whether it still stands or not; 0 where there is none.
  int64_t AnyName(Random& random, std::string* name) const {
    std::lock_guard<std::mutex> lock(mutex_);
    if (names_.empty()) return kNobody;
    // Rather one of the last.
    const size_t back = std::min(random() % names_.size(), random() % names_.size());
    *name = names_[names_.size() - 1 - back];
    return static_cast<int64_t>(names_.size() - back);
  }
  int64_t names() const { return static_cast<int64_t>(names_.size()); }

  mutable std::mutex mutex_;

 private:
  size_t Unanswered() const {
    return static_cast<size_t>(std::count_if(history_.begin(), history_.end(),
                                             [](const Call& call) { return !call.answered(); }));
  }

  Judged JudgeIt(const History& history, absl::Duration limit) const {
    const Model model = ModelOf(history);
    const absl::Time from = absl::Now();
    Judged judged{crash::Judge(model, history, limit), 0, ""};
    judged.seconds = absl::ToDoubleSeconds(absl::Now() - from);
    if (judged.verdict.word != Verdict::kRefused) return judged;
    judged.told = absl::StrCat(kind(), ": nothing explains ",
                               model.Tell(history[judged.verdict.stuck]), " in\n");
    for (const Call& call : history) absl::StrAppend(&judged.told, "  ", model.Tell(call), "\n");
    return judged;
  }

  History history_;
  std::map<std::string, int64_t> numbers_;
  std::vector<std::string> names_;
};

// Whether a call without an answer is such: it could explain what was spoilt.
template <class Call, class Such>
bool AnyOpen(const std::vector<Call>& history, Such such) {
  return std::any_of(history.begin(), history.end(),
                     [&](const Call& call) { return !call.answered() && such(call); });
}

// The last read told what an earlier one had told, though it was not so any more.
template <class History, class Same>
void AddStale(const History& history, Same same, int read,
              std::vector<std::pair<std::string, History>>* bad) {
  if (AnyOpen(history, [](const auto&) { return true; })) return;
  auto is_read = [read](const auto& call) { return static_cast<int>(call.kind) == read; };
  const auto first = std::find_if(history.begin(), history.end(), is_read);
  auto last = std::find_if(history.rbegin(), history.rend(), is_read);
  if (first == history.end() || same(*first, *last)) return;
  History stale = history;
  auto& changed = stale[static_cast<size_t>(history.rend() - last) - 1];
  changed = *first;
  changed.called = last->called;
  changed.returned = last->returned;
  bad->emplace_back("a stale read", std::move(stale));
}

// --- A session of two items, six places and nine reps who want one.

Places::Outcome AllocateTold(const Status& status) {
  if (RuleOf(status) == "session_full") return Places::kFull;
  return ReasonOf(status) == errors::RESOURCE_EXISTS ? Places::kTaken : Places::kUnknown;
}
Places::Outcome EndTold(const Status& status) {
  return ReasonOf(status) == errors::STATE_NOT_ALLOWED ? Places::kOver : Places::kUnknown;
}

class PlacesThing : public Recorded<Places> {
 public:
  PlacesThing(Caller* caller, const Stage* stage) : Recorded(caller), stage_(*stage) {}
  const char* kind() const override { return "places"; }

  Status Open() override {
    ASSIGN_OR_RETURN(session_, caller_.Make("facilitator", "scheduling.v1.CreateSession",
                                            absl::StrCat(kParent, "session { series: HUB date: '",
                                                         kSessionDate, "' start_time: '11:00' }")));
    for (int i = 0; i < kItems; ++i) {
      ASSIGN_OR_RETURN(
          items_.emplace_back(),
          caller_.Make(
              "facilitator", "scheduling.v1.CreateItem",
              absl::StrCat(kParent, "item { request: '", stage_.requests[static_cast<size_t>(i)],
                           "' session: '", session_, "' minutes_planned: 20 }")));
    }
    return Status();
  }

  void Act(Random& random) override {
    const int chance = Below(random, 100);
    if (chance < 30) return List(false);
    Call call;
    std::string name;
    if (chance < 55) {
      call.name = AnyName(random, &name);
      if (call.name == kNobody) return List(false);
      call.kind = Places::kEnd;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        call.seat = seat_of_[call.name];
      }
      scheduling::EndAllocationRequest end;
      end.set_name(name);
      end.set_reason("another time");
      end.set_request_id(NewRandomId());
      Keep<scheduling::Allocation>(random, "chair", end, call, EndTold, [](const auto&, Call*) {})
          .status()
          .IgnoreError();
      return;
    }
    call.kind = Places::kAllocate;
    call.seat = Below(random, kSeats);
    scheduling::AllocateRepRequest allocate;
    allocate.set_parent(kForum);
    allocate.set_rep(stage_.reps[static_cast<size_t>(call.seat / kItems)]);
    allocate.set_item(items_[static_cast<size_t>(call.seat % kItems)]);
    allocate.set_request_id(NewRandomId());
    Keep<scheduling::Allocation>(random, "chair", allocate, call, AllocateTold,
                                 [this](const scheduling::Allocation& made, Call* call) {
                                   call->name = NumberOf(made.name());
                                   seat_of_[call->name] = call->seat;
                                 })
        .status()
        .IgnoreError();
  }

  void Look() override { List(true); }

 protected:
  Places ModelOf(const History& history) const override {
    Places model;
    model.reps = kReps;
    model.items = kItems;
    model.names = names() + 1;
    return model;
  }

  std::vector<std::pair<std::string, History>> Bad(History history) const override {
    std::vector<std::pair<std::string, History>> bad;
    AddStale(
        history, [](const Call& a, const Call& b) { return a.seen == b.seen; }, Places::kList,
        &bad);
    for (Call& call : history) {
      // Its place would stand for ever: nothing ends it, and the last list does not have it.
      if (call.outcome != Places::kFull) continue;
      call.outcome = Places::kDone;
      call.name = names() + 1;
      bad.emplace_back("a seventh place", history);
      call.outcome = Places::kFull;
      call.name = kNobody;
      break;
    }
    for (Call& call : history) {
      if (call.kind != Places::kEnd || call.outcome != Places::kDone ||
          AnyOpen(history, [&call](const Call& other) { return other.name == call.name; })) {
        continue;
      }
      History lost = history;
      lost.erase(lost.begin() + (&call - history.data()));
      bad.emplace_back("a place that is lost", std::move(lost));
      break;
    }
    return bad;
  }

 private:
  void List(bool insist) {
    scheduling::ListAllocationsRequest list;
    list.set_parent(kForum);
    list.set_page_size(100);
    list.set_filter(absl::StrCat("session = \"", session_, "\" AND state = \"ALLOCATED\""));
    KeepRead<scheduling::ListAllocationsResponse>(
        "chair", list, insist,
        [this](const scheduling::ListAllocationsResponse& listed, Call* call) {
          call->seen.assign(kSeats, kNobody);
          for (const auto& one : listed.allocations()) {
            const auto rep = std::find(stage_.reps.begin(), stage_.reps.end(), one.rep());
            const auto item = std::find(items_.begin(), items_.end(), one.item());
            const auto seat = (rep - stage_.reps.begin()) * kItems + (item - items_.begin());
            const int64_t number = NumberOf(one.name());
            seat_of_[number] = static_cast<int>(seat);
            auto& seen = call->seen[static_cast<size_t>(seat)];
            if (seen != kNobody) caller_.Fault("two places of one rep in one item stand");
            seen = number;
          }
        });
  }

  const Stage& stage_;
  std::string session_;
  std::vector<std::string> items_;
  std::map<int64_t, int> seat_of_;
};

// --- A fund that cannot pay all that is asked of it.

constexpr int64_t kAmount = 35000;
// Minutes and pence at 50 pounds for two hours: sums tell what they are of.
constexpr std::pair<int, int64_t> kPairs[] = {{60, 2500},   {132, 5500},  {204, 8500},
                                              {276, 11500}, {348, 14500}, {420, 17500}};
constexpr int64_t kClaims[] = {4001, 6002, 9004};

Money::Outcome MoneyTold(const Status& status) {
  if (RuleOf(status) == "no_fund_pays") return Money::kPoor;
  return ReasonOf(status) == errors::STATE_NOT_ALLOWED ? Money::kOver : Money::kUnknown;
}

class MoneyThing : public Recorded<Money> {
 public:
  MoneyThing(Caller* caller, int number)
      : Recorded(caller), date_(AddDays(kDate, -1 - int64_t{number})) {}
  const char* kind() const override { return "money"; }

  Status Open() override {
    const std::string days = absl::StrCat("from_date: '", date_, "' to_date: '", date_, "' ");
    ASSIGN_OR_RETURN(fund_, caller_.Make("treasurer", "remuneration.v1.CreateFund",
                                         absl::StrCat(kParent, "fund { ", days, "title: 'A day' ",
                                                      "giver: 'Department' pays: PRIORITY ",
                                                      "amount_pence: ", kAmount, " }")));
    for (const int64_t pence : kClaims) {
      ASSIGN_OR_RETURN(claims_.emplace_back(),
                       caller_.Make("rep", "remuneration.v1.PrefillClaim", kParent + days));
      const std::string name = absl::StrCat("name: '", claims_.back(), "' ");
      RETURN_IF_ERROR(caller_
                          .Do("rep", "remuneration.v1.AddLine",
                              absl::StrCat(name, "kind: OTHER date: '", date_,
                                           "' amount_pence: ", pence, " evidence: 'a receipt'"))
                          .status());
      RETURN_IF_ERROR(caller_.Do("rep", "remuneration.v1.SubmitClaim", name).status());
    }
    return Status();
  }

  void Act(Random& random) override {
    const int chance = Below(random, 100);
    Call call;
    if (chance < 15) return ReadFund(false);
    if (chance < 25) return ReadAccount(OneIn(random, 2));
    if (chance < 30) {
      call.at = Below(random, std::size(kClaims));
      const std::string& claim = claims_[static_cast<size_t>(call.at)];
      call.kind = OneIn(random, 2) ? Money::kApprove : Money::kPay;
      if (call.kind == Money::kApprove) {
        remuneration::ApproveClaimRequest approve;
        approve.set_fund(fund_);
        return Claim(random, "chair", claim, call, approve);
      }
      return Claim(random, "treasurer", claim, call, remuneration::PayClaimRequest());
    }
    std::string name;
    if (chance < 65) {
      call.name = AnyName(random, &name);
      if (call.name == kNobody) return ReadFund(false);
      {
        std::lock_guard<std::mutex> lock(mutex_);
        call.at = pair_of_[call.name];
      }
      call.kind = chance < 35 ? Money::kConfirm : Money::kRelease;
      if (call.kind == Money::kConfirm) {
        return End(random, name, call, remuneration::ConfirmCommitmentRequest());
      }
      return End(random, name, call, remuneration::ReleaseCommitmentRequest());
    }
    call.kind = Money::kReserve;
    call.at = Below(random, std::size(kPairs));
    remuneration::ReserveCommitmentRequest reserve;
    reserve.set_parent(kForum);
    reserve.set_rep(absl::StrCat(kForum, "/reps/r", call.at));
    reserve.set_session(absl::StrCat(kForum, "/sessions/of-", date_));
    reserve.set_session_date(date_);
    reserve.set_activity_kind(scheduling::Activity::PRIORITY);
    reserve.set_minutes(kPairs[call.at].first);
    reserve.set_request_id(NewRandomId());
    Keep<remuneration::Commitment>(random, "service", reserve, call, MoneyTold,
                                   [this](const remuneration::Commitment& made, Call* call) {
                                     call->name = NumberOf(made.name());
                                     pair_of_[call->name] = call->at;
                                   })
        .status()
        .IgnoreError();
  }

  void Look() override { ReadFund(true); }

 protected:
  Money ModelOf(const History& history) const override {
    Money model;
    model.amount = kAmount;
    for (const auto& [minutes, pence] : kPairs) model.fees.push_back(pence);
    model.claims.assign(std::begin(kClaims), std::end(kClaims));
    model.names = names() + 1;
    return model;
  }

  std::vector<std::pair<std::string, History>> Bad(History history) const override {
    std::vector<std::pair<std::string, History>> bad;
    AddStale(
        history,
        [](const Call& a, const Call& b) {
          return (a.available < 0 || a.available == b.available) &&
                 (a.promised < 0 || a.promised == b.promised);
        },
        Money::kRead, &bad);
    for (Call& call : history) {
      if (call.kind != Money::kReserve || call.outcome != Money::kPoor ||
          AnyOpen(history, [](const Call& other) { return other.kind != Money::kConfirm; })) {
        continue;
      }
      call.outcome = Money::kDone;
      call.name = names() + 1;
      bad.emplace_back("a pound spent twice", history);
      break;
    }
    return bad;
  }

 private:
  void ReadFund(bool insist) {
    remuneration::GetFundRequest get;
    get.set_name(fund_);
    KeepRead<remuneration::Fund>("treasurer", get, insist,
                                 [](const remuneration::Fund& fund, Call* call) {
                                   call->available = fund.available_pence();
                                   call->promised = fund.promised_pence();
                                   call->spent = fund.spent_pence();
                                 });
  }

  void ReadAccount(bool promised) {
    remuneration::GetAccountRequest get;
    get.set_name(absl::StrCat(kForum, "/accounts/", promised ? "commitments-" : "fund-",
                              fund_.substr(fund_.rfind('/') + 1)));
    KeepRead<remuneration::Account>(
        "treasurer", get, false, [promised](const remuneration::Account& account, Call* call) {
          (promised ? call->promised : call->available) = account.balance_pence();
        });
  }

  template <class Request>
  void Claim(Random& random, const std::string& who, const std::string& claim, const Call& call,
             Request request) {
    request.set_name(claim);
    request.set_request_id(NewRandomId());
    Keep<remuneration::Claim>(random, who, request, call, MoneyTold, [](const auto&, Call*) {})
        .status()
        .IgnoreError();
  }

  template <class Request>
  void End(Random& random, const std::string& name, const Call& call, Request request) {
    request.set_name(name);
    request.set_request_id(NewRandomId());
    Keep<remuneration::Commitment>(random, "service", request, call, MoneyTold,
                                   [](const auto&, Call*) {})
        .status()
        .IgnoreError();
  }

  const std::string date_;
  std::string fund_;
  std::vector<std::string> claims_;
  std::map<int64_t, int> pair_of_;
};

// --- A member whose telephone number many change.

Record::Outcome RecordTold(const Status& status) {
  return ReasonOf(status) == errors::ETAG_MISMATCH ? Record::kStale : Record::kUnknown;
}

std::string PhoneOf(int64_t value) { return absl::StrCat("07700 ", 900000 + value); }
int64_t ValueOf(const std::string& phone) { return std::atoll(phone.substr(6).c_str()) - 900000; }

class RecordThing : public Recorded<Record> {
 public:
  using Recorded::Recorded;
  const char* kind() const override { return "record"; }

  Status Open() override {
    ASSIGN_OR_RETURN(member_, caller_.Make("membership_admin", "membership.v1.CreateMember",
                                           absl::StrCat(kParent, "member { ", kNewMember,
                                                        "phone: '", PhoneOf(0), "' }")));
    return Status();
  }

  void Act(Random& random) override {
    if (OneIn(random, 3)) return Get(false);
    Call call;
    call.kind = Record::kUpdate;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      call.etag = latest_;
      call.value = ++values_;
    }
    membership::UpdateMemberRequest update;
    update.mutable_member()->set_name(member_);
    schema::SetVersion(update.mutable_member(), call.etag);
    update.mutable_member()->set_phone(PhoneOf(call.value));
    update.mutable_update_mask()->add_paths("phone");
    update.set_request_id(NewRandomId());
    Keep<membership::Member>(random, "membership_admin", update, call, RecordTold,
                             [this](const membership::Member& member, Call* call) {
                               call->version = schema::VersionOf(member);
                               latest_ = std::max(latest_, call->version);
                             })
        .status()
        .IgnoreError();
  }

  void Look() override { Get(true); }

 protected:
  Record ModelOf(const History& history) const override { return Record(); }

  std::vector<std::pair<std::string, History>> Bad(History history) const override {
    std::vector<std::pair<std::string, History>> bad;
    AddStale(
        history, [](const Call& a, const Call& b) { return a.version == b.version; }, Record::kRead,
        &bad);
    for (Call& call : history) {
      if (call.outcome != Record::kStale ||
          AnyOpen(history, [&call](const Call& other) { return other.etag == call.etag; })) {
        continue;
      }
      call.outcome = Record::kDone;
      call.version = call.etag + 1;
      bad.emplace_back("two changes of one version", history);
      break;
    }
    return bad;
  }

 private:
  void Get(bool insist) {
    membership::GetMemberRequest get;
    get.set_name(member_);
    KeepRead<membership::Member>("membership_admin", get, insist,
                                 [this](const membership::Member& member, Call* call) {
                                   call->version = schema::VersionOf(member);
                                   call->value = ValueOf(member.phone());
                                   latest_ = std::max(latest_, call->version);
                                 });
  }

  std::string member_;
  int64_t latest_ = 1, values_ = 0;
};

}  // namespace

Caller::Caller(const ctl::Options& hub, absl::Duration patience)
    : hub_(hub), patience_(patience), servers_(std::make_shared<ctl::Servers>(hub.server)) {}

bool Caller::Unanswered(const Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

void Caller::Fault(const std::string& what) {
  std::lock_guard<std::mutex> lock(mutex_);
  faults_.push_back(what);
}

std::vector<std::string> Caller::faults() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return faults_;
}

StatusOr<std::unique_ptr<Message>> Caller::Do(const std::string& who, const std::string& method,
                                              const std::string& text) {
  auto made = [](const google::protobuf::Descriptor* type) {
    return std::unique_ptr<Message>(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  };
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      absl::StrCat("coproduction.", method, "Request"));
  const auto request = made(type);
  if (!google::protobuf::TextFormat::ParseFromString(text, request.get())) {
    return Internal(absl::StrCat("no ", type->name(), ": ", text));
  }
  request->GetReflection()->SetString(request.get(), type->FindFieldByName("request_id"),
                                      NewRandomId());
  auto answer = made(schema::MethodOfRequest(type)->descriptor->output_type());
  RETURN_IF_ERROR(Send(who, *request, answer.get(), true));
  return answer;
}

StatusOr<std::string> Caller::Make(const std::string& who, const std::string& method,
                                   const std::string& text) {
  ASSIGN_OR_RETURN(const auto answer, Do(who, method, text));
  return schema::GetName(*answer);
}

Status Caller::Send(const std::string& who, const google::protobuf::Message& request,
                    google::protobuf::Message* response, bool insist) {
  const std::string& path = schema::MethodOfRequest(request.GetDescriptor())->path;
  const absl::Time until = absl::Now() + patience_;
  ++calls;
  for (bool first = true;; first = false) {
    const Status status = ClientOf(who).Call(path, request, response);
    if (!Unanswered(status)) return status;
    if (first) ++(insist ? again : unanswered);
    if (!insist || absl::Now() > until) return status;
    absl::SleepFor(kPause);
  }
}

const ctl::Client& Caller::ClientOf(const std::string& who) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto& client = clients_[who];
  if (client == nullptr) {
    ctl::Options options = hub_;
    options.as = who;
    // A service's token is of a minute: each call has its own.
    const ctl::Tokens tokens = ctl::TokensOf(options);
    client = std::make_unique<ctl::Client>(servers_, who == "service" ? tokens : ctl::Kept(tokens));
  }
  return *client;
}

StatusOr<Stage> SetStage(Caller& caller, const ctl::Options& hub) {
  LoadOptions prepare;
  prepare.hub = hub;
  RETURN_IF_ERROR(Prepare(prepare));
  ASSIGN_OR_RETURN(const auto code,
                   caller.Do("chair", "membership.v1.PublishDocument",
                             kParent + "document { kind: CODE_OF_CONDUCT text: 'Be kind.' }"));
  const std::string accept = absl::StrCat("name: '", schema::GetName(*code), "' text_hash: '",
                                          schema::TextOf(*code, "text_hash"), "' ");
  Stage stage;
  using Steps = std::vector<std::vector<std::string>>;
  const Steps once = {
      {"treasurer", "remuneration.v1.SetRate",
       kParent + "rate { kind: FEE_TWO_HOURS from_date: '2000-01-01' tenth_pence: 50000 }"},
      {"treasurer", "remuneration.v1.CreateFund",
       absl::StrCat(kParent, "fund { title: 'Grant' giver: 'Department' pays: HUB from_date: '",
                    kDate, "' to_date: '2023-03-31' amount_pence: 100000000000 }")}};
  for (const auto& step : once) RETURN_IF_ERROR(caller.Do(step[0], step[1], step[2]).status());
  for (int i = 0; i < kItems; ++i) {
    ASSIGN_OR_RETURN(stage.requests.emplace_back(),
                     caller.Make("requestor", "scheduling.v1.CreateRequest", kParent + kRequest));
    const std::string name = absl::StrCat("name: '", stage.requests.back(), "'");
    const Steps each = {{"requestor", "scheduling.v1.SubmitRequest", name},
                        {"facilitator", "scheduling.v1.AcceptRequest", name},
                        {"chair", "scheduling.v1.AcceptRequest", name}};
    for (const auto& step : each) RETURN_IF_ERROR(caller.Do(step[0], step[1], step[2]).status());
  }
  for (int i = 0; i < kReps; ++i) {
    ASSIGN_OR_RETURN(const std::string member,
                     caller.Make("membership_admin", "membership.v1.CreateMember",
                                 absl::StrCat(kParent, "member { ", kNewMember, "}")));
    ASSIGN_OR_RETURN(stage.reps.emplace_back(),
                     caller.Make("membership_admin", "membership.v1.CreateRep",
                                 absl::StrCat(kParent, "member: '", member, "'")));
    const std::string name = absl::StrCat("name: '", stage.reps.back(), "'");
    const std::string rep = absl::StrCat("rep: '", stage.reps.back(), "' ");
    const Steps each = {{"membership_admin", "membership.v1.StartInduction", name},
                        {"membership_admin", "membership.v1.CompleteInduction", name},
                        {"chair", "membership.v1.AcceptDocument", accept + rep},
                        {"chair", "membership.v1.MakeDeclaration",
                         absl::StrCat(kParent, "declaration { ", rep, "nil: true }")},
                        {"membership_admin", "membership.v1.ActivateRep", name}};
    for (const auto& step : each) RETURN_IF_ERROR(caller.Do(step[0], step[1], step[2]).status());
  }
  return stage;
}

std::unique_ptr<Thing> NewPlaces(Caller* caller, const Stage* stage) {
  return std::make_unique<PlacesThing>(caller, stage);
}
std::unique_ptr<Thing> NewMoney(Caller* caller, int number) {
  return std::make_unique<MoneyThing>(caller, number);
}
std::unique_ptr<Thing> NewRecord(Caller* caller) { return std::make_unique<RecordThing>(caller); }

Status CheckPromises(Caller& caller) {
  using Pairs = std::multiset<std::pair<std::string, std::string>>;  // rep, session
  Pairs placed, promised;
  scheduling::ListAllocationsRequest places;
  places.set_parent(kForum);
  places.set_page_size(500);
  places.set_filter("state = \"ALLOCATED\"");
  do {
    ASSIGN_OR_RETURN(const auto listed,
                     caller.Call<scheduling::ListAllocationsResponse>("chair", places, true));
    for (const auto& one : listed.allocations()) {
      if (placed.count({one.rep(), one.session()}) == 0) placed.insert({one.rep(), one.session()});
    }
    places.set_page_token(listed.next_page_token());
  } while (!places.page_token().empty());
  remuneration::ListCommitmentsRequest promises;
  promises.set_parent(kForum);
  promises.set_page_size(500);
  promises.set_filter("state = \"CONFIRMED\"");
  do {
    ASSIGN_OR_RETURN(const auto listed,
                     caller.Call<remuneration::ListCommitmentsResponse>("chair", promises, true));
    for (const auto& one : listed.commitments()) {
      // Those of the funds of a day were confirmed by hand.
      if (one.session_date() == kSessionDate) promised.insert({one.rep(), one.session()});
    }
    promises.set_page_token(listed.next_page_token());
  } while (!promises.page_token().empty());
  if (placed == promised) return Status();
  std::string text = absl::StrCat(placed.size(), " places and ", promised.size(), " promises;");
  for (const auto& one : placed) {
    if (promised.count(one) == 1) continue;
    absl::StrAppend(&text, " ", one.first, " in ", one.second, " has ", promised.count(one), ";");
  }
  for (const auto& one : promised) {
    if (placed.count(one) > 0) continue;
    absl::StrAppend(&text, " ", one.first, " has one and no place in ", one.second, ";");
  }
  return Internal(text);
}

}  // namespace hub::crash
