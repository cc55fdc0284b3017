#include "tests/crash/load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <queue>
#include <regex>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/journal/context.h"
#include "common/schema/schema.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "google/protobuf/text_format.h"
#include "services/hubctl/grants.h"
#include "services/hubctl/token.h"

namespace hub::crash {
namespace {

using ctl::DerivedId;
using google::protobuf::Message;

constexpr double kSecond = 1e6;
constexpr Micros kFirstPause = 50'000, kLongestPause = 2'000'000;  // before another attempt

struct Step {
  const char* who;      // a word of --as; '#' stands for the story's rep
  const char* message;  // the request, without 'coproduction.' and 'Request'
  // Text format. '$Session' stands for the name of the last record of that type that an answer
  // brought, '$Session.id' for its id, '$Document.text_hash' for a field; '#' for the story.
  const char* text;
  bool waits = false;  // for another service's event: refused, or an empty list, until it is there
};

constexpr Step kOnce[] = {
    {"chair", "membership.v1.PublishDocument",
     R"(parent: "forums/warwickshire" document { kind: CODE_OF_CONDUCT text: "Be kind." })"},
    {"treasurer", "remuneration.v1.SetRate",
     R"(parent: "forums/warwickshire"
        rate { kind: FEE_TWO_HOURS from_date: "2022-01-01" tenth_pence: 50000 })"},
    {"treasurer", "remuneration.v1.CreateFund",
     R"(parent: "forums/warwickshire"
        fund { title: "Grant" giver: "Department" from_date: "2022-04-01" to_date: "2023-03-31"
               amount_pence: 100000000000 pays: HUB pays: PREP pays: BOARD pays: PRIORITY })"},
};

constexpr char kAdmin[] = "membership_admin";
constexpr char kChair[] = "chair";
constexpr char kFacilitator[] = "facilitator";
constexpr char kRequestor[] = "requestor";
constexpr char kRep[] = "rep:#";

constexpr Step kStory[] = {
    {kAdmin, "membership.v1.CreateMember",
     R"(parent: "forums/warwickshire"
        member { given_name: "Jo" family_name: "#" residence: LIVES_HERE reach_by: POST
                 joined_on: "2022-05-04" })"},
    {kAdmin, "membership.v1.UpdateMember",
     R"(member { name: "$Member" phone: "07700 900001" } update_mask { paths: "phone" })"},
    {kAdmin, "membership.v1.CreateRep",
     R"(parent: "forums/warwickshire" member: "$Member" most_hours_a_month: 8)"},
    {kAdmin, "membership.v1.StartInduction", R"(name: "$Rep")"},
    {kAdmin, "membership.v1.CompleteInduction", R"(name: "$Rep")"},
    {kChair, "membership.v1.AcceptDocument",
     R"(name: "$Document" rep: "$Rep" text_hash: "$Document.text_hash")"},
    {kChair, "membership.v1.MakeDeclaration",
     R"(parent: "forums/warwickshire" declaration { rep: "$Rep" nil: true })"},
    {kAdmin, "membership.v1.ActivateRep", R"(name: "$Rep")"},
    {kChair, "membership.v1.CreateGrant",
     R"(parent: "forums/warwickshire"
        grant { issuer: "https://forum.dev.example" subject: "rep:#" role: REP
                person: "$Member.id" })"},
    {kFacilitator, "scheduling.v1.CreateSession",
     R"(parent: "forums/warwickshire"
        session { series: HUB date: "2022-05-06" start_time: "11:00" })"},
    {kRequestor, "scheduling.v1.CreateRequest",
     R"(parent: "forums/warwickshire"
        request {
          title: "#" workstream: BUSINESS_AS_USUAL purpose: DISCUSSION decision_stage: OPTIONS
          can_change: "Where and when" cannot_change: "The budget" who_decides: "Cabinet"
          requestor: "the requestor" team: "Commissioning" minutes_wanted: 20
          needed_by: "2022-07-31" papers: "none" attendees: "only the requestor" })"},
    {kRequestor, "scheduling.v1.SubmitRequest", R"(name: "$EngagementRequest")"},
    {kFacilitator, "scheduling.v1.AcceptRequest", R"(name: "$EngagementRequest")"},
    {kChair, "scheduling.v1.AcceptRequest", R"(name: "$EngagementRequest")"},
    {kFacilitator, "scheduling.v1.CreateItem",
     R"(parent: "forums/warwickshire"
        item { request: "$EngagementRequest" session: "$Session" minutes_planned: 20 })"},
    {kChair, "scheduling.v1.InviteRep",
     R"(parent: "forums/warwickshire" rep: "$Rep" session: "$Session")"},
    {kRep, "scheduling.v1.ReplyToInvitation", R"(name: "$Invitation" reply: YES)"},
    {kChair, "scheduling.v1.AllocateRep",
     R"(parent: "forums/warwickshire" rep: "$Rep" item: "$Item")"},
    {kFacilitator, "scheduling.v1.ProposeAgenda",
     R"(name: "$Session" link_person: "the participation officer"
        brief: "We talk about short breaks." prep: IN_WRITING)"},
    {kFacilitator, "scheduling.v1.AgreeAgenda", R"(name: "$Session")"},
    {kChair, "scheduling.v1.AgreeAgenda", R"(name: "$Session")"},
    {kChair, "scheduling.v1.PresentItem", R"(name: "$Item" minutes_actual: 25)"},
    {kChair, "scheduling.v1.HoldSession",
     R"(name: "$Session" reps_present: 1 not_quorate_reason: "One rep was enough for this.")"},
    {kChair, "engagement.v1.TakeAttendance",
     R"(parent: "forums/warwickshire" rep: "$Rep" item: "$Item")", true},
    {kFacilitator, "engagement.v1.AddPoint",
     R"(parent: "forums/warwickshire" record: "forums/warwickshire/records/$Item.id" kind: VIEW
        text: "too late in the day")",
     true},
    {kFacilitator, "engagement.v1.ProposeRecord",
     R"(name: "forums/warwickshire/records/$Item.id")"},
    {kChair, "engagement.v1.AgreeRecord", R"(name: "$Record")"},
    {kChair, "engagement.v1.ShareRecord", R"(name: "$Record")"},
    {kRequestor, "engagement.v1.GiveFeedback",
     R"(name: "forums/warwickshire/influenceAccounts/$Item.id" answer: CHANGED
        what: "It is in the morning now." view_answers { point: "$Point" text: "it is at 10" })",
     true},
    {kChair, "engagement.v1.RecogniseFeedback",
     R"(name: "forums/warwickshire/influenceAccounts/$Item.id" recognition: AGREE)"},
    {kChair, "engagement.v1.DecideFurtherInvolvement",
     R"(parent: "forums/warwickshire" item: "$Item" decision: RETURN
        wish: "Come back with the figures.")"},
    {kRequestor, "scheduling.v1.ListRequests",
     R"(parent: "forums/warwickshire" filter: "follow_up_of = \"$Item\"")", true},
    {kRep, "remuneration.v1.ListEntitlements",
     R"(parent: "forums/warwickshire" filter: "session = \"$Session\"")", true},
    {kRep, "remuneration.v1.PrefillClaim",
     R"(parent: "forums/warwickshire" from_date: "2022-05-06" to_date: "2022-05-06")"},
    {kRep, "remuneration.v1.SubmitClaim", R"(name: "$Claim")"},
    {kChair, "remuneration.v1.ApproveClaim", R"(name: "$Claim" fund: "$Fund")"},
    {"treasurer", "remuneration.v1.PayClaim", R"(name: "$Claim")"},
};

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

const google::protobuf::Descriptor* TypeOf(const Step& step) {
  return google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      absl::StrCat("coproduction.", step.message, "Request"));
}

bool IsCommand(const Step& step) { return TypeOf(step)->FindFieldByName("request_id") != nullptr; }

using Records = std::map<std::string, std::shared_ptr<const Message>>;  // the last of each type

// A story under way.
struct Story {
  std::string label;
  size_t step = 0;
  Records records;
  Micros due = 0;    // the next attempt
  Micros begun = 0;  // the step's first
  Micros pause = kFirstPause;
  int attempts = 0;
};

// Which step of which story is next, for any number of workers.
class Stories {
 public:
  void Put(std::unique_ptr<Story> story) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push(std::move(story));
    changed_.notify_all();
  }
  void Begin(std::unique_ptr<Story> story) {
    ++open_;
    Put(std::move(story));
  }
  void End() {
    std::lock_guard<std::mutex> lock(mutex_);
    --open_;
    changed_.notify_all();
  }
  void NoMore() {
    std::lock_guard<std::mutex> lock(mutex_);
    no_more_ = true;
    changed_.notify_all();
  }
  // The next that is due; null when all have ended.
  std::unique_ptr<Story> Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      if (no_more_ && open_ == 0) return nullptr;
      const Micros wait = queue_.empty() ? kLongestPause : queue_.top()->due - MachineNow();
      if (!queue_.empty() && wait <= 0) {
        auto story = std::move(const_cast<std::unique_ptr<Story>&>(queue_.top()));
        queue_.pop();
        return story;
      }
      changed_.wait_for(lock, std::chrono::microseconds(wait));
    }
  }

 private:
  struct Later {
    bool operator()(const std::unique_ptr<Story>& a, const std::unique_ptr<Story>& b) const {
      return a->due > b->due;
    }
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<std::unique_ptr<Story>, std::vector<std::unique_ptr<Story>>, Later> queue_;
  std::atomic<int64_t> open_{0};
  bool no_more_ = false;
};

class Caller {
 public:
  explicit Caller(const LoadOptions& options)
      : options_(options),
        servers_(std::make_shared<ctl::Servers>(options.hub.server, options.plain)) {}

  // One attempt of a step. OK with `*there` false: what it waits for has not come yet.
  Status Attempt(const Step& step, const std::string& label, Records* records, bool* there) {
    *there = true;
    const auto* type = TypeOf(step);
    if (type == nullptr) return Internal(absl::StrCat("no request ", step.message));
    const auto* method = schema::MethodOfRequest(type);
    auto request = New(type);
    const std::string text = Resolved(step.text, label, *records);
    if (!google::protobuf::TextFormat::ParseFromString(text, request.get())) {
      return Internal(absl::StrCat("no ", type->name(), ": ", text));
    }
    if (const auto* id = type->FindFieldByName("request_id")) {
      request->GetReflection()->SetString(
          request.get(), id, DerivedId(absl::StrCat(label, "|", step.message, "|", step.who)));
    }
    std::shared_ptr<Message> answer = New(method->descriptor->output_type());
    const Status status =
        ClientOf(Resolved(step.who, label, *records)).Call(method->path, *request, answer.get());
    if (ReasonOf(status) == errors::ALREADY_DONE) {
      return Internal(
          "a command of this run was told that it had been done before, without the "
          "answer: " +
          MessageOf(status));
    }
    if (step.waits && (status.code() == absl::StatusCode::kNotFound ||
                       status.code() == absl::StatusCode::kFailedPrecondition)) {
      *there = false;
      return Status();
    }
    RETURN_IF_ERROR(status);
    if (step.waits && absl::StrContains(step.message, ".List")) *there = answer->ByteSizeLong() > 0;
    (*records)[answer->GetDescriptor()->name()] = std::move(answer);
    return Status();
  }

 private:
  static std::string Resolved(const std::string& text, const std::string& label,
                              const Records& records) {
    static const std::regex kMark(R"(#|\$([A-Za-z]+)(\.([a-z_]+))?)");
    std::string resolved;
    auto from = text.begin();
    for (std::sregex_iterator mark(text.begin(), text.end(), kMark), end; mark != end; ++mark) {
      resolved.append(from, (*mark)[0].first);
      from = (*mark)[0].second;
      if (*(*mark)[0].first == '#') {
        resolved += label;
        continue;
      }
      const auto record = records.find((*mark)[1]);
      if (record == records.end()) continue;
      const std::string field = (*mark)[3];
      resolved += field == "id" ? IdOf(schema::GetName(*record->second))
                                : schema::TextOf(*record->second, field.empty() ? "name" : field);
    }
    return resolved.append(from, text.end());
  }

  const ctl::Client& ClientOf(const std::string& who) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto& client = clients_[who];
    if (client == nullptr) {
      ctl::Options options = options_.hub;
      options.as = who;
      client = std::make_unique<ctl::Client>(servers_, ctl::Kept(ctl::TokensOf(options)));
    }
    return *client;
  }

  const LoadOptions& options_;
  const std::shared_ptr<const ctl::Servers> servers_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ctl::Client>> clients_;
};

bool IsTransient(const Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : options_(options), caller_(options) {}

  StatusOr<LoadReport> Run() {
    Records once;
    for (const Step& step : kOnce) {
      const Micros until = MachineNow() + static_cast<Micros>(options_.patience * kSecond);
      bool there;
      Status status = caller_.Attempt(step, "load", &once, &there);
      while (IsTransient(status) && MachineNow() < until) {
        std::this_thread::sleep_for(std::chrono::microseconds(kFirstPause));
        status = caller_.Attempt(step, "load", &once, &there);
      }
      RETURN_IF_ERROR(status);
    }
    const Micros from = MachineNow();
    std::vector<std::jthread> workers;
    for (int i = 0; i < options_.workers; ++i) workers.emplace_back([this] { Work(); });
    std::jthread teller([this](std::stop_token stop) { Tell(stop); });
    const auto length = static_cast<double>(std::count_if(
        std::begin(kStory), std::end(kStory), [](const Step& s) { return IsCommand(s); }));
    for (int64_t n = 0;; ++n) {
      const Micros due =
          from + static_cast<Micros>(static_cast<double>(n) * length / options_.rate * kSecond);
      if (options_.commands > 0
              ? static_cast<double>(n) * length >= static_cast<double>(options_.commands)
              : static_cast<double>(due - from) >= options_.seconds * kSecond) {
        break;
      }
      auto story = std::make_unique<Story>();
      story->label = absl::StrCat(options_.seed, "-", n);
      story->records = once;
      story->due = due;
      stories_.Begin(std::move(story));
      ++report_.stories;
      std::this_thread::sleep_for(std::chrono::microseconds(due - MachineNow()));
    }
    stories_.NoMore();
    for (auto& worker : workers) worker.join();
    report_.seconds = static_cast<double>(MachineNow() - from) / kSecond;
    return report_;
  }

 private:
  void Work() {
    while (auto story = stories_.Take()) Go(std::move(story));
  }

  // One attempt of the story's next step.
  void Go(std::unique_ptr<Story> story) {
    const Step& step = kStory[story->step];
    if (story->begun == 0) story->begun = MachineNow();
    bool there = true;
    const Status status = caller_.Attempt(step, story->label, &story->records, &there);
    const Micros now = MachineNow(), taken = now - story->begun;
    std::unique_lock<std::mutex> lock(mutex_);
    if (IsTransient(status)) {
      if (story->attempts++ == 0) ++report_.retried;
      ++report_.attempts_by_code[absl::StatusCodeToString(status.code())];
    }
    const bool patient = static_cast<double>(taken) < options_.patience * kSecond;
    if ((IsTransient(status) || (status.ok() && !there)) && patient) {
      lock.unlock();
      story->due = now + story->pause;
      story->pause = std::min(2 * story->pause, kLongestPause);
      stories_.Put(std::move(story));
      return;
    }
    ++report_.calls;
    if (!status.ok() || !there) {
      ++report_.failed;
      if (report_.first_failure.empty()) {
        report_.first_failure =
            absl::StrCat(story->label, ": ", step.message, " as ", step.who, ": ",
                         there ? MessageOf(status)
                               : absl::StrCat("nothing came within ", options_.patience, " s"));
      }
      stories_.End();
      return;
    }
    if (IsCommand(step)) ++report_.commands;
    if (!step.waits) {
      report_.longest = std::max(report_.longest, static_cast<double>(taken) / kSecond);
    }
    if (++story->step == std::size(kStory)) return stories_.End();
    lock.unlock();
    story->due = now;
    story->begun = 0;
    story->pause = kFirstPause;
    story->attempts = 0;
    stories_.Put(std::move(story));
  }

  void Tell(std::stop_token stop) {
    std::unique_lock<std::mutex> lock(mutex_);
    std::condition_variable_any never;
    while (!never.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; }) &&
           !stop.stop_requested()) {
      std::fprintf(stderr, "commands %lld of stories %lld, calls %lld, retried %lld, failed %lld\n",
                   static_cast<long long>(report_.commands),
                   static_cast<long long>(report_.stories), static_cast<long long>(report_.calls),
                   static_cast<long long>(report_.retried), static_cast<long long>(report_.failed));
    }
  }

  const LoadOptions options_;
  Caller caller_;
  Stories stories_;
  std::mutex mutex_;
  LoadReport report_;
};

}  // namespace

Status Prepare(const LoadOptions& options) {
  ctl::Options as = options.hub;
  as.as = "operator";
  coproduction::hub::v1::SetDateRequest request;
  request.set_date(kDate);
  RETURN_IF_ERROR(ctl::Client(as, options.patience)
                      .CallEach<coproduction::hub::v1::HubStatus>(request)
                      .status());
  return ctl::MakeGrants(options.hub);  // from that date on
}

StatusOr<LoadReport> Load(const LoadOptions& options) { return Loader(options).Run(); }

}  // namespace hub::crash
