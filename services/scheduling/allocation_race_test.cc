// A booking against what others say of the rep meanwhile, on both databases: whatever comes first,
// no place is left that nobody allows, and no promise that nobody needs.
#include <rapidcheck.h>

#include <atomic>
#include <functional>
#include <map>
#include <thread>

#include "absl/time/clock.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "services/scheduling/mini_scheduling.h"

namespace hub::scheduling {
namespace {

namespace events = ::coproduction::membership::events::v1;
using hub::testing::kForum;
using hub::testing::Refused;

class AllocationRace : public MiniScheduling {
 protected:
  // Membership's word, and what happens when it has been given and has not arrived.
  void Membership(std::function<bool()> allows, std::function<void()> then) {
    mini_.Answer<membership::CheckAllocationRequest, membership::CheckAllocationResponse>(
        [allows, then](const auto&) -> StatusOr<membership::CheckAllocationResponse> {
          membership::CheckAllocationResponse word;
          word.set_allowed(allows());
          if (!word.allowed()) word.set_reason(membership::CheckAllocationResponse::NOT_ACTIVE);
          then();
          return word;
        });
  }
  static std::string Rep(const std::string& id) { return std::string(kForum) + "/reps/" + id; }
  void Pause(const std::string& rep) {
    events::RepPaused event;
    event.set_rep(Rep(rep));
    Status taken = mini_.Deliver(event.rep(), event);
    EXPECT_TRUE(taken.ok()) << taken;
  }
  // Places that stand.
  int64_t Standing() { return mini_.Rows("allocations WHERE state = 'ALLOCATED'"); }
  // The executor cancels soon after the answer.
  void ExpectReleased(int wanted) {
    for (int i = 0; i < 1000 && released_ < wanted; ++i) absl::SleepFor(absl::Milliseconds(10));
    EXPECT_EQ(released_, wanted);
  }
};
ON_BOTH_DATABASES(AllocationRace);

TEST_P(AllocationRace, APauseToldAfterTheBookingUndoesIt) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  Do<v1::Allocation>(chair_, Place("r1", item));
  EXPECT_EQ(Standing(), 1);
  Pause("r1");
  EXPECT_EQ(Standing(), 0);
}

TEST_P(AllocationRace, APauseToldBetweenTheWordAndTheBookingIsAskedAboutAgain) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  std::atomic<int> asked{0};
  Membership([&] { return asked++ == 0; },
             [&] {
               if (asked == 1) Pause("r1");
             });
  auto booked = mini_.Call<v1::Allocation>(chair_, Place("r1", item));
  EXPECT_TRUE(Refused(booked.status(), errors::RULE_REFUSED, "rep_not_active"));
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(Standing(), 0);
  EXPECT_EQ(reserved_, 1);
  ExpectReleased(1);
}

TEST_P(AllocationRace, AnEventThatContradictsNothingOnlyAsksAgain) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  std::atomic<int> asked{0};
  Membership([] { return true; },
             [&] {
               if (asked++ == 0) Pause("r1");
             });
  Do<v1::Allocation>(chair_, Place("r1", item));
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(Standing(), 1);
}

TEST_P(AllocationRace, WhereEventsNeverCeaseTheCallerIsToldToTryAgain) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  Membership([] { return true; }, [&] { Pause("r1"); });
  auto booked = mini_.Call<v1::Allocation>(chair_, Place("r1", item));
  EXPECT_TRUE(Refused(booked.status(), errors::TEMPORARILY_UNAVAILABLE)) << booked.status();
  EXPECT_EQ(Standing(), 0);
  ExpectReleased(reserved_);
}

TEST_P(AllocationRace, EventsOfOtherRepsHoldNothingUp) {
  auto item = Scheduled("Short breaks", Hub("2021-12-03"));
  std::atomic<int> asked{0};
  Membership([] { return true; },
             [&] {
               ++asked;
               Pause("r2");
             });
  Do<v1::Allocation>(chair_, Place("r1", item));
  EXPECT_EQ(asked, 1);
}

// The pause is known to membership first; its event comes at any moment.
TEST_P(AllocationRace, WhateverComesFirstNoPausedRepKeepsAPlace) {
  for (int round = 0; round < 40; ++round) {
    const std::string rep = "r" + std::to_string(round);
    auto item = Scheduled("Short breaks", Hub("2021-12-03"));
    std::atomic<bool> paused{false};
    Membership([&] { return !paused.load(); }, [] {});
    std::thread teller([&] {
      absl::SleepFor(absl::Microseconds(round * 250));  // another moment each time
      paused = true;
      Pause(rep);
    });
    auto booked = mini_.Call<v1::Allocation>(chair_, Place(rep, item));
    teller.join();
    EXPECT_EQ(Standing(), 0) << "round " << round << ": " << booked.status();
  }
}

// Losses of good standing, their events and bookings in any order, also while membership's word is
// on its way: once all is told, each place rests on a word that was given after the last loss.
TEST_P(AllocationRace, WhateverHappensInWhateverOrderAPlaceRestsOnTheLastWord) {
  std::vector<v1::AllocateRepRequest> bookings;
  for (const char* day : {"2021-12-06", "2021-12-07", "2021-12-08"}) {
    auto create = NewSession(v1::Session::BOARD, day);
    create.mutable_session()->set_activity_kind(v1::Activity::BOARD);
    bookings.emplace_back().set_parent(kForum);
    bookings.back().set_session(Do<v1::Session>(facilitator_, create).name());
  }
  int person = 0;
  EXPECT_TRUE(rc::check([&] {
    const std::string rep = "p" + std::to_string(person++);
    bool stands = true;
    int losses = 0, untold = 0;
    std::map<std::string, int> given;  // by session: how many losses there had been at the word
    const auto lose = [&] {
      if (!stands) return;
      stands = false;
      ++losses;
      ++untold;
    };
    const auto tell = [&] {
      if (untold == 0) return;
      --untold;
      Pause(rep);
    };
    const int acts = *rc::gen::inRange(1, 12);
    for (int act = 0; act < acts; ++act) {
      switch (*rc::gen::inRange(0, 6)) {
        case 0:
          lose();
          break;
        case 1:
          stands = true;
          break;
        case 2:
          tell();
          break;
        default: {
          auto booking = bookings[*rc::gen::inRange<size_t>(0, bookings.size())];
          booking.set_rep(Rep(rep));
          const int meanwhile = *rc::gen::inRange(0, 4);
          bool word = false, first = true;
          int at_word = 0;
          Membership(
              [&] {
                word = stands;
                at_word = losses;
                return stands;
              },
              [&] {
                if (!first) return;
                first = false;
                if (meanwhile == 1 || meanwhile == 2) lose();
                if (meanwhile == 2 || meanwhile == 3) tell();
              });
          if (!mini_.Call<v1::Allocation>(chair_, booking).ok()) break;
          RC_ASSERT(word);
          given[IdOf(booking.session())] = at_word;
        }
      }
    }
    while (untold > 0) tell();
    for (const auto& [session, at_word] : given) {
      if (at_word == losses) continue;
      RC_ASSERT(mini_.Rows("allocations WHERE state = 'ALLOCATED' AND rep_id = '" + rep +
                           "' AND session_id = '" + session + "'") == 0);
    }
    Pause(rep);  // leaves the places to the next
  }));
}

TEST_P(AllocationRace, OfTwoBookingsOfOneRepTheSecondsPromiseIsTheFirsts) {
  for (int round = 0; round < 10; ++round) {
    const std::string rep = "r" + std::to_string(round);
    auto item = Scheduled("Short breaks", Hub("2021-12-03"));
    std::atomic<int> booked{0}, there{0};
    std::vector<std::thread> chairs;
    for (int i = 0; i < 4; ++i) {
      chairs.emplace_back([&] {
        auto place = mini_.Call<v1::Allocation>(chair_, Place(rep, item));
        if (place.ok()) ++booked;
        if (Refused(place.status(), errors::RESOURCE_EXISTS)) ++there;
      });
    }
    for (auto& chair : chairs) chair.join();
    EXPECT_EQ(booked, 1);
    EXPECT_EQ(there, 3);
  }
  mini_.Restart();  // so that nothing is still to be cancelled
  EXPECT_EQ(released_, 0) << "it pays for the place that stands";
}

// Sessions of one month, in each a booking of the same rep at the same moment.
TEST_P(AllocationRace, BookingsInDifferentSessionsDoNotTogetherPassTheRepsMonth) {
  GiveAtMost(4);
  const std::vector<std::string> days = {"2021-12-03", "2021-12-06", "2021-12-08", "2021-12-10"};
  std::vector<v1::AllocateRepRequest> bookings;
  for (const auto& day : days) bookings.push_back(Place("r", Scheduled("Of " + day, Hub(day))));
  v1::UpdateSchedulingSettingsRequest roomy;
  roomy.mutable_scheduling_settings()->set_name(std::string(kForum) + "/schedulingSettings");
  roomy.mutable_scheduling_settings()->set_most_reps(40);
  roomy.mutable_update_mask()->add_paths("most_reps");
  Do<v1::SchedulingSettings>(chair_, roomy);
  for (int round = 0; round < 40; ++round) {
    const std::string rep = "r" + std::to_string(round);
    // Of a rep of whom something was told before. Of another, the first command enters the position
    // and the others wait for that, whoever locks what.
    if (round % 4 != 0) Pause(rep);
    std::atomic<int> booked{0}, past{0};
    std::vector<std::thread> chairs;
    for (auto& booking : bookings) {
      booking.set_rep(Rep(rep));
      chairs.emplace_back([&] {
        auto place = mini_.Call<v1::Allocation>(chair_, booking);
        if (place.ok()) ++booked;
        if (Refused(place.status(), errors::RULE_REFUSED, "monthly_cap")) ++past;
      });
    }
    for (auto& chair : chairs) chair.join();
    EXPECT_EQ(booked, 2) << "round " << round;
    EXPECT_EQ(past, 2) << "round " << round;
  }
}

TEST_P(AllocationRace, ARefusedBookingsPromiseIsCancelledAtOnce) {
  auto session = Hub("2021-12-03");
  auto item = Scheduled("Short breaks", session);
  // The session is over by the time at which the word arrives.
  Membership([] { return true; },
             [&] {
               auto cancel = Named<v1::CancelSessionRequest>(session.name());
               cancel.set_reason("Nobody can come.");
               Do<v1::Session>(chair_, cancel);
             });
  auto booked = mini_.Call<v1::Allocation>(chair_, Place("r1", item));
  EXPECT_TRUE(Refused(booked.status(), errors::RULE_REFUSED, "session_over")) << booked.status();
  EXPECT_EQ(reserved_, 1);
  ExpectReleased(1);
}

}  // namespace
}  // namespace hub::scheduling
