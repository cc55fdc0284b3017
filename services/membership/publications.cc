#include "services/membership/publications.h"

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/db/db.h"
#include "coproduction/membership/events/v1/events.pb.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/membership/disclosure_attack.h"

namespace hub::membership {
namespace {

namespace events = ::coproduction::membership::events::v1;
using Question = v1::Publication::Question;

// Whoever counts, or changes who is counted, comes one after another: `counting` has the forum's
// next day for each question.
StatusOr<std::map<std::string, std::string>> Lock(Write& write) {
  std::map<std::string, std::string> next;
  RETURN_IF_ERROR(write.sql().Query(
      absl::StrCat("SELECT question, next_on FROM counting WHERE forum = $1 ORDER BY question",
                   db::ForUpdate(write.sql())),
      {write.forum()}, [&](const db::Row& row) {
        next[std::string(row.Text(0))] = std::string(row.Text(1));
        return Status();
      }));
  return next;
}

// The answer of who was counted is none any more: one more who is gone, whoever it was.
Status Depart(Write& write, const std::string& question, const std::string& member) {
  RETURN_IF_ERROR(
      write.sql()
          .Exec("INSERT INTO departed(forum, question, first_row, last_row, people) "
                "SELECT c.forum, c.question, c.first_row, "
                "(SELECT MAX(p.number) FROM publications p WHERE p.forum = c.forum "
                "AND p.question = c.question), 1 "
                "FROM counted c WHERE c.forum = $1 AND c.question = $2 AND c.member = $3 "
                "AND c.first_row > 0 ON CONFLICT (forum, question, first_row, last_row) "
                "DO UPDATE SET people = departed.people + 1",
                {write.forum(), question, IdOf(member)})
          .status());
  // Not forgotten: who comes anew is no other person.
  return write.sql()
      .Exec("UPDATE counted SET first_row = 0 WHERE forum = $1 AND question = $2 AND member = $3",
            {write.forum(), question, IdOf(member)})
      .status();
}

struct Count {
  Turnout turnout;
  int64_t yes = 0;
  std::vector<std::string> come;  // members who were not counted before
};

StatusOr<Count> CountAnswers(Write& write, Question question, size_t rows) {
  const std::string name = v1::Publication::Question_Name(question);
  std::map<std::string, int64_t> first_row;  // by member
  RETURN_IF_ERROR(
      write.sql().Query("SELECT member, first_row FROM counted WHERE forum = $1 AND question = $2",
                        {write.forum(), name}, [&](const db::Row& row) {
                          first_row[std::string(row.Text(0))] = row.Int(1);
                          return Status();
                        }));
  ASSIGN_OR_RETURN(const auto everybody,
                   write.Select<v1::MemberCharacteristics>(
                       "id IN (SELECT id FROM members WHERE forum = $1 AND state = 'ACTIVE' "
                       "AND LENGTH(COALESCE(restriction, '')) = 0)"));
  Count count;
  count.turnout.since.resize(rows + 1);
  ASSIGN_OR_RETURN(count.turnout.moved,
                   write.Number("SELECT SUM(people) FROM departed WHERE forum = $1 AND "
                                "question = $2 AND last_row = $3",
                                {write.forum(), name, static_cast<int64_t>(rows)}));
  for (const auto& said : everybody) {
    const Answered answered = AnswerTo(question, said);
    if (answered == Answered::kNothing) continue;
    const std::string member = IdOf(said.name());
    auto known = first_row.find(member);
    const int64_t row = known == first_row.end() ? 0 : known->second;
    ++count.turnout.since[static_cast<size_t>(row)];
    if (row == 0) count.come.push_back(member);
    if (known == first_row.end()) ++count.turnout.moved;  // others went before they came
    if (answered == Answered::kCounted) ++count.yes;
  }
  return count;
}

// Whether somebody who knows who was counted when could tell an answer from all rows together.
StatusOr<bool> GivesAway(Write& write, Question question, const std::vector<Row>& rows,
                         const Turnout& turnout) {
  std::vector<Interval> told;
  for (const Row& row : rows) told.push_back(row.figures[0].interval);
  const int last = static_cast<int>(rows.size());
  std::vector<Group> groups;
  RETURN_IF_ERROR(write.sql().Query(
      "SELECT first_row, last_row, people FROM departed WHERE forum = $1 AND question = $2",
      {write.forum(), v1::Publication::Question_Name(question)}, [&](const db::Row& row) {
        groups.push_back(
            {static_cast<int>(row.Int(0)) - 1, static_cast<int>(row.Int(1)), row.Int(2), 0});
        return Status();
      }));
  for (int first = 1; first < last; ++first) {
    groups.push_back({first - 1, last, turnout.since[static_cast<size_t>(first)], 0});
  }
  groups.push_back({last - 1, last, turnout.since[0], 0});
  return !Possible(told, &groups) || Attack(told, groups, 0, kForumMeasure.small).people > 0;
}

}  // namespace

Status PublishFigure(Write& write, const std::string& resource) {
  const std::string name = IdOf(resource);
  Question question;
  if (!v1::Publication::Question_Parse(name, &question)) {
    return Internal(absl::StrCat("no question '", name, "'"));
  }
  ASSIGN_OR_RETURN(auto next, Lock(write));
  const std::string date = LastOnCalendar(write.today());
  // A forum's first day is to come.
  const bool due = OnCalendar(next[name]) && next[name] <= date;
  RETURN_IF_ERROR(
      write.sql()
          .Exec("INSERT INTO counting(forum, question, next_on) VALUES ($1, $2, $3) "
                "ON CONFLICT (forum, question) DO UPDATE SET next_on = EXCLUDED.next_on",
                {write.forum(), name, NextOnCalendar(write.today())})
          .status());
  if (!due) return Status();

  ASSIGN_OR_RETURN(const auto published,
                   write.Select<v1::Publication>("question = $2 ORDER BY number", {name}));
  std::vector<Row> rows;
  for (const auto& one : published) rows.push_back(RowOf(one));
  ASSIGN_OR_RETURN(const Count count, CountAnswers(write, question, rows.size()));
  auto row = NextRow(kForumMeasure, rows, date, count.turnout, {count.yes});
  if (!row) return Status();  // what was printed last stays
  rows.push_back(*row);
  ASSIGN_OR_RETURN(const bool gives_away, GivesAway(write, question, rows, count.turnout));
  if (gives_away) {
    ASSIGN_OR_RETURN(const auto forum, write.Find<v1::Forum>("forums/" + write.forum()));
    if (!forum) return Internal("the forum is gone");
    auto& withheld = write.Emit<events::FigureWithheld>(*forum);
    withheld.set_question(question);
    withheld.set_date(date);
    return Status();
  }
  const int64_t number = static_cast<int64_t>(rows.size());
  for (const std::string& member : count.come) {
    RETURN_IF_ERROR(write.sql()
                        .Exec("INSERT INTO counted(forum, question, member, first_row) VALUES "
                              "($1, $2, $3, $4) ON CONFLICT (forum, question, member) "
                              "DO UPDATE SET first_row = EXCLUDED.first_row",
                              {write.forum(), name, member, number})
                        .status());
  }
  const std::string id = absl::StrCat(date, "-", absl::AsciiStrToLower(name));
  const std::string previous = published.empty() ? "" : published.back().hash();
  ASSIGN_OR_RETURN(const auto publication,
                   write.Create(PublicationOf(question, *row, number, previous), id));
  write.Emit<events::StatisticsPublished>(publication);
  return Status();
}

Status ChangeAnswers(Write& write, const std::string& member,
                     const v1::MemberCharacteristics& before,
                     const v1::MemberCharacteristics& after) {
  RETURN_IF_ERROR(Lock(write).status());
  for (const Question question : Questions()) {
    if (AnswerTo(question, before) == AnswerTo(question, after)) continue;
    RETURN_IF_ERROR(Depart(write, v1::Publication::Question_Name(question), member));
  }
  return Status();
}

Status LeaveFigures(Write& write, const std::string& member) {
  RETURN_IF_ERROR(Lock(write).status());
  for (const Question question : Questions()) {
    RETURN_IF_ERROR(Depart(write, v1::Publication::Question_Name(question), member));
  }
  return write.sql()
      .Exec("DELETE FROM counted WHERE forum = $1 AND member = $2", {write.forum(), IdOf(member)})
      .status();
}

}  // namespace hub::membership
