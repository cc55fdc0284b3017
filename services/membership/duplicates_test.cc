// Members who were entered twice: who is offered, what a merge does to persons and counts, and its
// undoing, on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
// After gtest: it adds to it.
#include <rapidcheck/gtest.h>

#include "common/testing/mini_service.h"
#include "coproduction/hub/events/v1/events.pb.h"
#include "coproduction/hub/v1/people.pb.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/membership/duplicates_rules.h"
#include "services/membership/history_rules.h"
#include "services/membership/module.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using coproduction::options::v1::MEMBER;
using coproduction::options::v1::MEMBERSHIP_ADMIN;
using coproduction::options::v1::MEMBERSHIP_PLATFORM;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kForum;
using testing::MiniService;
using testing::Refused;
using v1::Duplicate;
using v1::Likeness;

v1::Member Person(const std::string& given_name, const std::string& family_name,
                  const std::string& email = "", const std::string& phone = "") {
  v1::Member member;
  member.set_given_name(given_name);
  member.set_family_name(family_name);
  member.set_email(email);
  member.set_phone(phone);
  SetKeys(&member);
  return member;
}

TEST(DuplicatesRules, ANameIsComparedWithoutCaseAccentsAndSigns) {
  EXPECT_EQ(NameKey(Person("Siân", "O'Brien-Łoś")), NameKey(Person("SIAN ", "o brienŁOŚ")));
  EXPECT_NE(NameKey(Person("Sian", "O'Brien")), NameKey(Person("Sean", "O'Brien")));
}

TEST(DuplicatesRules, ANumberIsComparedAsItIsDialledFromAbroad) {
  for (const char* typed : {"07700 900123", "(07700) 900-123", "+44 7700 900123",
                            "0044 7700 900123", "+44 (0)7700 900123"}) {
    EXPECT_EQ(PhoneKey(typed), "+447700900123") << typed;
  }
  EXPECT_EQ(PhoneKey("+36 1 234 5678"), "+3612345678");
  for (const char* none : {"", "12", "ring the bell"}) EXPECT_EQ(PhoneKey(none), "") << none;
}

TEST(DuplicatesRules, CouplesShareMailboxesAndAreTwo) {
  const auto likely = [](const v1::Member& one, const v1::Member& other) {
    const int likelihood = Likelihood(LikenessOf(one, other));
    EXPECT_EQ(likelihood, Likelihood(LikenessOf(other, one)));
    return likelihood;
  };
  const auto jo = Person("Jo", "Example", "home@example.org", "07700 900123");
  EXPECT_EQ(likely(jo, Person("Sam", "Example", "home@example.org", "+447700900123")), 0);
  const int same_name = likely(jo, Person("JO", "Example"));
  EXPECT_GT(same_name, 0);
  EXPECT_GT(likely(jo, Person("Jo", "Example", "HOME@example.org")), same_name);
  EXPECT_GT(likely(jo, Person("Jo", "Exampel", "home@example.org")), 0);
  EXPECT_EQ(likely(jo, Person("Jo", "Exampel", "other@example.org")), 0);
}

// ---- when somebody counted ----

// Days are written as texts of equal length: text order is their order.
std::string Day(int day) { return (day < 10 ? "2021-01-0" : "2021-01-") + std::to_string(day); }

// A person's stays, one after another: joined on the even, left on the odd ones.
Changes StaysOf(const std::vector<int>& days) {
  Changes changes;
  for (size_t i = 0; i < days.size(); ++i) changes[Day(days[i])] += i % 2 == 0 ? 1 : -1;
  return changes;
}

int CountOn(const Changes& changes, const std::string& day) {
  int count = 0;
  for (const auto& [on, change] : changes) count += on <= day ? change : 0;
  return count;
}

rc::Gen<std::vector<int>> Stays() {
  return rc::gen::map(rc::gen::container<std::set<int>>(rc::gen::inRange(1, 29)),
                      [](const std::set<int>& days) {
                        std::vector<int> stays(days.begin(), days.end());
                        if (stays.size() > 6) stays.resize(6);
                        return stays;
                      });
}

RC_GTEST_PROP(HistoryRules, OfTwoEntriesOfOnePersonEachDayCountsOnce, ()) {
  const Changes one = StaysOf(*Stays()), other = StaysOf(*Stays());
  Changes both = one;
  for (const auto& [day, change] : other) both[day] += change;
  const auto spans = SpansOf(both);
  for (const auto& [from, until] : OverlapsOf(one, other)) {
    both[from] -= 1;
    if (!until.empty()) both[until] += 1;
  }
  for (int day = 1; day < 30; ++day) {
    const int known = CountOn(one, Day(day)) > 0 || CountOn(other, Day(day)) > 0 ? 1 : 0;
    RC_ASSERT(CountOn(both, Day(day)) == known);
    const bool inside = std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
      return span.from <= Day(day) && (span.until.empty() || Day(day) < span.until);
    });
    RC_ASSERT(inside == (known == 1));
  }
  RC_ASSERT(OverlapsOf(other, one) == OverlapsOf(one, other));
}

// ---- handlers ----

class Duplicates : public ::testing::TestWithParam<db::Engine> {
 protected:
  Duplicates() : mini_(MakeMembershipModule(), GetParam()) {
    mini_.SetDate("2021-07-31");
    admin_ = mini_.Token(MEMBERSHIP_ADMIN);
  }
  v1::Member Join(v1::Member member, const std::string& on) {
    member.set_joined_on(on);
    v1::CreateMemberRequest request;
    request.set_parent(kForum);
    *request.mutable_member() = std::move(member);
    auto joined = mini_.Call<v1::Member>(admin_, request);
    EXPECT_TRUE(joined.ok()) << joined.status();
    return joined.ok() ? *joined : v1::Member();
  }
  StatusOr<v1::Member> Leave(const std::string& name, const std::string& on) {
    v1::LeaveMemberRequest request;
    request.set_name(name);
    request.set_left_on(on);
    return mini_.Call<v1::Member>(admin_, request);
  }
  StatusOr<v1::Member> Rejoin(const std::string& name) {
    v1::RejoinMemberRequest request;
    request.set_name(name);
    return mini_.Call<v1::Member>(admin_, request);
  }
  v1::Member Get(const std::string& name, const std::string& token = "") {
    v1::GetMemberRequest request;
    request.set_name(name);
    auto member = mini_.Call<v1::Member>(token.empty() ? admin_ : token, request);
    EXPECT_TRUE(member.ok()) << member.status();
    return member.ok() ? *member : v1::Member();
  }
  StatusOr<Duplicate> Merge(const std::string& kept, const std::string& member,
                            const std::string& token = "") {
    v1::MergeMembersRequest request;
    request.set_parent(kForum);
    request.set_kept(kept);
    request.set_member(member);
    return mini_.Call<Duplicate>(token.empty() ? admin_ : token, request);
  }
  StatusOr<Duplicate> Undo(const std::string& name) {
    v1::UndoMergeRequest request;
    request.set_name(name);
    return mini_.Call<Duplicate>(admin_, request);
  }
  std::vector<Likeness> Find(const v1::Member* entered = nullptr) {
    v1::FindDuplicatesRequest request;
    request.set_parent(kForum);
    if (entered != nullptr) *request.mutable_member() = *entered;
    auto found = mini_.Call<v1::FindDuplicatesResponse>(admin_, request);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok()
               ? std::vector<Likeness>(found->likenesses().begin(), found->likenesses().end())
               : std::vector<Likeness>();
  }
  v1::MembershipFigures Figures(const std::string& from, const std::string& to,
                                const std::string& known_on = "") {
    v1::GetMembershipFiguresRequest request;
    request.set_parent(kForum);
    request.set_from(from);
    request.set_to(to);
    request.set_membership_from(from);
    request.set_known_on(known_on);
    auto figures = mini_.Call<v1::MembershipFigures>(admin_, request);
    EXPECT_TRUE(figures.ok()) << figures.status();
    return figures.ok() ? *figures : v1::MembershipFigures();
  }
  int Count(const std::string& on, const std::string& known_on = "") {
    return Figures(on, on, known_on).members_end();
  }

  MiniService mini_;
  std::string admin_;
};

ON_BOTH_DATABASES(Duplicates);

TEST_P(Duplicates, TheLikeliestAreOfferedFirstUntilSomebodyJudgesThem) {
  const auto jo = Join(Person("Jo", "Example", "jo@example.org", "07700 900123"), "2021-02-01");
  const auto twin = Join(Person("Jo", "EXAMPLE", "", "+44 7700 900123"), "2021-03-01");
  Join(Person("Sam", "Example", "jo@example.org"), "2021-03-01");
  const auto namesake = Join(Person("Jo", "Example"), "2021-04-01");
  auto found = Find();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].member(), jo.name()) << "who has been a member for longer stands first";
  EXPECT_EQ(found[0].other(), twin.name());
  EXPECT_THAT(found[0].reasons(), ElementsAre(Likeness::SAME_NAME, Likeness::SAME_PHONE));
  EXPECT_EQ(found[0].member_called(), "Jo Example");
  EXPECT_EQ(found[0].other_since(), "2021-03-01");
  const auto entered = Person("jo", "example", "JO@example.org");
  found = Find(&entered);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].member(), jo.name());
  EXPECT_EQ(found[0].other(), "");
  EXPECT_EQ(mini_.Rows("members"), 4) << "who is looked for is not entered";

  v1::KeepApartRequest apart;
  apart.set_parent(kForum);
  apart.set_kept(jo.name());
  apart.set_member(namesake.name());
  ASSERT_TRUE(mini_.Call<Duplicate>(admin_, apart).ok());
  EXPECT_EQ(Find().size(), 2u);
  ASSERT_TRUE(Merge(jo.name(), twin.name()).ok());
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_P(Duplicates, AMergedMemberIsOneAndBothNamesLeadThere) {
  auto first = Person("Jo", "Example", "", "07700 900123");
  first.mutable_consents()->Add()->set_purpose(v1::Consent::NEWS);
  const auto jo = Join(first, "2021-02-01");
  auto second = Person("Jo", "Example", "jo@example.org", "07700 900456");
  auto* consent = second.add_consents();
  consent->set_purpose(v1::Consent::NEWS);
  consent->set_given(true);
  consent->set_wording("2");
  mini_.SetDate("2021-08-01");
  const auto twin = Join(second, "2021-03-01");
  EXPECT_EQ(Count("2021-03-01"), 2);

  EXPECT_TRUE(Refused(Merge(jo.name(), twin.name(), mini_.Token(MEMBERSHIP_PLATFORM)).status(),
                      errors::ROLE_NOT_ALLOWED))
      << "a person judges, not a system";
  auto merged = Merge(jo.name(), twin.name());
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(merged->final_on(), "2021-08-31");
  const auto kept = Get(twin.name());
  EXPECT_EQ(kept.name(), jo.name());
  EXPECT_EQ(kept.email(), "jo@example.org") << "what only the other had said";
  EXPECT_EQ(kept.phone(), "07700 900123") << "what the kept one had said";
  ASSERT_EQ(kept.consents_size(), 1);
  EXPECT_TRUE(kept.consents(0).given()) << "the latest word counts";
  EXPECT_EQ(Count("2021-03-01"), 1);
  EXPECT_EQ(Count("2021-03-01", "2021-07-31"), 1) << "the second was not known then";
  EXPECT_EQ(Count("2021-08-01"), 1);
  EXPECT_EQ(Figures("2021-02-28", "2021-03-31").members_joined(), 0);
  const auto told = mini_.Published<events::MemberMerged>(kForum);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].member(), twin.name());
  EXPECT_EQ(told[0].kept(), jo.name());
  EXPECT_TRUE(mini_.Events("forums/warwickshire/partners/wcc").empty());

  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(twin.name());
  update.mutable_member()->set_phone("07700 900789");
  update.mutable_update_mask()->add_paths("phone");
  EXPECT_TRUE(
      Refused(mini_.Call<v1::Member>(admin_, update).status(), errors::RULE_REFUSED, "merged"));
  EXPECT_TRUE(Refused(Merge(jo.name(), twin.name()).status(), errors::RULE_REFUSED, "merge"));
  EXPECT_TRUE(Refused(Merge(jo.name(), jo.name()).status(), errors::INVALID_FIELD, "member"));
  // Who signed in as the other sees the own entry and no one else's.
  const std::string own = mini_.Token(MEMBER, twin.name().substr(twin.name().rfind('/') + 1));
  EXPECT_EQ(Get(twin.name(), own).name(), twin.name());
}

TEST_P(Duplicates, AMergeIsUndoneButForWhatWasSaidSince) {
  const auto jo = Join(Person("Jo", "Example", "", "07700 900123"), "2021-02-01");
  auto second = Person("Jo", "Example", "jo@example.org");
  second.set_format("large print");
  const auto twin = Join(second, "2021-03-01");
  ASSERT_TRUE(Leave(twin.name(), "2021-05-01").ok());
  auto merged = Merge(jo.name(), twin.name());
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(Count("2021-04-01"), 1);
  EXPECT_EQ(Figures("2021-04-01", "2021-06-01").members_left(), 0);
  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(jo.name());
  update.mutable_member()->set_format("audio");
  update.mutable_update_mask()->add_paths("format");
  ASSERT_TRUE(mini_.Call<v1::Member>(admin_, update).ok());
  auto undone = Undo(merged->name());
  ASSERT_TRUE(undone.ok()) << undone.status();
  EXPECT_EQ(undone->state(), Duplicate::KEPT_APART);
  EXPECT_EQ(Get(jo.name()).email(), "");
  EXPECT_EQ(Get(jo.name()).format(), "audio") << "said since";
  const auto apart = Get(twin.name());
  EXPECT_EQ(apart.name(), twin.name());
  EXPECT_EQ(apart.state(), v1::Member::LEFT);
  EXPECT_EQ(Count("2021-04-01"), 2);
  EXPECT_EQ(Count("2021-05-01"), 1);
  EXPECT_EQ(Figures("2021-04-01", "2021-06-01").members_left(), 1);
  EXPECT_THAT(Find(), IsEmpty()) << "somebody said that they are two";
  EXPECT_TRUE(Refused(Undo(merged->name()).status(), errors::STATE_NOT_ALLOWED));
}

TEST_P(Duplicates, WhoCameBackUnderANewEntryIsAMemberAgain) {
  const auto jo = Join(Person("Jo", "Example"), "2021-02-01");
  ASSERT_TRUE(Leave(jo.name(), "2021-03-01").ok());
  const auto twin = Join(Person("Jo", "Example"), "2021-05-01");
  auto merged = Merge(jo.name(), twin.name());
  ASSERT_TRUE(merged.ok()) << merged.status();
  const auto kept = Get(jo.name());
  EXPECT_EQ(kept.state(), v1::Member::ACTIVE);
  EXPECT_EQ(kept.joined_on(), "2021-05-01");
  EXPECT_EQ(Count("2021-04-01"), 0);
  EXPECT_EQ(Count("2021-05-01"), 1);
  ASSERT_TRUE(Leave(jo.name(), "2021-06-01").ok());
  EXPECT_EQ(Count("2021-06-01"), 0);
  EXPECT_TRUE(Refused(Undo(merged->name()).status(), errors::RULE_REFUSED, "merge_order"));
}

TEST_P(Duplicates, MergesAreUndoneInTheirOrderAndInTheirTime) {
  const auto a = Join(Person("Jo", "Example"), "2021-02-01");
  const auto b = Join(Person("Jo", "Example"), "2021-03-01");
  const auto c = Join(Person("Jo", "Example"), "2021-04-01");
  auto first = Merge(a.name(), b.name());
  auto second = Merge(a.name(), c.name());
  ASSERT_TRUE(first.ok() && second.ok()) << second.status();
  EXPECT_EQ(Count("2021-04-01"), 1);
  EXPECT_TRUE(Refused(Undo(first->name()).status(), errors::RULE_REFUSED, "merge_order"));
  ASSERT_TRUE(Undo(second->name()).ok());
  EXPECT_EQ(Count("2021-04-01"), 2);
  auto chain = Merge(c.name(), a.name());
  ASSERT_TRUE(chain.ok()) << chain.status();
  EXPECT_EQ(Get(b.name()).name(), c.name()) << "one leads to the next";
  EXPECT_EQ(Count("2021-02-01"), 1);
  EXPECT_EQ(Count("2021-04-01"), 1);
  EXPECT_TRUE(Refused(Undo(first->name()).status(), errors::RULE_REFUSED, "merge_order"));
  ASSERT_TRUE(Undo(chain->name()).ok());
  ASSERT_TRUE(Undo(first->name()).ok());
  EXPECT_EQ(Count("2021-04-01"), 3);
}

TEST_P(Duplicates, AfterItsDaysTheSecondEntryIsErasedAndStillLeadsToTheOne) {
  const auto jo = Join(Person("Jo", "Example"), "2021-02-01");
  const auto twin = Join(Person("Jo", "Example", "jo@example.org"), "2021-03-01");
  auto merged = Merge(jo.name(), twin.name());
  ASSERT_TRUE(merged.ok()) << merged.status();
  mini_.SetDate("2021-08-29");
  EXPECT_EQ(mini_.Rows("duplicates WHERE state = 'MERGED'"), 1);
  mini_.SetDate("2021-08-30");
  EXPECT_EQ(mini_.Rows("duplicates WHERE state = 'FINAL'"), 1);
  EXPECT_TRUE(Refused(Undo(merged->name()).status(), errors::STATE_NOT_ALLOWED));
  const auto told = mini_.Published<coproduction::hub::events::v1::MemberErased>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].member(), twin.name());
  ASSERT_TRUE(mini_.Deliver(told[0].rights_request(), told[0]).ok());
  EXPECT_EQ(mini_.Rows("members WHERE email <> '' AND merged_into_id <> ''"), 0);
  EXPECT_EQ(Get(twin.name()).name(), jo.name());
  EXPECT_EQ(Get(twin.name()).email(), "jo@example.org");
  EXPECT_EQ(Count("2021-08-30"), 1);
}

TEST_P(Duplicates, WhoIsErasedIsErasedUnderAllEntries) {
  const auto jo = Join(Person("Jo", "Example"), "2021-02-01");
  ASSERT_TRUE(Leave(jo.name(), "2021-03-01").ok());
  const auto twin = Join(Person("Jo", "Example", "jo@example.org"), "2021-05-01");
  ASSERT_TRUE(Merge(jo.name(), twin.name()).ok());
  v1::CreateRightsRequestRequest ask;
  ask.set_parent(kForum);
  ask.set_member(jo.name());
  ask.set_kind(v1::RightsRequest::ERASURE);
  auto asked = mini_.Call<v1::RightsRequest>(admin_, ask);
  ASSERT_TRUE(asked.ok()) << asked.status();
  v1::CompleteRightsRequestRequest complete;
  complete.set_name(asked->name());
  complete.set_outcome("Erased.");
  auto done = mini_.Call<v1::RightsRequest>(admin_, complete);
  ASSERT_TRUE(done.ok()) << done.status();
  mini_.SetDate("2021-07-31");
  std::set<std::string> erased;
  for (const auto& told : mini_.Published<coproduction::hub::events::v1::MemberErased>()) {
    erased.insert(told.member());
  }
  EXPECT_EQ(erased, (std::set<std::string>{jo.name(), twin.name()}));
  EXPECT_EQ(Count("2021-07-30"), 1);
  EXPECT_EQ(Count("2021-07-31"), 0);
  ask.set_member(twin.name());
  EXPECT_TRUE(
      Refused(mini_.Call<v1::RightsRequest>(admin_, ask).status(), errors::RULE_REFUSED, "merged"));
}

TEST_P(Duplicates, AnApplicationThatWasMergedAndUndoneLapsesAsAnyOther) {
  const auto jo = Join(Person("Jo", "Example"), "2021-02-01");
  v1::ApplyMemberRequest apply;
  apply.set_parent(kForum);
  *apply.mutable_member() = Person("Jo", "Example");
  auto applied = mini_.Call<v1::ApplyMemberResponse>(admin_, apply);
  ASSERT_TRUE(applied.ok()) << applied.status();
  auto merged = Merge(jo.name(), applied->member().name());
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(Count("2021-07-31"), 1);
  mini_.SetDate("2021-08-20");
  ASSERT_TRUE(Undo(merged->name()).ok());
  EXPECT_EQ(Get(applied->member().name()).state(), v1::Member::APPLIED);
  mini_.SetDate("2021-09-04");
  EXPECT_EQ(Get(applied->member().name()).state(), v1::Member::ERASED);
}

TEST_P(Duplicates, WhatAnotherEntrySaysIsInThePersonsExport) {
  const auto jo = Join(Person("Jo", "Example", "jo@example.org"), "2021-02-01");
  const auto twin = Join(Person("Jo", "Example", "old@example.org"), "2021-03-01");
  ASSERT_TRUE(Merge(jo.name(), twin.name()).ok());
  coproduction::hub::v1::GetPersonalDataRequest request;
  request.set_name(jo.name());
  auto data = mini_.Call<coproduction::hub::v1::PersonalData>(admin_, request);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->DebugString(), ::testing::HasSubstr("old@example.org"));
  EXPECT_THAT(data->DebugString(), ::testing::HasSubstr("jo@example.org"));
}

TEST_P(Duplicates, ARepIsKeptAndWhatIsUnderWayIsDoneFirst) {
  const auto jo = Join(Person("Jo", "Example"), "2021-02-01");
  const auto twin = Join(Person("Jo", "Example"), "2021-03-01");
  v1::CreateRepRequest rep;
  rep.set_parent(kForum);
  rep.set_member(twin.name());
  ASSERT_TRUE(mini_.Call<v1::Rep>(admin_, rep).ok());
  EXPECT_TRUE(Refused(Merge(jo.name(), twin.name()).status(), errors::RULE_REFUSED, "merge_rep"));
  v1::CreateRightsRequestRequest ask;
  ask.set_parent(kForum);
  ask.set_member(jo.name());
  ask.set_kind(v1::RightsRequest::ACCESS);
  ASSERT_TRUE(mini_.Call<v1::RightsRequest>(admin_, ask).ok());
  EXPECT_TRUE(Refused(Merge(twin.name(), jo.name()).status(), errors::RULE_REFUSED, "merge_right"));
  EXPECT_EQ(mini_.Rows("duplicates"), 0);
  EXPECT_EQ(Count("2021-03-01"), 2);
}

// What is known of a person, kept beside the hub: on which days of the year so far the person
// counts.
struct Known {
  std::string name;
  std::set<std::string> days;
  v1::Member::State state = v1::Member::ACTIVE;
  std::string since;  // joined, or left
};
struct Merged {
  std::string duplicate;
  size_t kept = 0, member = 0;
  Known kept_before, member_before;
  bool touched = false;  // the kept one left or came back since
};

TEST_P(Duplicates, WhateverHappensInWhateverOrderEachPersonCountsOnceADay) {
  std::vector<std::string> year;
  for (std::string day = "2021-01-01"; day <= "2021-07-31"; day = AddDays(day, 1)) {
    year.push_back(day);
  }
  const auto from = [&](const std::string& day) {
    return std::set<std::string>(std::lower_bound(year.begin(), year.end(), day), year.end());
  };
  const char* given = std::getenv("HUB_SEED");
  const unsigned seed = given == nullptr ? 20211203 : static_cast<unsigned>(std::atoi(given));
  SCOPED_TRACE("HUB_SEED=" + std::to_string(seed));
  std::mt19937 draw(seed);
  std::vector<Known> people;
  std::vector<Merged> merges;
  std::map<std::string, int> done;
  const auto any = [&](size_t size) {
    return std::uniform_int_distribution<size_t>(0, size - 1)(draw);
  };
  const auto day_after = [&](const std::string& day) {
    const auto first = std::lower_bound(year.begin(), year.end(), day) - year.begin();
    return year[static_cast<size_t>(first) + any(year.size() - static_cast<size_t>(first))];
  };
  const auto touch = [&](size_t who) {
    for (Merged& merge : merges) merge.touched |= merge.kept == who;
  };
  for (int step = 0; step < 400; ++step) {
    const size_t act = people.size() < 12 ? 0 : any(7);
    const size_t who = people.empty() ? 0 : any(people.size());
    if (act == 0) {
      const std::string day = day_after(year[0]);
      people.push_back(
          {Join(Person("Jo", "Example"), day).name(), from(day), v1::Member::ACTIVE, day});
      ++done["join"];
    } else if (act <= 2 && people[who].state == v1::Member::ACTIVE) {
      const std::string day = day_after(people[who].since);
      ASSERT_TRUE(Leave(people[who].name, day).ok());
      for (const auto& gone : from(day)) people[who].days.erase(gone);
      people[who].state = v1::Member::LEFT;
      people[who].since = day;
      touch(who);
      ++done["leave"];
    } else if (act <= 2 && people[who].state == v1::Member::LEFT) {
      const std::string day = day_after(people[who].since);
      v1::RejoinMemberRequest back;
      back.set_name(people[who].name);
      back.set_joined_on(day);
      ASSERT_TRUE(mini_.Call<v1::Member>(admin_, back).ok());
      people[who].days.merge(from(day));
      people[who].state = v1::Member::ACTIVE;
      people[who].since = day;
      touch(who);
      ++done["come back"];
    } else if (act <= 4) {
      const size_t other = any(people.size());
      Known kept = people[who], member = people[other];
      auto merged = Merge(kept.name, member.name);
      const bool may = who != other &&
                       (kept.state == v1::Member::ACTIVE || kept.state == v1::Member::LEFT) &&
                       (member.state == v1::Member::ACTIVE || member.state == v1::Member::LEFT);
      ASSERT_EQ(merged.ok(), may) << merged.status();
      if (!may) continue;
      merges.push_back({merged->name(), who, other, kept, member});
      people[who].days.merge(std::set<std::string>(member.days));
      people[other].days.clear();
      people[other].state = v1::Member::MERGED;
      const v1::Member now = Get(kept.name);
      people[who].state = now.state();
      people[who].since = now.left_on().empty() ? now.joined_on() : now.left_on();
      EXPECT_EQ(now.state() == v1::Member::ACTIVE, people[who].days.count(year.back()) > 0);
      ++done["merge"];
    } else if (act == 5 && !merges.empty()) {
      const Merged merge = merges.back();
      merges.pop_back();
      auto undone = Undo(merge.duplicate);
      const bool may = !merge.touched && (people[merge.kept].state == v1::Member::ACTIVE ||
                                          people[merge.kept].state == v1::Member::LEFT);
      // Leaving and coming back on one day is as if nobody had.
      ASSERT_TRUE(undone.ok() || !may) << undone.status();
      if (!undone.ok()) continue;
      people[merge.kept] = merge.kept_before;
      people[merge.member] = merge.member_before;
      ++done["undo"];
    } else if (act == 6 && any(6) == 0 &&
               (people[who].state == v1::Member::ACTIVE || people[who].state == v1::Member::LEFT)) {
      v1::CreateRightsRequestRequest ask;
      ask.set_parent(kForum);
      ask.set_member(people[who].name);
      ask.set_kind(v1::RightsRequest::ERASURE);
      auto asked = mini_.Call<v1::RightsRequest>(admin_, ask);
      ASSERT_TRUE(asked.ok()) << asked.status();
      v1::CompleteRightsRequestRequest complete;
      complete.set_name(asked->name());
      complete.set_outcome("Erased.");
      ASSERT_TRUE(mini_.Call<v1::RightsRequest>(admin_, complete).ok());
      people[who].days.erase(year.back());
      people[who].state = v1::Member::ERASED;
      touch(who);
      ++done["erase"];
    }
    if (step % 8 != 0) continue;
    for (const std::string& day : {year.back(), year[any(year.size())]}) {
      const auto counts = [&](const Known& person) { return person.days.count(day) > 0; };
      ASSERT_EQ(Count(day), std::count_if(people.begin(), people.end(), counts))
          << "on " << day << " after " << step + 1 << " acts";
    }
  }
  for (const char* act : {"join", "leave", "come back", "merge", "undo", "erase"}) {
    EXPECT_GT(done[act], 0) << act;
  }
}

}  // namespace
}  // namespace hub::membership
