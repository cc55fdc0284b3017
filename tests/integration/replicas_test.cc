// Two processes of one service on one PostgreSQL, each with its own port: a call that is sent again
// to the other, before, during and after a crash, has the same answer byte by byte and one effect;
// of updates that rest on one version one is done.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/id.h"
#include "common/db/db.h"
#include "common/rpc/wire.h"
#include "common/schema/schema.h"
#include "common/testing/mini_postgres.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/impl/rpc_method.h"
#include "services/hubctl/token.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::membership::v1;
using google::protobuf::Message;

constexpr int kAtOnce = 16;
constexpr int kFromStart = 10;  // more commits than a start makes by itself
constexpr auto kAnswerWithin = std::chrono::seconds(30);

// An answer as it came, or why there is none.
struct Answer {
  Status status;
  std::string bytes;
  bool away() const { return status.code() == absl::StatusCode::kUnavailable; }
};

class Process {
 public:
  Process(std::string state, std::string database, int replica)
      : state_(std::move(state)), database_(std::move(database)), replica_(replica) {}
  ~Process() { Kill(); }

  // Returns when it serves.
  void Start(const std::string& failpoints = "") {
    std::vector<std::string> words = {HUB_MEMBERSHIPD,
                                      "--state=" + state_,
                                      "--listen=127.0.0.1:0",
                                      "--database=" + database_,
                                      "--keys_database=" + database_,
                                      absl::StrCat("--replica=", replica_)};
    if (!failpoints.empty()) words.push_back("--failpoints=" + failpoints);
    int out[2];
    ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
    const pid_t test = getpid();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // not longer than the test
      if (getppid() != test) _exit(1);
      dup2(out[1], STDOUT_FILENO);
      std::vector<char*> arguments;
      for (auto& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      _exit(1);
    }
    close(out[1]);
    // 'serving membership on port 12345'
    std::string said;
    char part[256];
    for (ssize_t n; said.find('\n') == std::string::npos && (n = read(out[0], part, 256)) > 0;) {
      said.append(part, static_cast<size_t>(n));
    }
    close(out[0]);
    int port = 0;
    ASSERT_TRUE(absl::SimpleAtoi(said.substr(said.rfind(' ') + 1), &port)) << said;
    auto channel =
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
    std::lock_guard<std::mutex> lock(mutex_);
    channel_ = std::move(channel);
  }
  // Waits for it to die of its failpoint.
  void WaitForDeath() {
    int status = 0;
    ASSERT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    pid_ = 0;
  }
  void Kill() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  Answer Send(const std::string& token, const Message& request) {
    std::shared_ptr<grpc::Channel> channel;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      channel = channel_;
    }
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    context.set_deadline(std::chrono::system_clock::now() + kAnswerWithin);
    const auto& path = schema::MethodOfRequest(request.GetDescriptor())->path;
    grpc::ByteBuffer received;
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
            channel.get(),
            grpc::internal::RpcMethod(path.c_str(), nullptr, grpc::internal::RpcMethod::NORMAL_RPC),
            &context, ToBuffer(request), &received);
    if (!status.ok()) return {FromWire(status), ""};
    std::vector<grpc::Slice> slices;
    std::string bytes;
    if (!received.Dump(&slices).ok()) return {Internal("no bytes"), ""};
    for (const auto& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return {Status(), std::move(bytes)};
  }

 private:
  const std::string state_, database_;
  const int replica_;
  pid_t pid_ = 0;
  std::mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_;
};

template <class T>
T Must(StatusOr<T> value) {
  EXPECT_TRUE(value.ok()) << value.status();
  return std::move(value).value();
}

class Replicas : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/replicas.XXXXXX";
    state_ = mkdtemp(folder);
    testing::MiniPostgresOptions options;
    options.fsync = false;  // processes die, not the machine
    postgres_ = Must(testing::MiniPostgres::Start(options));
    ASSERT_TRUE(ctl::InitState(state_, "warwickshire").ok());
    const std::string database = "postgres:" + postgres_->ConnString();
    for (int i : {0, 1}) {
      processes_.push_back(std::make_unique<Process>(state_, database, i));
      processes_[static_cast<size_t>(i)]->Start();
    }
    Grant("membership_admin");
    Grant("membership_admin:another");
    db::StoreOptions store;
    store.url = database;
    store.schema = "membership";
    store.read_only = true;
    store_ = Must(db::Store::Open(store));
  }
  void TearDown() override {
    store_.reset();
    processes_.clear();
    postgres_.reset();
    std::filesystem::remove_all(state_);
  }

  Process& one() { return *processes_[0]; }
  Process& two() { return *processes_[1]; }
  std::string Token(const std::string& as) { return Must(ctl::DevelopmentToken(state_, as, 600)); }
  std::string Admin() { return Token("membership_admin"); }
  void Grant(const std::string& subject) {
    v1::CreateForumRequest forum;
    forum.set_forum_id("warwickshire");
    forum.mutable_forum()->set_display_name("Warwickshire Parent Carer Voice");
    forum.set_request_id("the forum");
    ASSERT_TRUE(one().Send(Token("operator"), forum).status.ok());
    v1::CreateGrantRequest grant;
    grant.set_parent("forums/warwickshire");
    grant.mutable_grant()->set_issuer(ctl::IssuerUrl("forum"));
    grant.mutable_grant()->set_subject(subject);
    grant.mutable_grant()->set_role(coproduction::options::v1::MEMBERSHIP_ADMIN);
    grant.set_request_id(subject);
    ASSERT_TRUE(one().Send(Token("operator"), grant).status.ok());
  }
  static v1::CreateMemberRequest Request(const std::string& request_id = NewRandomId()) {
    v1::CreateMemberRequest request;
    request.set_parent("forums/warwickshire");
    request.set_request_id(request_id);
    auto* member = request.mutable_member();
    member->set_given_name("Jo");
    member->set_family_name("Example");
    member->set_residence(v1::Member::LIVES_HERE);
    member->set_reach_by(v1::Member::POST);
    member->set_joined_on("2021-05-04");
    return request;
  }
  int64_t Members() {
    int64_t rows = -1;
    Status status = store_->ReadAndWait([&](db::Conn& conn) {
      return conn.Query("SELECT COUNT(*) FROM members", {}, [&](const db::Row& row) {
        rows = row.Int(0);
        return Status();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  }
  // To both in turn, from as many threads.
  std::vector<Answer> AtOnce(const Message& request) {
    std::vector<Answer> answers(kAtOnce);
    std::atomic<int> ready{0};
    std::vector<std::thread> senders;
    const std::string token = Admin();
    for (size_t i = 0; i < kAtOnce; ++i) {
      senders.emplace_back([&, i] {
        for (++ready; ready < kAtOnce;) std::this_thread::yield();
        answers[i] = processes_[i % 2]->Send(token, request);
      });
    }
    for (auto& sender : senders) sender.join();
    return answers;
  }
  // Calls until it dies of its failpoint; the call that had no answer then has one elsewhere.
  void DiesAndTheOtherAnswers(const std::string& failpoint) {
    const std::string token = Admin();
    std::map<std::string, std::string> answered;  // by request_id
    for (int round = 1; round <= 5; ++round) {
      one().Kill();
      one().Start(absl::StrCat(failpoint, "@", kFromStart + 3 * round));
      std::string last;
      for (bool alive = true; alive;) {
        const auto request = Request();
        last = request.request_id();
        const Answer first = one().Send(token, request);
        alive = first.status.ok();
        EXPECT_TRUE(alive || first.away()) << first.status;
        const Answer second = two().Send(token, request);
        ASSERT_TRUE(second.status.ok()) << second.status;
        EXPECT_TRUE(!alive || first.bytes == second.bytes);
        answered[last] = second.bytes;
      }
      one().WaitForDeath();
      one().Start();
      const Answer after = one().Send(token, Request(last));
      ASSERT_TRUE(after.status.ok()) << after.status;
      EXPECT_EQ(after.bytes, answered[last]) << "the call that met the crash";
    }
    for (const auto& [id, bytes] : answered) {
      for (auto& process : processes_) EXPECT_EQ(process->Send(token, Request(id)).bytes, bytes);
    }
    EXPECT_EQ(Members(), static_cast<int64_t>(answered.size()));
  }

  std::string state_;
  std::unique_ptr<testing::MiniPostgres> postgres_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::unique_ptr<db::Store> store_;
};

TEST_F(Replicas, ACallThatDiedBeforeItsCommitIsDoneByTheOther) {
  DiesAndTheOtherAnswers("before-commit");
}

TEST_F(Replicas, ACallThatDiedAfterItsCommitIsAnsweredByTheOtherAsItWasDone) {
  DiesAndTheOtherAnswers("after-commit");
}

TEST_F(Replicas, CallsInACrashAreAnsweredByTheOtherOnceAndForAll) {
  std::atomic<bool> over{false}, up{true};
  std::atomic<int> met{0};
  std::mutex mutex;
  std::map<std::string, std::string> answered;
  const std::string token = Admin();
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      while (!over) {
        if (!up) {
          std::this_thread::yield();
          continue;
        }
        const auto request = Request();
        Answer answer = one().Send(token, request);
        if (answer.away()) {
          ++met;
          answer = two().Send(token, request);
        }
        EXPECT_TRUE(answer.status.ok()) << answer.status;
        std::lock_guard<std::mutex> lock(mutex);
        answered[request.request_id()] = answer.bytes;
      }
    });
  }
  auto count = [&] {
    std::lock_guard<std::mutex> lock(mutex);
    return answered.size();
  };
  for (int kills = 0; kills < 6; ++kills) {
    for (const size_t before = count(); count() < before + 40;) std::this_thread::yield();
    one().Kill();
    up = false;
    one().Start();
    up = true;
  }
  over = true;
  for (auto& caller : callers) caller.join();
  EXPECT_GT(met, 0) << "calls met the crashes";
  for (const auto& [id, bytes] : answered) {
    for (auto& process : processes_) {
      const Answer again = process->Send(token, Request(id));
      EXPECT_TRUE(again.status.ok()) << again.status;
      EXPECT_EQ(again.bytes, bytes);
    }
  }
  EXPECT_EQ(Members(), static_cast<int64_t>(answered.size()));
  std::printf("%zu calls, %d of them met one of 6 kills\n", answered.size(), met.load());
}

TEST_F(Replicas, OneCallAtOnceHasOneEffectAndOneAnswer) {
  for (int round = 1; round <= 20; ++round) {
    const auto answers = AtOnce(Request());
    for (const auto& answer : answers) {
      ASSERT_TRUE(answer.status.ok()) << answer.status;
      EXPECT_EQ(answer.bytes, answers[0].bytes);
    }
    EXPECT_EQ(Members(), round);
  }
}

TEST_F(Replicas, AnotherBodyIsRefusedAndAnotherPrincipalIsAnother) {
  const auto request = Request();
  const Answer first = one().Send(Admin(), request);
  ASSERT_TRUE(first.status.ok()) << first.status;
  auto changed = request;
  changed.mutable_member()->set_given_name("Sam");
  EXPECT_EQ(ReasonOf(two().Send(Admin(), changed).status), errors::REQUEST_ID_REUSED);
  const Answer other = two().Send(Token("membership_admin:another"), request);
  ASSERT_TRUE(other.status.ok()) << other.status;
  EXPECT_NE(other.bytes, first.bytes);
  EXPECT_EQ(Members(), 2);
}

TEST_F(Replicas, OfUpdatesWithOneEtagAtOnceOneIsDone) {
  v1::Member member;
  ASSERT_TRUE(member.ParseFromString(one().Send(Admin(), Request()).bytes));
  for (int round = 1; round <= 20; ++round) {
    v1::UpdateMemberRequest update;
    update.mutable_member()->set_name(member.name());
    update.mutable_member()->set_etag(member.etag());
    update.mutable_member()->set_phone(absl::StrCat("07700 9000", 10 + round));
    update.mutable_update_mask()->add_paths("phone");
    int done = 0, refused = 0;
    for (const auto& answer : AtOnce(update)) {
      if (answer.status.ok()) ++done, member.ParseFromString(answer.bytes);
      refused += answer.status.code() == absl::StatusCode::kAborted &&
                 ReasonOf(answer.status) == errors::ETAG_MISMATCH;
    }
    EXPECT_EQ(done, 1);
    EXPECT_EQ(refused, kAtOnce - 1);
  }
}

}  // namespace
}  // namespace hub
