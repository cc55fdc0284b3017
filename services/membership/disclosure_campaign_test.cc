// Many histories of a question, made to give people away, are published by the rules and attacked
// with all that was printed. Nobody may be pinned; where a rule is weakened, somebody must be. How
// many, and with how many friends, is HUB_HISTORIES and HUB_FRIENDS (tests/disclosure/run).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "services/membership/disclosure_attack.h"
#include "services/membership/disclosure_rules.h"

namespace hub::membership {
namespace {

constexpr int kDates = 25;

int64_t Setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  int64_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : otherwise;
}

// What is asked: one question of which `answers` have figures besides the one of reference, or two
// together, the second with `also`. People say a value; a series, which has figures of its own, is
// of some values: for two questions those of one answer to either, and those of two.
struct Asked {
  int answers = 1, also = 0;
  int values() const { return (answers + 1) * (also + 1); }
  int series() const { return values() - 1; }
  bool Counts(int which, int value) const {
    const int answer = (which + 1) / (also + 1), second = (which + 1) % (also + 1);
    return (answer == 0 || value / (also + 1) == answer) &&
           (second == 0 || value % (also + 1) == second);
  }
};

struct Person {
  int value = 0;
  int first = -1, end = 0;  // rows that counted the answer
};

// People who were counted by the same rows, by what they said.
struct Cohort {
  int first = 0, end = 0;
  std::vector<int64_t> people;
};

// Nobody's life: bursts of people who answer alike, and people who leave because of what they
// answered, or soon after they came.
class History {
 public:
  History(const Asked& asked, uint64_t seed, int64_t scale)
      : asked_(asked), random_(seed), scale_(scale) {
    share_ = Pick(2, 95);
    if (asked_.also > 0) second_share_ = Pick(2, 95);
    Come(scale_ * Pick(30, 130), share_);
  }

  // Until the next date.
  void GoOn() {
    const int64_t kind = Pick(0, 5);  // of those who come
    Come(scale_ * Pick(0, kind < 3 ? 12 : 30), kind == 0 ? 0 : kind == 1 ? 100 : share_);
    for (int64_t waves = Pick(0, 2); waves > 0; --waves) Leave(scale_ * Pick(0, 14));
    if (Pick(0, 3) == 0) Change();
  }
  Turnout TurnoutAt(size_t rows) const {
    Turnout turnout;
    turnout.moved = moved_;
    turnout.since.resize(rows + 1);
    for (const Person& person : here_) ++turnout.since[person.first + 1];
    return turnout;
  }
  std::vector<int64_t> Counts() const {
    std::vector<int64_t> counts(static_cast<size_t>(asked_.series()));
    for (const Person& person : here_) {
      for (int i = 0; i < asked_.series(); ++i) counts[i] += asked_.Counts(i, person.value) ? 1 : 0;
    }
    return counts;
  }
  void Counted(int row) {
    for (Person& person : here_) {
      if (person.first < 0) person.first = row;
      person.end = row + 1;
    }
    moved_ = 0;
  }
  std::vector<Cohort> Cohorts() const {
    std::map<std::pair<int, int>, Cohort> cohorts;
    for (const auto* people : {&here_, &gone_}) {
      for (const Person& person : *people) {
        if (person.first < 0) continue;
        Cohort& cohort = cohorts[{person.first, person.end}];
        cohort.first = person.first;
        cohort.end = person.end;
        cohort.people.resize(static_cast<size_t>(asked_.values()));
        ++cohort.people[person.value];
      }
    }
    std::vector<Cohort> list;
    for (const auto& [rows, cohort] : cohorts) list.push_back(cohort);
    return list;
  }

 private:
  int64_t Pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  // Of each question, one in `percent`, or in the share of the second, gives no answer of
  // reference.
  void Come(int64_t count, int64_t percent) {
    const int64_t second = percent == share_ ? second_share_ : percent;
    auto answer = [&](int64_t share, int answers) {
      const bool yes = Pick(0, 99) < share;
      return !yes ? 0 : answers == 1 ? 1 : static_cast<int>(Pick(1, answers));
    };
    for (; count > 0; --count, ++moved_) {
      const int first = answer(percent, asked_.answers);
      here_.push_back(
          {first * (asked_.also + 1) + (asked_.also > 0 ? answer(second, asked_.also) : 0)});
    }
  }
  void Go(size_t who) {
    gone_.push_back(here_[who]);
    here_.erase(here_.begin() + static_cast<std::ptrdiff_t>(who));
    ++moved_;
  }
  void Leave(int64_t count) {
    const int64_t why = Pick(0, 4);
    const int of = asked_.series() == 1 ? 0 : static_cast<int>(Pick(0, asked_.series() - 1));
    for (size_t i = here_.size(); i > 0 && count > 0; --i) {
      const bool yes = asked_.Counts(of, here_[i - 1].value);
      const bool goes = why == 0   ? yes
                        : why == 1 ? !yes
                        : why == 2 ? true  // who came last
                                   : Pick(0, 19) == 0;
      if (!goes) continue;
      Go(i - 1);
      --count;
    }
  }
  // A changed answer is one person's: the old one leaves, the new one comes.
  void Change() {
    if (here_.empty()) return;
    const size_t who = static_cast<size_t>(Pick(0, static_cast<int64_t>(here_.size()) - 1));
    const int by = asked_.series() == 1 ? 1 : static_cast<int>(Pick(1, asked_.series()));
    const int value = (here_[who].value + by) % asked_.values();
    Go(who);
    here_.push_back({value});
  }

  const Asked asked_;
  std::mt19937_64 random_;
  int64_t scale_, share_ = 0, second_share_ = 0, moved_ = 0;
  std::vector<Person> here_, gone_;
};

std::vector<Group> GroupsOf(const Asked& asked, int series, const std::vector<Cohort>& cohorts) {
  std::vector<Group> groups;
  for (const Cohort& cohort : cohorts) {
    Group& group = groups.emplace_back(Group{cohort.first, cohort.end});
    for (int value = 0; value < asked.values(); ++value) {
      group.people += cohort.people[value];
      if (asked.Counts(series, value)) group.yes += cohort.people[value];
    }
  }
  return groups;
}

// All series of two questions held against each other. Somebody is not given away where some people
// may have said something else such that every figure is as it is told: this looks for a few who
// may, and takes who is not found for given away, so it finds too many rather than too few.
class Jointly {
 public:
  Jointly(const Asked& asked, const std::vector<Row>& rows, const std::vector<Cohort>& cohorts)
      : asked_(asked), rows_(rows.size()), cohorts_(cohorts) {
    room_.resize(static_cast<size_t>(asked.series()) * rows_);
    for (int i = 0; i < asked.series(); ++i) {
      std::vector<int64_t> counts(rows_);
      for (const Group& group : GroupsOf(asked, i, cohorts)) {
        for (int t = group.first; t < group.end; ++t) counts[t] += group.yes;
      }
      for (size_t t = 0; t < rows_; ++t) {
        const Interval& told = rows[t].figures[i].interval;
        room_[At(i, t)] = {told.low - counts[t], told.high - counts[t]};
      }
    }
  }
  // People whose place in a series is told, by friends as in Attack().
  int64_t GivenAway(int64_t friends) {
    int64_t given_away = 0;
    for (int i = 0; i < asked_.series(); ++i) {
      for (size_t of = 0; of < cohorts_.size(); ++of) {
        for (const bool more : {true, false}) {
          int64_t known = 0, others = 0;
          for (int value = 0; value < asked_.values(); ++value) {
            (asked_.Counts(i, value) == more ? known : others) += cohorts_[of].people[value];
          }
          if (others > 0 && known <= friends && !OneMayDiffer(i, of, more)) given_away += others;
        }
      }
    }
    return given_away;
  }

 private:
  struct Room {
    int64_t low, high;  // by so much the count may change
  };
  size_t At(int series, size_t row) const { return static_cast<size_t>(series) * rows_ + row; }

  // As if so many of a cohort who said `from` had said `to`.
  void Move(size_t of, int from, int to, int64_t people) {
    Cohort& cohort = cohorts_[of];
    cohort.people[from] -= people;
    cohort.people[to] += people;
    for (int i = 0; i < asked_.series(); ++i) {
      const int64_t by =
          people * ((asked_.Counts(i, to) ? 1 : 0) - (asked_.Counts(i, from) ? 1 : 0));
      if (by == 0) continue;
      for (int t = cohort.first; t < cohort.end; ++t) {
        Room& room = room_[At(i, t)];
        room.low -= by;
        room.high -= by;
      }
    }
  }
  bool OneMayDiffer(int series, size_t of, bool more) {
    for (int from = 0; from < asked_.values(); ++from) {
      if (asked_.Counts(series, from) == more || cohorts_[of].people[from] == 0) continue;
      for (int to = 0; to < asked_.values(); ++to) {
        if (asked_.Counts(series, to) != more) continue;
        Move(of, from, to, 1);
        series_ = series;
        of_ = of;
        more_ = more;
        bool found = false;
        for (int moves = 0; moves <= kMoves && !found; ++moves) found = Mend(moves);
        Move(of, from, to, -1);
        if (found) return true;
      }
    }
    return false;
  }
  // Whether up to so many others may differ such that all is as told.
  bool Mend(int moves) {
    size_t wrong = 0;
    while (wrong < room_.size() && room_[wrong].low <= 0 && room_[wrong].high >= 0) ++wrong;
    if (wrong == room_.size()) return true;
    if (moves == 0) return false;
    const bool needs_more = room_[wrong].low > 0;
    const int series = static_cast<int>(wrong / rows_), row = static_cast<int>(wrong % rows_);
    for (size_t other = 0; other < cohorts_.size(); ++other) {
      if (cohorts_[other].first > row || cohorts_[other].end <= row) continue;
      for (int from = 0; from < asked_.values(); ++from) {
        const bool is_friend = other == of_ && asked_.Counts(series_, from) == more_;
        const bool helps = asked_.Counts(series, from) != needs_more;
        if (cohorts_[other].people[from] == 0 || is_friend || !helps) continue;
        for (int to = 0; to < asked_.values(); ++to) {
          if (asked_.Counts(series, to) != needs_more) continue;
          Move(other, from, to, 1);
          const bool found = Mend(moves - 1);
          Move(other, from, to, -1);
          if (found) return true;
        }
      }
    }
    return false;
  }

  static constexpr int kMoves = 3;
  const Asked asked_;
  const size_t rows_;
  std::vector<Cohort> cohorts_;
  std::vector<Room> room_;  // by series and row
  int series_ = 0;
  size_t of_ = 0;
  bool more_ = false;
};

struct Sum {
  int64_t rows = 0, held = 0, people = 0, histories = 0;
  Pinned pinned;
  int64_t jointly = 0;
};

// By as many friends as the rules promise to bear; of `scale` times as many people as a forum has.
Sum Attacked(const char* name, const Measure& measure,
             int64_t friends = Setting("HUB_FRIENDS", kForumMeasure.friends), int64_t scale = 1,
             const Asked& asked = {}) {
  const int64_t histories = Setting("HUB_HISTORIES", 200) * scale;
  Sum sum;
  for (int64_t i = 0; i < histories; ++i) {
    History history(asked, static_cast<uint64_t>(Setting("HUB_SEED", 1) + i), scale);
    std::vector<Row> rows;
    for (int date = 0; date < kDates; ++date) {
      if (date > 0) history.GoOn();
      const std::vector<int64_t> counts = history.Counts();
      auto row =
          NextRow(measure, rows, std::to_string(date), history.TurnoutAt(rows.size()), counts);
      if (!row) continue;
      history.Counted(static_cast<int>(rows.size()));
      for (size_t of = 0; of < counts.size(); ++of) {
        const int64_t nearest = counts[of] <= measure.small ? 0 : PrintedBase(measure, counts[of]);
        if (row->figures[of].printed != nearest) ++sum.held;
      }
      rows.push_back(std::move(*row));
    }
    const std::vector<Cohort> cohorts = history.Cohorts();
    bool somebody = false;
    for (int of = 0; of < asked.series(); ++of) {
      std::vector<Interval> told;
      for (const Row& row : rows) told.push_back(row.figures[of].interval);
      std::vector<Group> groups = GroupsOf(asked, of, cohorts);
      const Pinned pinned = Attack(told, groups, friends, measure.small);
      // Who knows no answer at all concludes the same.
      for (Group& group : groups) group.yes = 0;
      EXPECT_TRUE(Possible(told, &groups));
      EXPECT_EQ(Attack(told, groups, 0, measure.small).people, pinned.people);
      sum.rows += static_cast<int64_t>(rows.size());
      for (const Group& group : groups) sum.people += group.people;
      sum.pinned.people += pinned.people;
      sum.pinned.with_friends += pinned.with_friends;
      sum.pinned.counts += pinned.counts;
      somebody = somebody || pinned.with_friends > 0;
    }
    if (asked.series() > 1) sum.jointly += Jointly(asked, rows, cohorts).GivenAway(friends);
    if (somebody) ++sum.histories;
  }
  std::printf(
      "%-26s %ld histories, %ld figures, %ld of them held; in %ld histories somebody is pinned, "
      "%ld counts are\n"
      "%ld people attacked, %ld pinned alone, %ld pinned with %ld friends\n",
      name, histories, sum.rows, sum.held, sum.histories, sum.pinned.counts, sum.people,
      sum.pinned.people, sum.pinned.with_friends, friends);
  if (asked.series() > 1) {
    std::printf("%ld of them by all %d series together\n", sum.jointly, asked.series());
  }
  return sum;
}

// Each of these gives somebody away, or the attack is blind.
TEST(DisclosureCampaign, AWeakerRuleGivesPeopleAway) {
  Measure weak = kForumMeasure;
  weak.movement = 1;
  for (int64_t friends : {2, 1, 0}) {
    weak.friends = friends;
    const std::string name = "for " + std::to_string(friends) + " friends:";
    EXPECT_GT(Attacked(name.c_str(), weak).pinned.with_friends, 0) << name;
  }
  weak.friends = -1000000;
  EXPECT_GT(Attacked("rounded, never held:", weak).pinned.people, 0);
}

TEST(DisclosureCampaign, NobodyIsGivenAwayHoweverFewPeopleMoved) {
  Measure often = kForumMeasure;
  often.movement = 1;
  const Sum sum = Attacked("however few moved:", often);
  EXPECT_EQ(sum.pinned.people + sum.pinned.with_friends + sum.pinned.counts, 0);
}

TEST(DisclosureCampaign, NobodyIsGivenAway) {
  const Sum sum = Attacked("as it is:", kForumMeasure);
  EXPECT_EQ(sum.pinned.people + sum.pinned.with_friends + sum.pinned.counts, 0);
}

// Of all forums together there are ten times as many people, by rules that are ten times as coarse.
TEST(DisclosureCampaign, NobodyIsGivenAwayByAllForumsTogether) {
  constexpr int64_t kScale = 10;
  const int64_t friends = kNationalMeasure.friends;
  Measure weak = kNationalMeasure;
  weak.friends = -1000000;
  EXPECT_GT(Attacked("all forums, never held:", weak, friends, kScale).pinned.with_friends, 0);
  const Sum sum = Attacked("all forums:", kNationalMeasure, friends, kScale);
  EXPECT_GT(sum.rows, 0);
  EXPECT_EQ(sum.pinned.people + sum.pinned.with_friends + sum.pinned.counts, 0);
}

// Two questions together, by cells and margins: each by itself, and all of them held against each
// other.
TEST(DisclosureCampaign, NobodyIsGivenAwayByTwoQuestionsOfAllForums) {
  constexpr int64_t kScale = 10;
  const int64_t friends = kNationalMeasure.friends;
  Measure weak = kNationalMeasure;
  weak.friends = -1000000;
  const Sum bad = Attacked("two, never held:", weak, friends, kScale, Asked{1, 1});
  EXPECT_GT(bad.pinned.with_friends, 0);
  EXPECT_GE(bad.jointly, bad.pinned.with_friends) << "all series together tell no less";
  for (const Asked& asked : {Asked{1, 1}, Asked{1, 3}}) {
    const Sum sum = Attacked("two, all forums:", kNationalMeasure, friends, kScale, asked);
    EXPECT_GT(sum.rows, 0);
    EXPECT_EQ(sum.pinned.people + sum.pinned.with_friends + sum.pinned.counts, 0);
    EXPECT_EQ(sum.jointly, 0);
  }
}

}  // namespace
}  // namespace hub::membership
