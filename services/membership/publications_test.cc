// Figures on what members say of themselves: questions and words, and the figures of a forum on
// both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/mini_service.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/rights.pb.h"
#include "services/membership/disclosure_attack.h"
#include "services/membership/module.h"
#include "services/membership/publications_rules.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;

using coproduction::options::v1::CHAIR;
using coproduction::options::v1::FACILITATOR;
using coproduction::options::v1::MEMBER;
using coproduction::options::v1::MEMBERSHIP_ADMIN;
using coproduction::options::v1::OPERATOR;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kForum;
using testing::MiniService;
using ::testing::Not;
using testing::Refused;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using v1::Publication;

TEST(PublicationsRules, WhatIsNoAnswer) {
  v1::MemberCharacteristics said;
  for (const auto question : Questions()) EXPECT_EQ(AnswerTo(question, said), std::nullopt);
  for (const auto none : {v1::NOT_ASKED, v1::NOT_ANSWERED, v1::PREFER_NOT_TO_SAY, v1::STOPPED}) {
    said.set_disability(none);
    said.set_gender(none);
    EXPECT_EQ(AnswerTo(Publication::DISABILITY, said), std::nullopt);
    EXPECT_EQ(AnswerTo(Publication::GENDER, said), std::nullopt);
  }
  said.set_disability(v1::NO);
  EXPECT_EQ(AnswerTo(Publication::DISABILITY, said), v1::NO);
  said.set_gender(v1::NON_BINARY);
  EXPECT_EQ(AnswerTo(Publication::GENDER, said), v1::NON_BINARY);
}

TEST(PublicationsRules, EachQuestionHasItsOwnAnswers) {
  v1::MemberCharacteristics said;
  said.set_gender(v1::WHITE_BRITISH);
  EXPECT_TRUE(Refused(Said({}, said).status(), errors::INVALID_FIELD, "characteristics.gender"));
  said.set_gender(v1::YES);
  EXPECT_TRUE(Refused(Said({}, said).status(), errors::INVALID_FIELD, "characteristics.gender"));
  for (const auto answer : {v1::FEMALE, v1::ANOTHER_DESCRIPTION, v1::PREFER_NOT_TO_SAY}) {
    said.set_gender(answer);
    EXPECT_TRUE(Said({}, said).ok());
  }
  said.set_ethnicity(v1::ANOTHER_DESCRIPTION);
  said.set_age_band(v1::OVER_54);
  said.set_carer(v1::NO);
  EXPECT_TRUE(Said({}, said).ok());
}

TEST(PublicationsRules, WhatWasStoppedStaysSoUntilItIsAnswered) {
  v1::MemberCharacteristics before, after;
  after.set_gender(v1::STOPPED);
  after.set_gender_words("of my own");
  after.set_disability(v1::YES);
  before = *Said({}, after);
  EXPECT_EQ(before.gender_words(), "") << "nothing of it is held";
  after.Clear();
  after.set_disability(v1::NO);
  const auto still = Said(before, after);
  ASSERT_TRUE(still.ok());
  EXPECT_EQ(still->gender(), v1::STOPPED);
  after.set_gender(v1::FEMALE);
  EXPECT_EQ(Said(before, after)->gender(), v1::FEMALE);
}

TEST(PublicationsRules, NoForumHasAFigureOfWhatFewAre) {
  for (const auto question : Questions()) {
    const auto local = FiguresOf(kForumPrinter, question);
    EXPECT_EQ(local.empty(), question >= Publication::DISABILITY_BY_GENDER);
    for (const auto never : {v1::TRANSGENDER, v1::NON_BINARY, v1::ANOTHER_DESCRIPTION, v1::FEMALE,
                             v1::WHITE_BRITISH, v1::NO}) {
      EXPECT_THAT(local, Not(Contains(never)));
    }
  }
  EXPECT_THAT(FiguresOf(kNationalPrinter, Publication::GENDER),
              ElementsAre(v1::MALE, v1::TRANSGENDER, v1::NON_BINARY, v1::ANOTHER_DESCRIPTION));
  const auto counts = CountsOf(Publication::ETHNICITY, {{v1::WHITE_BRITISH, 100},
                                                        {v1::NOT_WHITE_BRITISH, 3},
                                                        {v1::ASIAN_OR_ASIAN_BRITISH, 5},
                                                        {v1::ANOTHER_DESCRIPTION, 2}});
  EXPECT_EQ(counts.at(v1::NOT_WHITE_BRITISH), 10);
  EXPECT_EQ(counts.at(v1::ASIAN_OR_ASIAN_BRITISH), 5);
  EXPECT_EQ(counts.count(v1::WHITE_BRITISH), 0u);
}

TEST(PublicationsRules, TwoQuestionsHaveCellsAndMarginsWithoutTheAnswersOfReference) {
  EXPECT_THAT(FiguresOf(kForumPrinter, Publication::DISABILITY_BY_GENDER), IsEmpty());
  EXPECT_THAT(
      FiguresOf(kNationalPrinter, Publication::DISABILITY_BY_GENDER),
      ElementsAre(v1::YES, Answers(v1::YES, v1::MALE), Answers(v1::YES, v1::TRANSGENDER),
                  Answers(v1::YES, v1::NON_BINARY), Answers(v1::YES, v1::ANOTHER_DESCRIPTION),
                  Answers({}, v1::MALE), Answers({}, v1::TRANSGENDER), Answers({}, v1::NON_BINARY),
                  Answers({}, v1::ANOTHER_DESCRIPTION)));
  for (const auto question : Questions()) {
    for (const Answers& figure : FiguresOf(kNationalPrinter, question)) {
      EXPECT_EQ(AnswersOf(TextOf(figure)), figure) << TextOf(figure);
    }
  }
  EXPECT_EQ(TextOf({v1::YES, v1::MALE}), "YES+MALE");
  EXPECT_EQ(TextOf({{}, v1::MALE}), "+MALE");
  EXPECT_EQ(AnswersOf("PERHAPS"), std::nullopt);

  v1::MemberCharacteristics said;
  said.set_disability(v1::YES);
  EXPECT_EQ(AnswerTo(Publication::DISABILITY_BY_ETHNICITY, said), std::nullopt);
  said.set_ethnicity(v1::STOPPED);
  EXPECT_EQ(AnswerTo(Publication::DISABILITY_BY_ETHNICITY, said), std::nullopt);
  said.set_ethnicity(v1::MIXED_OR_MULTIPLE);
  EXPECT_EQ(AnswerTo(Publication::DISABILITY_BY_ETHNICITY, said),
            Answers(v1::YES, v1::MIXED_OR_MULTIPLE));

  const Counts counts =
      CountsOf(Publication::DISABILITY_BY_ETHNICITY, {{{v1::YES, v1::WHITE_BRITISH}, 1},
                                                      {{v1::YES, v1::MIXED_OR_MULTIPLE}, 10},
                                                      {{v1::NO, v1::MIXED_OR_MULTIPLE}, 100},
                                                      {{v1::NO, v1::NOT_WHITE_BRITISH}, 1000},
                                                      {{v1::NO, v1::WHITE_BRITISH}, 10000}});
  EXPECT_EQ(counts.at(v1::YES), 11);
  EXPECT_EQ(counts.at({v1::YES, v1::MIXED_OR_MULTIPLE}), 10);
  EXPECT_EQ(counts.at({v1::YES, v1::NOT_WHITE_BRITISH}), 10);
  EXPECT_EQ(counts.at({{}, v1::MIXED_OR_MULTIPLE}), 110);
  EXPECT_EQ(counts.at({{}, v1::NOT_WHITE_BRITISH}), 1110);
  EXPECT_EQ(counts.at({{}, v1::BLACK_OR_BLACK_BRITISH}), 0);
}

TEST(PublicationsRules, WhatIsNeverPrintedIsRefusedByItsKind) {
  for (const char* fine : {"", "question = \"DISABILITY\"", "date = \"2022-07-01\"",
                           "question = \"AGE_BAND\" AND date = \"2022-07-01\""}) {
    EXPECT_TRUE(CheckFilter(kForumPrinter, fine).ok()) << fine;
  }
  EXPECT_TRUE(CheckFilter(kNationalPrinter, "question = \"DISABILITY_BY_GENDER\"").ok());
  const std::map<std::string, std::string> refused = {
      {"district = \"CV34\"", "one question for all members"},
      {"answer = \"MALE\"", "one question for all members"},
      {"question = \"DISABILITY\" AND question = \"GENDER\"", "none combines two"},
      {"question = \"DISABILITY_BY_GENDER\"", "none combines two"},
      {"question = \"DISABILITY\" AND district = \"CV34\"", "none is for a district"},
      {"question = \"INCOME\"", "one question for all members"},
      {"date = \"2022-06-14\"", "for no other day"},
      {"answer = \"TRANSGENDER\"", "for all forums together alone"},
      {"question = \"NON_BINARY\"", "for all forums together alone"}};
  for (const auto& [filter, why] : refused) {
    const Status status = CheckFilter(kForumPrinter, filter);
    EXPECT_TRUE(Refused(status, errors::FILTER_INVALID, "filter")) << filter;
    EXPECT_THAT(MessageOf(status), HasSubstr(why)) << filter;
  }
  for (const char* fine : {"2022-07-01-disability", "2022-07-01-free_school_meals", "nobody",
                           "before-2022-06-14-disability"}) {
    EXPECT_TRUE(CheckPublicationId(kForumPrinter, fine).ok()) << fine;
  }
  EXPECT_TRUE(CheckPublicationId(kNationalPrinter, "2022-07-01-disability_by_gender").ok());
  const std::map<std::string, std::string> names = {
      {"2022-06-14-disability", "for no other day"},
      {"2022-07-01-disability-gender", "none combines two"},
      {"2022-07-01-disability_by_gender", "none combines two"},
      {"2022-07-01-gender-transgender", "for all forums together alone"}};
  for (const auto& [name, why] : names) {
    const Status status = CheckPublicationId(kForumPrinter, name);
    EXPECT_TRUE(Refused(status, errors::INVALID_FIELD, "name")) << name;
    EXPECT_THAT(MessageOf(status), HasSubstr(why)) << name;
  }
}

TEST(PublicationsRules, TheCalendar) {
  EXPECT_EQ(LastOnCalendar("2022-06-14"), "2022-04-01");
  EXPECT_EQ(LastOnCalendar("2022-07-01"), "2022-07-01");
  EXPECT_EQ(NextOnCalendar("2022-07-01"), "2022-10-01");
  EXPECT_EQ(NextOnCalendar("2022-12-31"), "2023-01-01");
}

TEST(PublicationsRules, Words) {
  auto text = [](Question question, int64_t base, const std::vector<int64_t>& counts) {
    const Row row = *NextRow(kForumMeasure, {}, "2022-07-01", {base, {base}}, counts);
    return PublicationOf(kForumPrinter, question, row, 1, "").text();
  };
  EXPECT_EQ(text(Publication::DISABILITY, 254, {61}),
            "1 July 2022: of about 255 members who answered, about 60 (24%) say that they are "
            "disabled.");
  EXPECT_EQ(text(Publication::GENDER, 140, {6}),
            "1 July 2022: of about 140 members who answered, fewer than 8 say that they are men; "
            "over 90% gave another answer.");
  EXPECT_EQ(text(Publication::AGE_BAND, 90, {4, 20, 30, 2}),
            "1 July 2022: of about 90 members who answered, fewer than 8 say that they are under "
            "25, about 20 say that they are 25 to 34, about 30 say that they are 45 to 54, fewer "
            "than 8 say that they are 55 or older.");
  // 219 of 31,300 are 0.7%: to the nearest 50 they are 0.6%.
  const Row nation =
      *NextRow(kNationalMeasure, {}, "2022-07-01", {31300, {31300}}, {1400, 219, 60, 300});
  EXPECT_EQ(PublicationOf(kNationalPrinter, Publication::GENDER, nation, 1, "").text(),
            "1 July 2022: of about 31300 members of all forums who answered, about 1400 (4.5%) say "
            "that they are men, about 200 (0.6%) say that they are transgender, fewer than 75 say "
            "that they are non-binary, about 300 (1.0%) say that they are of another description.");
  const Row two = *NextRow(kNationalMeasure, {}, "2022-07-01", {31300, {31300}}, {9000, 60, 1400});
  EXPECT_EQ(
      PublicationOf(kNationalPrinter, Publication::LONE_PARENT_BY_FREE_SCHOOL_MEALS, two, 1, "")
          .text(),
      "1 July 2022: of about 31300 members of all forums who answered both, about 9000 (28.8%) say "
      "that they are a lone parent or carer, fewer than 75 say that they are a lone parent or "
      "carer and have a child with free school meals, about 1400 (4.5%) say that they have a "
      "child with free school meals.");
  EXPECT_EQ(PublicationOf(kForumPrinter, Publication::CARER_BY_AGE_BAND,
                          *NextRow(kForumMeasure, {}, "2022-07-01", {99, {99}}, {}), 1, "")
                .text(),
            "");
}

std::vector<Publication> ThreeRows() {
  std::vector<Publication> published;
  std::vector<Row> rows;
  std::vector<int64_t> since;
  for (int64_t number = 1; number <= 3; ++number) {
    since.insert(since.begin(), 40 * number);  // who came; those of before stay
    if (since.size() > 2) std::swap(since[1], since[2]);
    Turnout turnout = TurnoutAfter(rows, since, 40 * number);
    rows.push_back(*NextRow(kForumMeasure, rows, absl::StrCat("202", number, "-07-01"), turnout,
                            {15 * number}));
    published.push_back(PublicationOf(kForumPrinter, Publication::DISABILITY, rows.back(),
                                      static_cast<size_t>(number),
                                      published.empty() ? "" : published.back().hash()));
  }
  return published;
}

TEST(PublicationsRules, AnEditedRowBreaksTheChain) {
  const auto rows = ThreeRows();
  EXPECT_EQ(BrokenAt(rows), std::nullopt);
  using Edit = std::function<void(Publication*)>;
  const std::vector<Edit> edits = {
      [](Publication* row) { row->mutable_figures(0)->set_high(row->figures(0).high() + 1); },
      [](Publication* row) { row->mutable_figures(0)->set_low(row->figures(0).low() - 1); },
      [](Publication* row) { row->mutable_figures(0)->set_figure(90); },
      [](Publication* row) { row->mutable_figures(0)->set_floor(1); },
      [](Publication* row) { row->mutable_figures(0)->set_ceiling(1); },
      [](Publication* row) { row->mutable_figures(0)->set_answer(v1::NO); },
      [](Publication* row) { row->set_answered(row->answered() + 1); },
      [](Publication* row) { row->set_base(row->base() + 5); },
      [](Publication* row) { row->set_members(1); },
      [](Publication* row) { row->set_since(0, row->since(0) + 1); },
      [](Publication* row) { row->set_date("2020-01-01"); },
      [](Publication* row) { row->set_text("nobody"); },
      [](Publication* row) { row->set_imported(true); }};
  for (size_t i = 0; i < edits.size(); ++i) {
    auto edited = rows;
    edits[i](&edited[1]);
    EXPECT_EQ(BrokenAt(edited), 2) << "edit " << i;
  }
  EXPECT_EQ(BrokenAt({rows[1], rows[2]}), 1);
  EXPECT_EQ(BrokenAt({rows[0], rows[2]}), 2);
}

// What is kept is enough to work every row out anew: its bounds, its figures.
TEST(PublicationsRules, TheRegisterPlayedAgainGivesTheSameBounds) {
  const auto published = ThreeRows();
  std::vector<Row> rows;
  for (const auto& one : published) {
    const Row kept = RowOf(kForumPrinter, one);
    const Turnout turnout = {kForumMeasure.movement, kept.since};
    const auto again =
        NextRow(kForumMeasure, rows, kept.date, turnout, {kept.figures[0].interval.low});
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->count, kept.count);
    EXPECT_EQ(again->figures[0].floor, kept.figures[0].floor);
    EXPECT_EQ(again->figures[0].ceiling, kept.figures[0].ceiling);
    EXPECT_EQ(again->figures[0].printed, kept.figures[0].printed);
    EXPECT_EQ(again->figures[0].interval.high, kept.figures[0].interval.high);
    // Whom each row counted for the last time adds up to what the rows counted.
    rows.push_back(kept);
    std::vector<int64_t> counts(rows.size());
    for (const Group& group : GroupsOf(rows)) {
      EXPECT_GT(group.people, 0);
      for (int t = group.first; t < group.end; ++t) counts[static_cast<size_t>(t)] += group.people;
    }
    for (size_t t = 0; t < rows.size(); ++t) EXPECT_EQ(counts[t], rows[t].count);
    for (size_t s = 1; s < rows.size(); ++s) {  // who came less who went
      const int64_t stayed = turnout.stayed(s);
      EXPECT_EQ((kept.count - stayed) - (rows[s - 1].count - stayed),
                kept.count - rows[s - 1].count);
    }
  }
}

Publication Before(const std::string& date, int64_t answered, int64_t low, int64_t high) {
  Publication publication;
  publication.set_question(Publication::DISABILITY);
  publication.set_date(date);
  publication.set_answered(answered);
  auto* figure = publication.add_figures();
  figure->set_answer(v1::YES);
  figure->set_low(low);
  figure->set_high(high);
  return publication;
}

// The slide's two columns, taken over: 21% of 130, 24% of 254.
TEST(PublicationsRules, WhatWasPublishedBeforeHoldsWhatComesAfter) {
  const auto july = ImportedRow(Before("2021-07-31", 130, 27, 27), {}, "2022-06-20");
  ASSERT_TRUE(july.ok()) << july.status();
  const auto june = ImportedRow(Before("2022-06-14", 254, 60, 62), {*july}, "2022-06-20");
  ASSERT_TRUE(june.ok()) << june.status();
  EXPECT_THAT(june->since, ElementsAre(124, 130));
  EXPECT_THAT(GroupsOf({*july, *june}), SizeIs(2));
  EXPECT_EQ(PublicationOf(kForumPrinter, Publication::DISABILITY, *june, 2, "").text(),
            "14 June 2022: of about 255 members who answered, about 60 (24%) say that they are "
            "disabled.");
  const std::vector<Row> rows = {*july, *june};
  // Too few have come.
  Turnout turnout = TurnoutAfter(rows, {263, 0, 0}, 263);
  EXPECT_EQ(turnout.moved, 9);
  EXPECT_EQ(NextRow(kForumMeasure, rows, "2022-07-01", turnout, {61}), std::nullopt);
  // As many as can be are taken to have stayed: J 12, L 0.
  turnout = TurnoutAfter(rows, {266, 0, 0}, 266);
  EXPECT_THAT(turnout.since, ElementsAre(12, 130, 124));
  const auto next = NextRow(kForumMeasure, rows, "2022-07-01", turnout, {61});
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->figures[0].ceiling, 62 + 12 - 4);
  EXPECT_EQ(next->figures[0].floor, 60 + 4);
  // Twenty of these leave, thirty come: at least 246 of whom the last row counted are still there.
  std::vector<Row> three = rows;
  three.push_back(*next);
  turnout = TurnoutAfter(three, {30, 0, 0, 246}, 30);
  EXPECT_THAT(turnout.since, ElementsAre(30, 130, 116, 0));
  EXPECT_EQ(turnout.moved, 50);
  EXPECT_EQ(turnout.stayed(2), 246);
}

TEST(PublicationsRules, WhatCannotBeTakenOver) {
  const std::string today = "2022-06-20";
  auto refused = [&](const Publication& publication, const std::vector<Row>& rows = {}) {
    return ImportedRow(publication, rows, today).status();
  };
  const auto june = *ImportedRow(Before("2022-06-14", 254, 60, 62), {}, today);
  EXPECT_TRUE(Refused(refused(Before("2022-06-14", 254, 60, 62), {june}), errors::INVALID_FIELD,
                      "publication.date"));
  EXPECT_TRUE(Refused(refused(Before("2022-06-21", 254, 60, 62)), errors::INVALID_FIELD,
                      "publication.date"));
  EXPECT_TRUE(Refused(refused(Before("2022-06-14", 0, 0, 0)), errors::INVALID_FIELD,
                      "publication.answered"));
  EXPECT_TRUE(Refused(refused(Before("2022-06-14", 254, 62, 60)), errors::INVALID_FIELD,
                      "publication.figures.high"));
  EXPECT_TRUE(Refused(refused(Before("2022-06-14", 60, 60, 62)), errors::INVALID_FIELD,
                      "publication.figures.high"));
  auto gender = Before("2022-06-14", 140, 1, 1);
  gender.set_question(Publication::GENDER);
  EXPECT_TRUE(Refused(refused(gender), errors::INVALID_FIELD, "publication.figures.answer"));
  gender.mutable_figures(0)->set_answer(v1::TRANSGENDER);
  EXPECT_THAT(MessageOf(refused(gender)), HasSubstr("for all forums together alone"));
  gender.clear_figures();
  EXPECT_TRUE(Refused(refused(gender), errors::INVALID_FIELD, "publication.figures"));
  auto two = Before("2022-06-14", 140, 1, 1);
  two.set_question(Publication::DISABILITY_BY_GENDER);
  EXPECT_TRUE(Refused(refused(two), errors::INVALID_FIELD, "publication.question"));
  EXPECT_THAT(MessageOf(refused(two)), HasSubstr("none combines two"));
  Row own = june;
  own.imported = false;
  EXPECT_TRUE(Refused(refused(Before("2022-06-15", 254, 60, 62), {own}), errors::RULE_REFUSED,
                      "figures_began"));
}

class Publications : public ::testing::TestWithParam<db::Engine> {
 protected:
  Publications() : mini_(MakeMembershipModule(), GetParam()) {}
  void SetUp() override {
    mini_.SetDate("2022-06-20");
    v1::CreateForumRequest request;
    request.set_forum_id("warwickshire");
    request.mutable_forum()->set_display_name("Example Parent Carer Voice");
    auto forum = mini_.Call<v1::Forum>(mini_.Token(OPERATOR), request);
    ASSERT_TRUE(forum.ok()) << forum.status();
    mini_.SetDate("2022-06-21");
  }

  // Members who join and say whether they are disabled, and perhaps their gender.
  void Join(int count, int disabled, v1::Answer gender = v1::ANSWER_UNSPECIFIED) {
    for (int i = 0; i < count; ++i) {
      v1::CreateMemberRequest request;
      request.set_parent(kForum);
      request.mutable_member()->set_given_name("Jo");
      request.mutable_member()->set_family_name(absl::StrCat("Example ", members_.size()));
      request.mutable_member()->set_email("jo@example.org");
      request.mutable_member()->set_reach_by(v1::Member::EMAIL);
      request.mutable_member()->set_residence(v1::Member::LIVES_HERE);
      request.mutable_member()->set_joined_on("2022-06-01");
      auto member = mini_.Call<v1::Member>(mini_.Token(MEMBERSHIP_ADMIN), request);
      ASSERT_TRUE(member.ok()) << member.status();
      members_.push_back(*member);
      Say(*member, i < disabled ? v1::YES : v1::NO, gender);
    }
  }
  void Say(const v1::Member& member, v1::Answer answer,
           v1::Answer gender = v1::ANSWER_UNSPECIFIED) {
    const std::string id = member.name().substr(member.name().rfind('/') + 1);
    v1::SetCharacteristicsRequest request;
    request.set_parent(kForum);
    auto& said = said_[id];
    said.set_disability(answer);
    if (gender != v1::ANSWER_UNSPECIFIED) said.set_gender(gender);
    *request.mutable_characteristics() = said;
    auto kept = mini_.Call<v1::MemberCharacteristics>(mini_.Token(MEMBER, id), request);
    ASSERT_TRUE(kept.ok()) << kept.status();
    said = *kept;
  }
  void Leave(const v1::Member& member) {
    v1::LeaveMemberRequest request;
    request.set_name(member.name());
    auto left = mini_.Call<v1::Member>(mini_.Token(MEMBERSHIP_ADMIN), request);
    ASSERT_TRUE(left.ok()) << left.status();
  }
  // A request for a member's rights, which is complied with.
  void Ask(const v1::Member& member, v1::RightsRequest::Kind kind) {
    v1::CreateRightsRequestRequest create;
    create.set_parent(kForum);
    create.set_member(member.name());
    create.set_kind(kind);
    if (kind == v1::RightsRequest::RESTRICTION) {
      create.set_ground(v1::Restriction::ACCURACY_CONTESTED);
    }
    auto request = mini_.Call<v1::RightsRequest>(mini_.Token(MEMBERSHIP_ADMIN), create);
    ASSERT_TRUE(request.ok()) << request.status();
    v1::CompleteRightsRequestRequest complete;
    complete.set_name(request->name());
    complete.set_outcome("done as asked");
    request = mini_.Call<v1::RightsRequest>(mini_.Token(MEMBERSHIP_ADMIN), complete);
    ASSERT_TRUE(request.ok()) << request.status();
  }
  // Of two questions together: who was counted, and how many the forum keeps of one figure.
  std::vector<Publication> Unprinted() {
    std::vector<Publication> rows;
    const Status status =
        Read("SELECT record FROM unprinted ORDER BY number", [&](const db::Row& row) {
          EXPECT_TRUE(rows.emplace_back().ParseFromString(std::string(row.Blob(0))));
        });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  }
  int64_t Frozen(const std::string& answers) {
    int64_t people = -1;
    const Status status = Read(
        "SELECT people FROM frozen WHERE question = 'DISABILITY_BY_GENDER' "
        "AND answer = '" +
            answers + "'",
        [&](const db::Row& row) { people = row.Int(0); });
    EXPECT_TRUE(status.ok()) << status;
    return people;
  }
  Status Read(const std::string& sql, const std::function<void(const db::Row&)>& each) {
    return mini_.runtime().engine().config().store->ReadAndWait([&](db::Conn& conn) {
      return conn.Query(sql, {}, [&](const db::Row& row) {
        each(row);
        return Status();
      });
    });
  }
  // As the only row, whatever was printed.
  void Keep(const Publication& row) {
    Publication figures;
    *figures.mutable_figures() = row.figures();
    ASSERT_TRUE(mini_.runtime()
                    .engine()
                    .config()
                    .store
                    ->WriteAndWait([&](db::Conn& conn) {
                      return conn
                          .Exec("UPDATE publications SET figures = $1, hash = $2, text = $3",
                                {db::Bytes{figures.SerializeAsString()}, row.hash(), row.text()})
                          .status();
                    })
                    .ok());
  }
  std::vector<Publication> Published(const std::string& token) {
    v1::ListPublicationsRequest request;
    request.set_parent(kForum);
    auto list = mini_.Call<v1::ListPublicationsResponse>(token, request);
    EXPECT_TRUE(list.ok()) << list.status();
    return {list->publications().begin(), list->publications().end()};
  }

  MiniService mini_;
  std::vector<v1::Member> members_;
  std::map<std::string, v1::MemberCharacteristics> said_;
};
INSTANTIATE_TEST_SUITE_P(Engines, Publications,
                         ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres));

TEST_P(Publications, ComeOnTheDaysOfTheCalendarAndAreNeverMadeAgain) {
  Join(40, 13);
  mini_.SetDate("2022-06-30");
  EXPECT_TRUE(Published(mini_.Token(CHAIR)).empty());
  mini_.SetDate("2022-07-03");
  const auto first = Published(mini_.Token(CHAIR));
  ASSERT_EQ(first.size(), 1u);  // nobody answered the other questions
  EXPECT_EQ(first[0].date(), "2022-07-01");
  EXPECT_EQ(first[0].question(), Publication::DISABILITY);
  EXPECT_EQ(first[0].members(), 40);
  EXPECT_EQ(first[0].figures(0).figure(), 15);
  EXPECT_EQ(first[0].base(), 40);
  EXPECT_EQ(first[0].figures(0).percent(), "") << "none of fewer than 100";
  EXPECT_THAT(first[0].text(), HasSubstr("of about 40 members who answered, about 15"));
  // Seven more are too few for another figure.
  Join(7, 7);
  mini_.SetDate("2022-10-01");
  EXPECT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  Join(5, 0);
  mini_.SetDate("2023-01-01");
  const auto second = Published(mini_.Token(CHAIR));
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].SerializeAsString(), first[0].SerializeAsString());
  EXPECT_EQ(second[1].answered(), 52);
  EXPECT_EQ(second[1].figures(0).figure(), 20);
  EXPECT_EQ(BrokenAt(second), std::nullopt);
}

TEST_P(Publications, WhoLeavesOrChangesTheAnswerCountsAsSuch) {
  Join(60, 20);
  mini_.SetDate("2022-07-01");
  ASSERT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  // Six go, four change: ten people moved, each once.
  for (int i = 0; i < 6; ++i) Leave(members_[static_cast<size_t>(i)]);
  for (int i = 50; i < 53; ++i) Say(members_[static_cast<size_t>(i)], v1::YES);
  Say(members_[53], v1::PREFER_NOT_TO_SAY);
  Say(members_[50], v1::NO);
  Say(members_[50], v1::YES);
  mini_.SetDate("2022-10-01");
  const auto figures = Published(mini_.Token(CHAIR));
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[1].answered(), 53);
  // 20 - 6 + 3 is 17. Of 53, 50 were counted before, and 10 of the 60 are gone.
  EXPECT_EQ(figures[1].figures(0).ceiling(),
            std::min<int64_t>(53 - 7, figures[0].figures(0).high() + 3 - 4));
  EXPECT_EQ(figures[1].figures(0).floor(),
            std::max<int64_t>(0, figures[0].figures(0).low() - 10 + 4));
}

TEST_P(Publications, WhoIsErasedOrWhoseDataMayOnlyBeStoredIsNotCounted) {
  Join(52, 20);
  mini_.SetDate("2022-07-01");
  ASSERT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  const std::string before = Published(mini_.Token(CHAIR))[0].SerializeAsString();
  for (size_t i = 0; i < 5; ++i) Ask(members_[i], v1::RightsRequest::ERASURE);
  EXPECT_EQ(Published(mini_.Token(CHAIR))[0].SerializeAsString(), before);
  EXPECT_EQ(mini_.Rows("counted"), 47) << "nothing is kept of who was erased";
  for (size_t i = 5; i < 10; ++i) Ask(members_[i], v1::RightsRequest::RESTRICTION);
  mini_.SetDate("2022-10-01");
  const auto figures = Published(mini_.Token(CHAIR));
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[1].answered(), 42);
  EXPECT_EQ(figures[1].figures(0).floor(),
            std::max<int64_t>(0, figures[0].figures(0).low() - 10 + 4));
}

TEST_P(Publications, OfTwoQuestionsAForumKeepsWhatAllForumsCountAndPrintsNone) {
  Join(30, 13, v1::FEMALE);
  Join(22, 7, v1::MALE);
  Join(40, 20);
  mini_.SetDate("2022-07-01");
  auto printed = [&] {
    std::vector<Question> questions;
    for (const auto& one : Published(mini_.Token(CHAIR))) questions.push_back(one.question());
    return questions;
  };
  EXPECT_THAT(printed(), UnorderedElementsAre(Publication::DISABILITY, Publication::GENDER));
  ASSERT_THAT(Unprinted(), SizeIs(1));
  EXPECT_EQ(Unprinted()[0].question(), Publication::DISABILITY_BY_GENDER);
  EXPECT_EQ(Unprinted()[0].answered(), 52);
  EXPECT_EQ(Unprinted()[0].figures_size(), 0);
  EXPECT_EQ(Frozen("YES"), 20) << "of who answered both";
  EXPECT_EQ(Frozen("+MALE"), 22);
  EXPECT_EQ(Frozen("YES+MALE"), 7);
  EXPECT_EQ(mini_.Published<events::StatisticsPublished>().size(), 2u);

  // Whoever goes, or says something else to either question, is one of those who moved.
  for (size_t i = 0; i < 2; ++i) Ask(members_[i], v1::RightsRequest::ERASURE);
  EXPECT_EQ(mini_.Rows("counted WHERE question = 'DISABILITY_BY_GENDER'"), 50)
      << "nothing is kept of who was erased";
  for (size_t i = 2; i < 4; ++i) Ask(members_[i], v1::RightsRequest::RESTRICTION);
  for (size_t i = 4; i < 6; ++i) Leave(members_[i]);
  Say(members_[6], v1::YES, v1::STOPPED);
  Say(members_[30], v1::NO);
  Say(members_[31], v1::YES, v1::FEMALE);
  mini_.SetDate("2022-10-01");
  EXPECT_THAT(Unprinted(), SizeIs(1)) << "nine moved";
  Say(members_[32], v1::PREFER_NOT_TO_SAY);
  mini_.SetDate("2023-01-01");
  ASSERT_THAT(Unprinted(), SizeIs(2));
  EXPECT_EQ(BrokenAt(Unprinted()), std::nullopt);
  EXPECT_THAT(Unprinted()[1].since(), ElementsAre(2, 42));
  EXPECT_EQ(Frozen("YES"), 20 - 6 - 1 - 1 - 1) << "who stays, and two who are no more disabled men";
  EXPECT_EQ(Frozen("YES+MALE"), 7 - 3);
  EXPECT_THAT(printed(), Not(Contains(Publication::DISABILITY_BY_GENDER)));
}

TEST_P(Publications, APartnerSeesWhatIsPrintedAndNotTheRegister) {
  Join(40, 13);
  mini_.SetDate("2022-07-01");
  const auto seen = Published(mini_.Token(FACILITATOR));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].figures(0).figure(), 15);
  EXPECT_THAT(seen[0].text(), HasSubstr("about 15"));
  EXPECT_EQ(seen[0].answered(), 0);
  EXPECT_EQ(seen[0].figures(0).high(), 0);
  EXPECT_EQ(seen[0].hash(), "");
}

TEST_P(Publications, OfTheHubAreHeldAgainstWhatWasPublishedBefore) {
  Join(40, 13);
  v1::ImportPublicationRequest request;
  request.set_parent(kForum);
  *request.mutable_publication() = Before("2022-06-14", 30, 10, 10);
  EXPECT_TRUE(Refused(mini_.Call<Publication>(mini_.Token(MEMBER), request).status(),
                      errors::ROLE_NOT_ALLOWED));
  const auto taken = mini_.Call<Publication>(mini_.Token(CHAIR), request);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->name(), "forums/warwickshire/publications/before-2022-06-14-disability");
  EXPECT_TRUE(taken->imported());
  mini_.SetDate("2022-07-01");
  const auto figures = Published(mini_.Token(CHAIR));
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[1].number(), 2);
  EXPECT_EQ(figures[1].figures(0).ceiling(), 10 + 10 - 4);
  EXPECT_EQ(figures[1].figures(0).floor(), 10 + 4);
  EXPECT_EQ(BrokenAt(figures), std::nullopt);
  request.mutable_publication()->set_date("2022-06-15");
  request.set_request_id("");
  EXPECT_TRUE(Refused(mini_.Call<Publication>(mini_.Token(CHAIR), request).status(),
                      errors::RULE_REFUSED, "figures_began"));
}

TEST_P(Publications, OfWhoStopsAQuestionNothingIsHeldOrCounted) {
  Join(60, 20);
  mini_.SetDate("2022-07-01");
  ASSERT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  for (size_t i = 0; i < 10; ++i) Say(members_[i], v1::STOPPED);
  mini_.SetDate("2022-10-01");
  const auto figures = Published(mini_.Token(CHAIR));
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[1].answered(), 50);
  EXPECT_THAT(figures[1].since(), ElementsAre(0, 50));
  // As if they had left.
  EXPECT_EQ(figures[1].figures(0).floor(),
            std::max<int64_t>(0, figures[0].figures(0).low() - 10 + 4));
}

TEST_P(Publications, StayAsTheyAreAfterARestartAndManyLaterEvents) {
  Join(40, 13);
  mini_.SetDate("2022-07-01");
  auto bytes = [&] {
    std::string all;
    for (const auto& one : Published(mini_.Token(CHAIR))) {
      if (one.date() == "2022-07-01") all += one.SerializeAsString();
    }
    return all;
  };
  const std::string first = bytes();
  ASSERT_FALSE(first.empty());
  mini_.Restart();
  EXPECT_EQ(bytes(), first);
  for (int i = 0; i < 1000; ++i) {
    Say(members_[static_cast<size_t>(i) % members_.size()], i % 3 == 0 ? v1::YES : v1::NO);
  }
  mini_.SetDate("2022-10-01");
  for (int i = 0; i < 10; ++i) Leave(members_[static_cast<size_t>(i)]);
  mini_.SetDate("2022-12-31");
  EXPECT_EQ(bytes(), first);
  for (const auto& one : Published(mini_.Token(CHAIR))) EXPECT_TRUE(OnCalendar(one.date()));
}

TEST_P(Publications, OneThatWouldGiveSomebodyAwayIsWithheldAndTold) {
  Join(40, 13);
  mini_.SetDate("2022-07-01");
  auto first = Published(mini_.Token(CHAIR));
  ASSERT_EQ(first.size(), 1u);
  // As if the register said what cannot be: more who said yes than were asked.
  Row row = RowOf(kForumPrinter, first[0]);
  row.figures[0].interval = {60, 62};
  Keep(PublicationOf(kForumPrinter, Publication::DISABILITY, row, 1, ""));
  Join(12, 6);
  mini_.SetDate("2022-10-01");
  EXPECT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  const auto told = mini_.Published<events::FigureWithheld>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].questions(), ElementsAre(Publication::DISABILITY));
  EXPECT_EQ(told[0].date(), "2022-10-01");
}

TEST_P(Publications, AfterARowThatIsNotAsItWasPrintedNoneIs) {
  Join(40, 13);
  mini_.SetDate("2022-07-01");
  auto first = Published(mini_.Token(CHAIR));
  ASSERT_EQ(first.size(), 1u);
  first[0].mutable_figures(0)->set_figure(10);
  Keep(first[0]);
  Join(12, 6);
  mini_.SetDate("2022-10-01");
  EXPECT_EQ(Published(mini_.Token(CHAIR)).size(), 1u);
  EXPECT_EQ(mini_.Published<events::FigureWithheld>().size(), 1u);
}

TEST_P(Publications, AreAskedForByTheirKindAlone) {
  v1::ListPublicationsRequest list;
  list.set_parent(kForum);
  list.set_filter("district = \"CV34\"");
  const Status before = mini_.Call<v1::ListPublicationsResponse>(mini_.Token(CHAIR), list).status();
  EXPECT_TRUE(Refused(before, errors::FILTER_INVALID, "filter"));
  v1::GetPublicationRequest get;
  get.set_name(std::string(kForum) + "/publications/2022-08-01-disability");
  const Status off = mini_.Call<Publication>(mini_.Token(CHAIR), get).status();
  EXPECT_TRUE(Refused(off, errors::INVALID_FIELD, "name"));
  v1::GetPublicationRequest two;
  two.set_name(std::string(kForum) + "/publications/2022-07-01-disability_by_gender");
  const Status both = mini_.Call<Publication>(mini_.Token(CHAIR), two).status();
  EXPECT_TRUE(Refused(both, errors::INVALID_FIELD, "name"));
  Join(40, 13, v1::MALE);
  mini_.SetDate("2022-07-01");
  ASSERT_THAT(Unprinted(), SizeIs(1));
  EXPECT_EQ(MessageOf(mini_.Call<Publication>(mini_.Token(CHAIR), two).status()), MessageOf(both));
  EXPECT_EQ(MessageOf(mini_.Call<Publication>(mini_.Token(CHAIR), get).status()), MessageOf(off));
  EXPECT_EQ(MessageOf(mini_.Call<v1::ListPublicationsResponse>(mini_.Token(CHAIR), list).status()),
            MessageOf(before));
  get.set_name(std::string(kForum) + "/publications/2022-07-01-disability");
  EXPECT_TRUE(mini_.Call<Publication>(mini_.Token(CHAIR), get).ok());
  list.set_filter("question = \"CARER\"");
  const auto none = mini_.Call<v1::ListPublicationsResponse>(mini_.Token(CHAIR), list);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->publications_size(), 0);
  EXPECT_EQ(none->latest_date(), "2022-07-01");
}

}  // namespace
}  // namespace hub::membership
