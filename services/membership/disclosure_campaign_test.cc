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

struct Person {
  bool yes = false;
  int first = -1, end = 0;  // rows that counted the answer
};

// Nobody's life: bursts of people who answer alike, and people who leave because of what they
// answered, or soon after they came.
class History {
 public:
  History(uint64_t seed, int64_t scale) : random_(seed), scale_(scale) {
    share_ = Pick(2, 95);
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
  int64_t Yes() const {
    return std::count_if(here_.begin(), here_.end(), [](const Person& p) { return p.yes; });
  }
  void Counted(int row) {
    for (Person& person : here_) {
      if (person.first < 0) person.first = row;
      person.end = row + 1;
    }
    moved_ = 0;
  }
  std::vector<Group> Groups() const {
    std::map<std::pair<int, int>, Group> groups;
    for (const auto* people : {&here_, &gone_}) {
      for (const Person& person : *people) {
        if (person.first < 0) continue;
        Group& group = groups[{person.first, person.end}];
        group.first = person.first;
        group.end = person.end;
        ++group.people;
        if (person.yes) ++group.yes;
      }
    }
    std::vector<Group> list;
    for (const auto& [rows, group] : groups) list.push_back(group);
    return list;
  }

 private:
  int64_t Pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  void Come(int64_t count, int64_t percent) {
    for (; count > 0; --count, ++moved_) here_.push_back({Pick(0, 99) < percent});
  }
  void Go(size_t who) {
    gone_.push_back(here_[who]);
    here_.erase(here_.begin() + static_cast<std::ptrdiff_t>(who));
    ++moved_;
  }
  void Leave(int64_t count) {
    const int64_t why = Pick(0, 4);
    for (size_t i = here_.size(); i > 0 && count > 0; --i) {
      const bool goes = why == 0   ? here_[i - 1].yes
                        : why == 1 ? !here_[i - 1].yes
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
    const bool yes = !here_[who].yes;
    Go(who);
    here_.push_back({yes});
  }

  std::mt19937_64 random_;
  int64_t scale_, share_ = 0, moved_ = 0;
  std::vector<Person> here_, gone_;
};

struct Sum {
  int64_t rows = 0, held = 0, people = 0, histories = 0;
  Pinned pinned;
};

// By as many friends as the rules promise to bear; of `scale` times as many people as a forum has.
Sum Attacked(const char* name, const Measure& measure,
             int64_t friends = Setting("HUB_FRIENDS", kForumMeasure.friends), int64_t scale = 1) {
  const int64_t histories = Setting("HUB_HISTORIES", 200) * scale;
  Sum sum;
  for (int64_t i = 0; i < histories; ++i) {
    History history(static_cast<uint64_t>(Setting("HUB_SEED", 1) + i), scale);
    std::vector<Row> rows;
    for (int date = 0; date < kDates; ++date) {
      if (date > 0) history.GoOn();
      const int64_t yes = history.Yes();
      auto row =
          NextRow(measure, rows, std::to_string(date), history.TurnoutAt(rows.size()), {yes});
      if (!row) continue;
      history.Counted(static_cast<int>(rows.size()));
      const int64_t nearest =
          yes <= measure.small ? 0 : (yes + measure.step / 2) / measure.step * measure.step;
      if (row->figures[0].printed != nearest) ++sum.held;
      rows.push_back(std::move(*row));
    }
    std::vector<Interval> told;
    for (const Row& row : rows) told.push_back(row.figures[0].interval);
    std::vector<Group> groups = history.Groups();
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
    if (pinned.with_friends > 0) ++sum.histories;
  }
  std::printf(
      "%-26s %ld histories, %ld figures, %ld of them held; in %ld histories somebody is pinned, "
      "%ld counts are\n"
      "%ld people attacked, %ld pinned alone, %ld pinned with %ld friends\n",
      name, histories, sum.rows, sum.held, sum.histories, sum.pinned.counts, sum.people,
      sum.pinned.people, sum.pinned.with_friends, friends);
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

}  // namespace
}  // namespace hub::membership
