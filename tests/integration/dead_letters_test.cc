// Events that are refused too often, on both databases: set aside, seen without what they say, done
// again once and in their order, or given up.
#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "coproduction/membership/events/v1/events.pb.h"
#include "services/scheduling/module.h"
#include "tests/integration/engine_fixture.h"

namespace hub {
namespace {

namespace v1 = ::coproduction::hub::v1;
namespace events = ::coproduction::membership::events::v1;
using coproduction::options::v1::CHAIR;
using coproduction::options::v1::OPERATOR;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kForum;
using ::testing::Not;
using testing::Refused;

constexpr int kTries = 5;
constexpr char kSecret[] = "Jo Example of Rugby";

// Ids of events that the handler refuses.
std::set<std::string>& Refusing() {
  static std::set<std::string> ids;
  return ids;
}

// The record that it then says is not there; empty: it refuses by a rule.
std::string& Missing() {
  static std::string name;
  return name;
}

// Notes what was done, and in which order.
Status OnRepPaused(Write& write, const events::RepPaused& event, const Envelope& envelope) {
  ASSIGN_OR_RETURN(int64_t before, write.Number("SELECT COUNT(*) FROM overdue_feedback", {}));
  RETURN_IF_ERROR(
      write.sql()
          .Exec("INSERT INTO overdue_feedback(forum, influence_account, partner, team) "
                "VALUES ($1, $2, $3, $4)",
                {write.forum(), envelope.id, event.rep(), std::to_string(1000 + before)})
          .status());
  if (Refusing().count(envelope.id) == 0) return Status();
  if (!Missing().empty()) {
    return Refuse(errors::RESOURCE_NOT_FOUND, Missing() + " is not there", Missing());
  }
  return RuleRefused("not_today", std::string(kSecret) + " cannot pause today");
}

// Scheduling, but for what it does with other services' events.
Module Noting() {
  Module module = scheduling::MakeSchedulingModule();
  module.consumers = [](Consumers& consumers) { consumers.On<events::RepPaused>(OnRepPaused); };
  return module;
}

class DeadLetters : public OneService {
 protected:
  DeadLetters() : OneService(Noting()) {
    Refusing().clear();
    Missing().clear();
    mini_.SetDate("2021-12-01");
    operator_ = mini_.Token(OPERATOR);
  }
  static std::string Rep(const std::string& id) { return std::string(kForum) + "/reps/" + id; }
  // As the stream brings it, once.
  Status Bring(const std::string& rep, int64_t sequence) {
    events::RepPaused event;
    event.set_rep(Rep(rep));
    const Envelope envelope{rep + std::to_string(sequence),
                            event.GetDescriptor()->full_name(),
                            event.rep(),
                            sequence,
                            sequence,
                            "1",
                            1};
    return mini_.runtime().Apply(envelope, event.SerializeAsString());
  }
  void SetAside(const std::string& rep, int64_t sequence) {
    Refusing().insert(rep + std::to_string(sequence));
    for (int i = 1; i < kTries; ++i) EXPECT_FALSE(Bring(rep, sequence).ok());
    EXPECT_TRUE(Bring(rep, sequence).ok());
  }
  std::vector<v1::DeadLetter> List(const std::string& parent = "forums/-", int page_size = 0) {
    std::vector<v1::DeadLetter> all;
    v1::ListDeadLettersRequest in;
    in.set_parent(parent);
    in.set_page_size(page_size);
    do {
      auto page = mini_.Call<v1::ListDeadLettersResponse>(operator_, in);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      all.insert(all.end(), page->dead_letters().begin(), page->dead_letters().end());
      in.set_page_token(page->next_page_token());
    } while (!in.page_token().empty());
    return all;
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const auto& letter : List()) ids.push_back(letter.event());
    return ids;
  }
  v1::RedriveDeadLettersResponse Redrive(const std::string& rep = "",
                                         const std::string& request_id = "") {
    v1::RedriveDeadLettersRequest in;
    in.set_service("scheduling");
    in.set_request_id(request_id);
    if (!rep.empty()) in.set_aggregate(Rep(rep));
    auto out = mini_.Call<v1::RedriveDeadLettersResponse>(operator_, in);
    EXPECT_TRUE(out.ok()) << out.status();
    return out.value_or(v1::RedriveDeadLettersResponse());
  }
  StatusOr<v1::DeadLetter> Discard(const std::string& event, const std::string& reason,
                                   const std::string& request_id = "") {
    v1::DiscardDeadLetterRequest in;
    in.set_service("scheduling");
    in.set_event(event);
    in.set_reason(reason);
    in.set_request_id(request_id);
    return mini_.Call<v1::DeadLetter>(operator_, in);
  }
  // What the handler did, in the order in which it was done.
  std::vector<std::string> Done(const std::string& rep = "") {
    const std::string of = rep.empty() ? "" : " WHERE partner = '" + Rep(rep) + "'";
    return Texts("SELECT influence_account FROM overdue_feedback" + of + " ORDER BY team");
  }
  int64_t Counted() { return mini_.runtime().Condition()->dead_letters(); }

  std::string operator_;
};

ON_BOTH_DATABASES(DeadLetters);

TEST_P(DeadLetters, AreSeenByTheOperatorWithoutWhatTheySay) {
  SetAside("a", 1);
  EXPECT_EQ(Counted(), 1);
  EXPECT_THAT(Done(), ElementsAre());
  const auto letters = List();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].service(), "scheduling");
  EXPECT_EQ(letters[0].event(), "a1");
  EXPECT_EQ(letters[0].type(), "RepPaused");
  EXPECT_EQ(letters[0].aggregate(), Rep("a"));
  EXPECT_EQ(letters[0].reason(), "RULE_REFUSED");
  EXPECT_EQ(letters[0].about(), "not_today");
  EXPECT_EQ(letters[0].tries(), kTries);
  EXPECT_EQ(LondonDate(ToMicros(letters[0].time())), "2021-12-01");
  EXPECT_THAT(letters[0].SerializeAsString(), Not(HasSubstr(kSecret)));
  EXPECT_THAT(Texts("SELECT error || about FROM dead_letters"),
              ElementsAre(Not(HasSubstr(kSecret))));
  v1::ListDeadLettersRequest in;
  in.set_parent(kForum);
  EXPECT_TRUE(Refused(mini_.Call<v1::ListDeadLettersResponse>(mini_.Token(CHAIR), in).status(),
                      errors::ROLE_NOT_ALLOWED));
}

TEST_P(DeadLetters, DoNotTellWhichOtherRecordTheySpeakOf) {
  Missing() = Rep("somebody");
  SetAside("a", 1);
  EXPECT_EQ(List()[0].reason(), "RESOURCE_NOT_FOUND");
  EXPECT_EQ(List()[0].about(), "reps");
}

TEST_P(DeadLetters, OfAnEarlierVersionShowNoSentenceEither) {
  SetAside("a", 1);
  Change("UPDATE dead_letters SET error = $1", {std::string(kSecret)});
  EXPECT_EQ(List()[0].reason(), "INTERNAL_FAULT");
  EXPECT_THAT(List()[0].SerializeAsString(), Not(HasSubstr(kSecret)));
}

TEST_P(DeadLetters, AreListedByPagesAndByForum) {
  for (const char* rep : {"a", "b", "c", "d", "e"}) SetAside(rep, 1);
  EXPECT_EQ(List("forums/-", 2).size(), 5u);
  EXPECT_EQ(List(kForum).size(), 5u);
  EXPECT_EQ(List("forums/warwick").size(), 0u);
}

TEST_P(DeadLetters, AreDoneAgainOnce) {
  SetAside("a", 1);
  Refusing().clear();
  const std::string id = "6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c21";
  const auto first = Redrive("", id);
  EXPECT_EQ(first.done(), 1);
  EXPECT_EQ(first.left(), 0);
  EXPECT_THAT(Done(), ElementsAre("a1"));
  EXPECT_EQ(Counted(), 0);
  EXPECT_EQ(mini_.Rows("dead_letters"), 0);
  const int64_t rows = mini_.Rows("journal");
  EXPECT_EQ(Redrive("", id).SerializeAsString(), first.SerializeAsString()) << "the same answer";
  EXPECT_EQ(mini_.Rows("journal"), rows);
  EXPECT_EQ(Redrive().done(), 0);
  EXPECT_TRUE(Bring("a", 1).ok()) << "and the stream may bring it again";
  EXPECT_THAT(Done(), ElementsAre("a1"));
}

TEST_P(DeadLetters, RefusedAgainStayWithWhatWasSaidLast) {
  SetAside("a", 1);
  EXPECT_EQ(Redrive().left(), 1);
  const auto letters = List();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].tries(), kTries + 1);
  EXPECT_EQ(letters[0].reason(), "RULE_REFUSED");
  EXPECT_THAT(Done(), ElementsAre()) << "the refused handler left nothing";
}

TEST_P(DeadLetters, LetTheEventsOfOtherRecordsGoOnAndHoldBackTheirOwn) {
  SetAside("a", 1);
  EXPECT_TRUE(Bring("a", 2).ok());
  EXPECT_TRUE(Bring("b", 1).ok());
  EXPECT_TRUE(Bring("a", 3).ok());
  EXPECT_THAT(Done(), ElementsAre("b1"));
  EXPECT_THAT(Ids(), ElementsAre("a1", "a2", "a3"));
  EXPECT_EQ(List()[1].tries(), 0);
  EXPECT_EQ(List()[1].reason(), "");
  EXPECT_EQ(Redrive().done(), 0) << "what waits is not done before what it waits for";
  EXPECT_EQ(List()[1].tries(), 0);
  Refusing().clear();
  EXPECT_EQ(Redrive("a").done(), 3);
  EXPECT_THAT(Done(), ElementsAre("b1", "a1", "a2", "a3"));
  EXPECT_TRUE(Bring("a", 4).ok());
  EXPECT_THAT(Done(), ElementsAre("b1", "a1", "a2", "a3", "a4"));
}

TEST_P(DeadLetters, OfOneRecordAreDoneAlone) {
  SetAside("a", 1);
  SetAside("b", 1);
  Refusing() = {"a1"};
  const auto out = Redrive("b");
  EXPECT_EQ(out.done(), 1);
  EXPECT_EQ(out.left(), 0);
  EXPECT_THAT(Ids(), ElementsAre("a1"));
}

TEST_P(DeadLetters, OneThatIsRefusedHoldsUpNoOtherRecord) {
  SetAside("a", 1);
  EXPECT_TRUE(Bring("a", 2).ok());
  SetAside("b", 1);
  EXPECT_TRUE(Bring("b", 2).ok());
  Refusing() = {"a1"};
  const auto out = Redrive();
  EXPECT_EQ(out.done(), 2);
  EXPECT_EQ(out.left(), 2);
  EXPECT_THAT(Ids(), ElementsAre("a1", "a2"));
}

TEST_P(DeadLetters, GivenUpAreKeptWithTheReasonAndWaitedForNoMore) {
  SetAside("a", 1);
  EXPECT_TRUE(Bring("a", 2).ok());
  const std::string id = "6f0e9a4e-4a93-4d0c-9d5f-0a3a8a3b7c22";
  auto given_up = Discard("a1", "The rep had left before.", id);
  ASSERT_TRUE(given_up.ok()) << given_up.status();
  EXPECT_EQ(given_up->event(), "a1");
  EXPECT_EQ(Discard("a1", "The rep had left before.", id)->SerializeAsString(),
            given_up->SerializeAsString());
  EXPECT_EQ(Counted(), 1);
  EXPECT_THAT(Ids(), ElementsAre("a2"));
  EXPECT_THAT(Texts("SELECT given_up FROM dead_letters WHERE event_id = 'a1'"),
              ElementsAre("The rep had left before."));
  EXPECT_EQ(Redrive().done(), 1);
  EXPECT_THAT(Done(), ElementsAre("a2"));
  EXPECT_TRUE(Refused(Discard("a2", "No.").status(), errors::RESOURCE_NOT_FOUND, "a2"));
  EXPECT_TRUE(Refused(Discard("a1", "Another reason.").status(), errors::RESOURCE_NOT_FOUND));
}

TEST_P(DeadLetters, AreDoneOnceByTwoOperatorsAtOnce) {
  for (int round = 1; round <= 10; ++round) {
    const std::string rep = "r" + std::to_string(round);
    SetAside(rep, 1);
    EXPECT_TRUE(Bring(rep, 2).ok());
    Refusing().clear();
    std::atomic<int> done{0};
    std::vector<std::thread> operators;
    for (int i = 0; i < 4; ++i) operators.emplace_back([&] { done += Redrive(rep).done(); });
    EXPECT_TRUE(Bring(rep, 3).ok());  // and while they do
    for (auto& one : operators) one.join();
    done += Redrive(rep).done();  // if it came while another still waited
    EXPECT_EQ(Counted(), 0);
    EXPECT_THAT(Done(rep), ElementsAre(rep + "1", rep + "2", rep + "3"));
    EXPECT_GE(done, 2);
  }
}

TEST_P(DeadLetters, OfAGapAreTheMissedEventsThemselves) {
  // The stream lost two events, of which the owner has told the first already.
  Refusing() = {"a2"};
  EXPECT_TRUE(Bring("a", 1).ok());
  mini_.Answer<v1::ListEventsRequest, v1::ListEventsResponse>(
      [&](const v1::ListEventsRequest& in) -> StatusOr<v1::ListEventsResponse> {
        v1::ListEventsResponse out;
        for (int64_t n = in.after_sequence() + 1; n <= 4 && out.events_size() < 1; ++n) {
          auto& event = *out.add_events();
          events::RepPaused body;
          body.set_rep(in.aggregate());
          event.set_id("a" + std::to_string(n));
          event.set_type(body.GetDescriptor()->full_name());
          event.set_subject(in.aggregate());
          event.set_version(n);
          event.set_sequence(n);
          event.set_epoch("1");
          event.set_data(body.SerializeAsString());
        }
        return out;
      });
  for (int i = 1; i < kTries; ++i) EXPECT_FALSE(Bring("a", 4).ok());
  EXPECT_TRUE(Bring("a", 4).ok());
  EXPECT_THAT(Ids(), ElementsAre("a2", "a3", "a4"));
  EXPECT_THAT(Done(), ElementsAre("a1"));
  Refusing().clear();
  EXPECT_EQ(Redrive().done(), 3);
  EXPECT_THAT(Done(), ElementsAre("a1", "a2", "a3", "a4"));
}

}  // namespace
}  // namespace hub
