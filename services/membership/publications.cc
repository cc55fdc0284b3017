#include "services/membership/publications.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/db/db.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/membership/disclosure_attack.h"
#include "services/membership/history.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using v1::Publication;

constexpr int kMembersAtOnce = 2000;

struct Count {
  std::vector<int64_t> since;
  int64_t unknown = 0;  // people who were never counted
  Counts by_answer;
  std::vector<std::string> come;  // members whose answer was not counted before
};

// By question, the row that counted a member's answer first; -1 of who was never counted.
using FirstRows = std::array<int64_t, Publication::Question_ARRAYSIZE>;

void CountOne(const v1::MemberCharacteristics& said, const FirstRows& first_rows,
              std::map<Question, Count>* counts) {
  for (auto& [question, count] : *counts) {
    const auto answer = AnswerTo(question, said);
    if (!answer) continue;
    const int64_t row = first_rows[question];
    ++count.by_answer[*answer];
    ++count.since[static_cast<size_t>(std::max<int64_t>(row, 0))];
    if (row < 0) ++count.unknown;  // others went before they came
    if (row <= 0) count.come.push_back(IdOf(said.name()));
  }
}

// One pass over all members for all questions.
StatusOr<std::map<Question, Count>> CountAnswers(Write& write, const Register& published) {
  std::unordered_map<std::string, FirstRows> first_rows;  // by member
  FirstRows never;
  never.fill(-1);
  RETURN_IF_ERROR(write.sql().Query(
      "SELECT member, question, first_row FROM counted WHERE forum = $1", {write.forum()},
      [&](const db::Row& row) {
        Question question;
        if (!Publication::Question_Parse(std::string(row.Text(1)), &question)) return Status();
        first_rows.try_emplace(std::string(row.Text(0)), never).first->second[question] =
            row.Int(2);
        return Status();
      }));
  std::map<Question, Count> counts;
  for (const Question question : Questions()) {
    const auto rows = published.find(question);
    counts[question].since.resize((rows == published.end() ? 0 : rows->second.size()) + 1);
  }
  std::string last;
  while (true) {
    ASSIGN_OR_RETURN(
        const auto some,
        write.Select<v1::MemberCharacteristics>(
            absl::StrCat("id > $2 AND id IN (SELECT id FROM members WHERE forum = $1 AND state = "
                         "'ACTIVE' AND LENGTH(COALESCE(restriction, '')) = 0) ORDER BY id LIMIT ",
                         kMembersAtOnce),
            {last}));
    if (some.empty()) return counts;
    for (const auto& said : some) {
      last = IdOf(said.name());
      const auto known = first_rows.find(last);
      CountOne(said, known == first_rows.end() ? never : known->second, &counts);
    }
  }
}

// Whether somebody who knows who was counted when could tell an answer from all rows together.
bool GivesAway(const Measure& measure, const std::vector<Row>& rows) {
  for (size_t category = 0; category < rows.back().figures.size(); ++category) {
    std::vector<Interval> told;
    for (const Row& row : rows) told.push_back(row.figures[category].interval);
    std::vector<Group> groups = GroupsOf(rows);
    if (!Possible(told, &groups) || Attack(told, groups, 0, measure.small).people > 0) return true;
  }
  return false;
}

Status Keep(Write& write, const Publication& row) {
  return write.sql()
      .Exec(
          "INSERT INTO unprinted(forum, question, number, date, answered, members, record) VALUES "
          "($1, $2, $3, $4, $5, $6, $7)",
          {write.forum(), Publication::Question_Name(row.question()), row.number(), row.date(),
           row.answered(), row.members(), db::Bytes{row.SerializeAsString()}})
      .status();
}

Status Stamp(Write& write, Question question, const Tally& tally,
             const std::vector<std::string>& come, size_t number) {
  const std::string name = Publication::Question_Name(question);
  for (const std::string& member : come) {
    RETURN_IF_ERROR(write.sql()
                        .Exec("INSERT INTO counted(forum, question, member, first_row) VALUES "
                              "($1, $2, $3, $4) ON CONFLICT (forum, question, member) "
                              "DO UPDATE SET first_row = EXCLUDED.first_row",
                              {write.forum(), name, member, static_cast<int64_t>(number)})
                        .status());
  }
  for (const auto& [answers, people] : tally.counts) {
    RETURN_IF_ERROR(write.sql()
                        .Exec("INSERT INTO frozen(forum, question, answer, people) VALUES "
                              "($1, $2, $3, $4) ON CONFLICT (forum, question, answer) "
                              "DO UPDATE SET people = EXCLUDED.people",
                              {write.forum(), name, TextOf(answers), people})
                        .status());
  }
  return Status();
}

}  // namespace

StatusOr<std::string> LockFigures(Write& write) {
  std::string next;
  RETURN_IF_ERROR(write.sql().Query(
      absl::StrCat("SELECT next_on FROM counting WHERE forum = $1", db::ForUpdate(write.sql())),
      {write.forum()}, [&](const db::Row& row) {
        next = std::string(row.Text(0));
        return Status();
      }));
  return next;
}

StatusOr<std::string> DateDue(Write& write) {
  ASSIGN_OR_RETURN(const std::string next, LockFigures(write));
  RETURN_IF_ERROR(write.sql()
                      .Exec("INSERT INTO counting(forum, next_on) VALUES ($1, $2) "
                            "ON CONFLICT (forum) DO UPDATE SET next_on = EXCLUDED.next_on",
                            {write.forum(), NextOnCalendar(write.today())})
                      .status());
  const std::string date = LastOnCalendar(write.today());
  // The first day is to come.
  return next.empty() || next > date ? "" : date;
}

StatusOr<Register> RegisterOf(Read& read) {
  ASSIGN_OR_RETURN(auto all, read.Select<Publication>("number > 0 ORDER BY question, number"));
  Register published;
  for (auto& one : all) published[one.question()].push_back(std::move(one));
  RETURN_IF_ERROR(
      read.sql().Query("SELECT record FROM unprinted WHERE forum = $1 ORDER BY question, number",
                       {read.forum()}, [&](const db::Row& row) {
                         Publication one;
                         if (!one.ParseFromString(std::string(row.Blob(0)))) {
                           return Internal("an unprinted row of the figures cannot be read");
                         }
                         published[one.question()].push_back(std::move(one));
                         return Status();
                       }));
  return published;
}

std::vector<Row> RowsOf(const Printer& printer, const std::vector<Publication>& published) {
  std::vector<Row> rows;
  rows.reserve(published.size());
  for (const auto& one : published) rows.push_back(RowOf(printer, one));
  return rows;
}

StatusOr<Publication> Append(Write& write, const Printer& printer, Question question,
                             const std::vector<Publication>& published, const Row& row) {
  const std::string id = absl::StrCat(row.imported ? "before-" : "", row.date, "-",
                                      absl::AsciiStrToLower(Publication::Question_Name(question)));
  const std::string previous = published.empty() ? "" : published.back().hash();
  auto publication = PublicationOf(printer, question, row, published.size() + 1, previous);
  if (publication.figures().empty()) {
    RETURN_IF_ERROR(Keep(write, publication));
    return publication;
  }
  ASSIGN_OR_RETURN(publication, write.Create(std::move(publication), id));
  write.Emit<events::StatisticsPublished>(publication);
  return publication;
}

StatusOr<bool> Publish(Write& write, const Printer& printer, Question question,
                       const std::vector<Publication>& published, const Tally& tally,
                       std::vector<Question>* withheld) {
  if (BrokenAt(published)) {
    withheld->push_back(question);
    return false;
  }
  std::vector<Row> rows = RowsOf(printer, published);
  std::vector<int64_t> people;
  for (const Answers& answers : FiguresOf(printer, question)) {
    people.push_back(tally.counts.at(answers));
  }
  auto row = NextRow(printer.measure, rows, tally.date, tally.turnout, people);
  if (!row) return false;  // what was printed last stays
  row->members = tally.members;
  rows.push_back(std::move(*row));
  if (GivesAway(printer.measure, rows)) {
    withheld->push_back(question);
    return false;
  }
  RETURN_IF_ERROR(Append(write, printer, question, published, rows.back()).status());
  return true;
}

Status TellWithheld(Write& write, const std::vector<Question>& withheld, const std::string& date) {
  if (withheld.empty()) return Status();
  ASSIGN_OR_RETURN(auto forum, write.Get<v1::Forum>("forums/" + write.forum()));
  auto& told = write.Emit<events::FigureWithheld>(forum);
  for (const Question question : withheld) told.add_questions(question);
  told.set_date(date);
  return write.Put(std::move(forum)).status();
}

Status PublishFigures(Write& write, const std::string&) {
  ASSIGN_OR_RETURN(const std::string date, DateDue(write));
  if (date.empty()) return Status();
  ASSIGN_OR_RETURN(Register published, RegisterOf(write));
  ASSIGN_OR_RETURN(auto counts, CountAnswers(write, published));
  ASSIGN_OR_RETURN(const int64_t members, Counting(write, "").MembersOn(date));
  std::vector<Question> withheld;
  for (auto& [question, count] : counts) {
    const auto& before = published[question];
    const Tally tally = {
        date, members,
        TurnoutAfter(RowsOf(kForumPrinter, before), std::move(count.since), count.unknown),
        CountsOf(question, count.by_answer)};
    ASSIGN_OR_RETURN(const bool printed,
                     Publish(write, kForumPrinter, question, before, tally, &withheld));
    if (printed) RETURN_IF_ERROR(Stamp(write, question, tally, count.come, before.size() + 1));
  }
  return TellWithheld(write, withheld, date);
}

Status ChangeAnswers(Write& write, const std::string& member,
                     const v1::MemberCharacteristics& before,
                     const v1::MemberCharacteristics& after) {
  RETURN_IF_ERROR(LockFigures(write).status());
  for (const Question question : Questions()) {
    if (AnswerTo(question, before) == AnswerTo(question, after)) continue;
    // Not forgotten: who comes anew is no other person.
    RETURN_IF_ERROR(write.sql()
                        .Exec("UPDATE counted SET first_row = 0 WHERE forum = $1 AND question = $2 "
                              "AND member = $3",
                              {write.forum(), Publication::Question_Name(question), IdOf(member)})
                        .status());
  }
  return Status();
}

Status LeaveFigures(Write& write, const std::string& member) {
  RETURN_IF_ERROR(LockFigures(write).status());
  return write.sql()
      .Exec("DELETE FROM counted WHERE forum = $1 AND member = $2", {write.forum(), IdOf(member)})
      .status();
}

}  // namespace hub::membership
