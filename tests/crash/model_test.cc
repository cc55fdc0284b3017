// The judge of histories, judged: it refuses what no order explains, accepts what one does, and
// agrees with trying every order.
#include <cstdio>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "tests/crash/linearize.h"
#include "tests/crash/sequential.h"

namespace hub::crash {
namespace {

// --- Places: eight reps, one item, at most six.

Places Session() {
  Places model;
  model.reps = 8;
  model.names = 20;
  return model;
}

Places::Call Allocate(int64_t from, int64_t to, int seat, Places::Outcome outcome,
                      int64_t name = 0) {
  Places::Call call{{from, to}};
  call.kind = Places::kAllocate;
  call.outcome = outcome;
  call.seat = seat;
  call.name = name;
  return call;
}

Places::Call Unanswered(int64_t from, int seat) {
  return Allocate(from, kNever, seat, Places::kUnknown);
}

Places::Call End(int64_t from, int64_t to, int seat, int64_t name, Places::Outcome outcome) {
  auto call = Allocate(from, to, seat, outcome, name);
  call.kind = Places::kEnd;
  return call;
}

Places::Call List(int64_t from, int64_t to, std::vector<int64_t> seen) {
  Places::Call call{{from, to}};
  call.outcome = Places::kDone;
  call.seen = std::move(seen);
  return call;
}

// Seats 0 to n - 1 taken one after the other by allocations 1 to n, in ticks 1 to 2n.
std::vector<Places::Call> Taken(int n) {
  std::vector<Places::Call> calls;
  for (int i = 0; i < n; ++i) {
    calls.push_back(Allocate(2 * i + 1, 2 * i + 2, i, Places::kDone, i + 1));
  }
  return calls;
}

template <class Call>
std::vector<Call> Then(std::vector<Call> calls, std::vector<Call> more) {
  calls.insert(calls.end(), more.begin(), more.end());
  return calls;
}

bool Holds(const std::vector<Places::Call>& calls) { return Judge(Session(), calls).holds(); }

TEST(PlacesHistory, TheSeventhIsRefusedTheSixthIsNot) {
  EXPECT_TRUE(Holds(Taken(6)));
  EXPECT_TRUE(Holds(Then(Taken(6), {Allocate(20, 21, 6, Places::kFull)})));
  EXPECT_FALSE(Holds(Taken(7)));
  EXPECT_FALSE(Holds(Then(Taken(5), {Allocate(20, 21, 6, Places::kFull)})));
}

TEST(PlacesHistory, OneOfTwoGetsTheLastPlace) {
  EXPECT_TRUE(Holds(Then(
      Taken(5), {Allocate(20, 23, 5, Places::kDone, 11), Allocate(21, 22, 6, Places::kFull)})));
  EXPECT_FALSE(Holds(Then(
      Taken(5), {Allocate(20, 23, 5, Places::kDone, 11), Allocate(21, 22, 6, Places::kDone, 12)})));
  EXPECT_FALSE(Holds(
      Then(Taken(5), {Allocate(20, 23, 5, Places::kFull), Allocate(21, 22, 6, Places::kFull)})));
}

TEST(PlacesHistory, AnUnansweredCallMayHaveTakenTheLastPlaceOrNot) {
  const auto five = Then(Taken(5), {Unanswered(20, 5)});
  EXPECT_TRUE(Holds(five));
  EXPECT_TRUE(Holds(Then(five, {Allocate(21, 22, 6, Places::kDone, 11)})));
  EXPECT_TRUE(Holds(Then(five, {Allocate(21, 22, 6, Places::kFull)})));
  // Once somebody was told that it is full, it stays so until a place is given back.
  EXPECT_FALSE(Holds(
      Then(five, {Allocate(21, 22, 6, Places::kFull), Allocate(23, 24, 7, Places::kDone, 11)})));
  EXPECT_TRUE(
      Holds(Then(five, {Allocate(21, 22, 6, Places::kFull), End(23, 24, 0, 1, Places::kDone),
                        Allocate(25, 26, 7, Places::kDone, 11)})));
  // It may come late, but not before it was called.
  EXPECT_TRUE(Holds(Then(
      five, {List(21, 22, {1, 2, 3, 4, 5, 0, 0, 0}), List(23, 24, {1, 2, 3, 4, 5, 9, 0, 0})})));
  EXPECT_FALSE(Holds(Then(
      five, {List(21, 22, {1, 2, 3, 4, 5, 9, 0, 0}), List(23, 24, {1, 2, 3, 4, 5, 0, 0, 0})})));
  EXPECT_FALSE(Holds(Then(Taken(5), {List(20, 21, {1, 2, 3, 4, 5, 9, 0, 0}), Unanswered(22, 5)})));
}

TEST(PlacesHistory, AStaleReadIsRefused) {
  EXPECT_TRUE(Holds(Then(Taken(2), {List(5, 6, {1, 2, 0, 0, 0, 0, 0, 0})})));
  EXPECT_FALSE(Holds(Then(Taken(2), {List(5, 6, {1, 0, 0, 0, 0, 0, 0, 0})})));
  // While the call is under way, both are true; then one is.
  const auto under_way = Then(Taken(1), {Allocate(3, 8, 1, Places::kDone, 2)});
  EXPECT_TRUE(Holds(Then(under_way, {List(4, 5, {1, 0, 0, 0, 0, 0, 0, 0})})));
  EXPECT_TRUE(Holds(Then(under_way, {List(4, 5, {1, 2, 0, 0, 0, 0, 0, 0})})));
  EXPECT_FALSE(Holds(Then(
      under_way, {List(4, 5, {1, 2, 0, 0, 0, 0, 0, 0}), List(6, 7, {1, 0, 0, 0, 0, 0, 0, 0})})));
}

TEST(PlacesHistory, ALostWriteIsRefused) {
  // Allocation 1 was answered, and then its seat was free.
  EXPECT_FALSE(Holds(Then(Taken(1), {Allocate(3, 4, 0, Places::kDone, 2)})));
  EXPECT_TRUE(Holds(Then(Taken(1), {Allocate(3, 4, 0, Places::kTaken)})));
  // An end was answered, and then the place still stood; or it was ended twice.
  EXPECT_FALSE(Holds(
      Then(Taken(1), {End(3, 4, 0, 1, Places::kDone), List(5, 6, {1, 0, 0, 0, 0, 0, 0, 0})})));
  EXPECT_FALSE(
      Holds(Then(Taken(1), {End(3, 4, 0, 1, Places::kDone), End(5, 6, 0, 1, Places::kDone)})));
  EXPECT_TRUE(
      Holds(Then(Taken(1), {End(3, 4, 0, 1, Places::kDone), End(5, 6, 0, 1, Places::kOver)})));
}

TEST(PlacesHistory, AnotherItemOfTheSameSessionTakesNoSecondPlace) {
  Places model;
  model.reps = 7;
  model.items = 2;
  model.names = 20;
  std::vector<Places::Call> calls;
  for (int rep = 0; rep < 6; ++rep) {
    calls.push_back(Allocate(2 * rep + 1, 2 * rep + 2, 2 * rep, Places::kDone, rep + 1));
  }
  EXPECT_TRUE(Judge(model, Then(calls, {Allocate(20, 21, 1, Places::kDone, 11)})).holds());
  EXPECT_FALSE(Judge(model, Then(calls, {Allocate(20, 21, 12, Places::kDone, 11)})).holds());
}

// --- Money: 100 pence, pairs of 60 and 40, a claim of 50.

Money Fund() {
  Money model;
  model.amount = 100;
  model.fees = {60, 60, 40};
  model.claims = {50};
  model.names = 20;
  return model;
}

Money::Call On(Money::Kind kind, int64_t from, int64_t to, int at, Money::Outcome outcome,
               int64_t name = 0) {
  Money::Call call{{from, to}};
  call.kind = kind;
  call.outcome = outcome;
  call.at = at;
  call.name = name;
  return call;
}

Money::Call Read(int64_t from, int64_t to, int64_t available, int64_t promised = -1,
                 int64_t spent = -1) {
  Money::Call call{{from, to}};
  call.outcome = Money::kDone;
  call.available = available;
  call.promised = promised;
  call.spent = spent;
  return call;
}

bool Holds(const std::vector<Money::Call>& calls) { return Judge(Fund(), calls).holds(); }

TEST(MoneyHistory, ADoubleSpendIsRefused) {
  const auto first = On(Money::kReserve, 1, 4, 0, Money::kDone, 1);
  EXPECT_TRUE(Holds({first, On(Money::kReserve, 2, 3, 1, Money::kPoor)}));
  EXPECT_FALSE(Holds({first, On(Money::kReserve, 2, 3, 1, Money::kDone, 2)}));
  EXPECT_FALSE(Holds(
      {On(Money::kReserve, 1, 4, 0, Money::kPoor), On(Money::kReserve, 2, 3, 1, Money::kPoor)}));
  // By the other way that money leaves a fund.
  EXPECT_FALSE(Holds({first, On(Money::kApprove, 2, 3, 0, Money::kDone)}));
  EXPECT_TRUE(Holds({first, On(Money::kApprove, 2, 3, 0, Money::kPoor)}));
  EXPECT_FALSE(Holds(
      {On(Money::kApprove, 1, 2, 0, Money::kDone), On(Money::kApprove, 3, 4, 0, Money::kDone)}));
  EXPECT_FALSE(Holds({On(Money::kPay, 1, 2, 0, Money::kDone)}));
}

TEST(MoneyHistory, AskedAgainItAnswersWithTheOneThatStands) {
  const auto first = On(Money::kReserve, 1, 2, 0, Money::kDone, 1);
  EXPECT_TRUE(Holds({first, On(Money::kReserve, 3, 4, 0, Money::kDone, 1), Read(5, 6, 40, 60, 0)}));
  EXPECT_FALSE(Holds({first, On(Money::kReserve, 3, 4, 0, Money::kDone, 2)}));
  const auto released = On(Money::kRelease, 3, 4, 0, Money::kDone, 1);
  EXPECT_TRUE(Holds({first, released, On(Money::kReserve, 5, 6, 0, Money::kDone, 2)}));
  EXPECT_FALSE(Holds({first, released, On(Money::kReserve, 5, 6, 0, Money::kDone, 1)}));
  EXPECT_TRUE(Holds(
      {first, released, On(Money::kRelease, 5, 6, 0, Money::kDone, 1), Read(7, 8, 100, 0, 0)}));
  EXPECT_TRUE(Holds({first, released, On(Money::kConfirm, 5, 6, 0, Money::kOver, 1)}));
  EXPECT_FALSE(Holds({first, released, On(Money::kConfirm, 5, 6, 0, Money::kDone, 1)}));
}

TEST(MoneyHistory, BalancesAreOfOneMoment) {
  const auto first = On(Money::kReserve, 1, 4, 0, Money::kDone, 1);
  EXPECT_TRUE(Holds({first, Read(2, 3, 100, 0, 0)}));
  EXPECT_TRUE(Holds({first, Read(2, 3, 40, 60, 0)}));
  EXPECT_FALSE(Holds({first, Read(2, 3, 40, 0, 0)}));     // half of it
  EXPECT_FALSE(Holds({first, Read(5, 6, 100, 0, 0)}));    // stale
  EXPECT_FALSE(Holds({first, Read(5, 6, -20, 120, 0)}));  // below zero
}

TEST(MoneyHistory, AnUnansweredCallMoves) {
  const auto unanswered = On(Money::kReserve, 1, kNever, 0, Money::kUnknown);
  EXPECT_TRUE(Holds({unanswered, Read(2, 3, 100), Read(4, 5, 40)}));
  EXPECT_FALSE(Holds({unanswered, Read(2, 3, 40), Read(4, 5, 100)}));
  EXPECT_TRUE(Holds({unanswered, On(Money::kReserve, 2, 3, 0, Money::kDone, 7), Read(4, 5, 40)}));
  EXPECT_TRUE(Holds({unanswered, On(Money::kReserve, 2, 3, 1, Money::kPoor)}));
  EXPECT_FALSE(Holds({unanswered, On(Money::kReserve, 2, 3, 1, Money::kPoor),
                      On(Money::kReserve, 4, 5, 1, Money::kDone, 7)}));
  EXPECT_FALSE(Holds({unanswered, Read(2, 3, 30)}));  // by no call
}

// --- A record under its etag.

Record::Call Update(int64_t from, int64_t to, int64_t etag, int64_t value,
                    Record::Outcome outcome) {
  Record::Call call{{from, to}};
  call.kind = Record::kUpdate;
  call.outcome = outcome;
  call.etag = etag;
  call.version = etag + 1;
  call.value = value;
  return call;
}

Record::Call ReadIt(int64_t from, int64_t to, int64_t version, int64_t value) {
  Record::Call call{{from, to}};
  call.outcome = Record::kDone;
  call.version = version;
  call.value = value;
  return call;
}

bool Holds(const std::vector<Record::Call>& calls) { return Judge(Record(), calls).holds(); }

TEST(RecordHistory, OneOfManyChangesFromOneVersionIsDone) {
  std::vector<Record::Call> calls;
  for (int i = 0; i < 8; ++i) {
    calls.push_back(Update(i, 20 + i, 1, i, i == 5 ? Record::kDone : Record::kStale));
  }
  EXPECT_TRUE(Holds(Then(calls, {ReadIt(30, 31, 2, 5)})));
  EXPECT_FALSE(Holds(Then(calls, {ReadIt(30, 31, 2, 4)})));
  EXPECT_FALSE(Holds(Then(calls, {ReadIt(30, 31, 1, 0)})));  // a lost write
  calls[2].outcome = Record::kDone;
  EXPECT_FALSE(Holds(calls));
  calls[2].outcome = calls[5].outcome = Record::kStale;
  EXPECT_FALSE(Holds(calls));
}

TEST(RecordHistory, AnUnansweredChangeMayHaveBeenDone) {
  const auto unanswered = Update(1, kNever, 1, 7, Record::kUnknown);
  EXPECT_TRUE(Holds({unanswered, Update(2, 3, 1, 8, Record::kStale), ReadIt(4, 5, 2, 7)}));
  EXPECT_TRUE(Holds({unanswered, Update(2, 3, 1, 8, Record::kDone), ReadIt(4, 5, 2, 8)}));
  EXPECT_FALSE(Holds({unanswered, Update(2, 3, 1, 8, Record::kDone), ReadIt(4, 5, 2, 7)}));
}

// --- Against every order, tried one by one.

template <class Model>
bool SomeOrderHolds(const Model& model, const std::vector<typename Model::Call>& calls,
                    const State& state, unsigned done) {
  bool all = true;
  for (size_t i = 0; i < calls.size(); ++i) all &= !calls[i].answered() || (done >> i & 1) != 0;
  if (all) return true;
  for (size_t i = 0; i < calls.size(); ++i) {
    if ((done >> i & 1) != 0) continue;
    bool may_be_next = true;
    for (size_t j = 0; j < calls.size(); ++j) {
      may_be_next &= (done >> j & 1) != 0 || calls[j].returned > calls[i].called;
    }
    const auto next = may_be_next ? model.Step(state, calls[i]) : std::nullopt;
    if (next && SomeOrderHolds(model, calls, *next, done | 1u << i)) return true;
  }
  return false;
}

TEST(Judge, AgreesWithTryingEveryOrder) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  auto below = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int held = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    // A history that may be anything: spans at random, answers at random of the likely ones.
    const Money model = Fund();
    std::vector<int64_t> ticks;
    for (int64_t t = 0; t < 14; ++t) ticks.push_back(t);
    std::shuffle(ticks.begin(), ticks.end(), random);
    std::vector<Money::Call> calls;
    for (size_t i = 0; i < 2 + static_cast<size_t>(below(6)); ++i) {
      const auto [from, to] = std::minmax(ticks[2 * i], ticks[2 * i + 1]);
      auto call = On(static_cast<Money::Kind>(below(Money::kRead + 1)), from, to, below(3),
                     static_cast<Money::Outcome>(1 + below(3)), 1 + below(2));
      if (call.kind == Money::kRead) {
        call.available = std::vector<int64_t>{100, 40, 60, 0}[below(4)];
      }
      if (call.kind >= Money::kApprove) call.at = 0;
      if (call.kind != Money::kRead && below(4) == 0) {
        call.returned = kNever;
        call.outcome = Money::kUnknown;
        if (call.kind == Money::kReserve) call.name = 0;
      }
      calls.push_back(call);
    }
    const bool holds = SomeOrderHolds(model, calls, model.First(), 0);
    std::string told;
    for (const auto& call : calls) told += model.Tell(call) + "\n";
    ASSERT_EQ(Judge(model, calls).holds(), holds) << told;
    ++(holds ? held : refused);
  }
  EXPECT_GT(held, 500);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace hub::crash
