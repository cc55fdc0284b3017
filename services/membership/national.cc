#include "services/membership/national.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "coproduction/membership/v1/forums.pb.h"
#include "services/membership/publications.h"

namespace hub::membership {
namespace {

using v1::Publication;

constexpr int64_t kForums = 10;  // that have new rows, before a figure is made anew

// A forum's own rows of a question, and whom the last of them counted.
struct Part {
  std::vector<std::string> dates;  // row n's stands at n - 1; of imported ones it is empty
  std::vector<int64_t> since;
  int64_t count = 0, members = 0;

  // Of those whom the last row counts, whom the last one until that date had counted, too.
  int64_t Stayed(const std::string& date) const {
    int64_t people = 0, stayed = 0;
    for (size_t row = 0; row < dates.size() && dates[row] <= date; ++row) {
      people += since[row + 1 == dates.size() ? 0 : row + 1];
      if (!dates[row].empty()) stayed = people;  // nobody has counted for an imported row
    }
    return stayed;
  }
};

StatusOr<std::map<Question, std::map<std::string, Part>>> PartsOf(Write& write) {
  std::map<Question, std::map<std::string, Part>> parts;
  RETURN_IF_ERROR(write.sql().Query(
      "SELECT question, forum, date, imported, answered, members, since, number FROM publications "
      "WHERE forum <> $1 UNION ALL "
      "SELECT question, forum, date, 0, answered, members, record, number FROM unprinted "
      "ORDER BY question, forum, number",
      {write.forum()}, [&](const db::Row& row) {
        Question question;
        if (!Publication::Question_Parse(std::string(row.Text(0)), &question)) return Status();
        Part& part = parts[question][std::string(row.Text(1))];
        part.dates.emplace_back(row.Int(3) != 0 ? "" : row.Text(2));
        part.count = row.Int(4);
        part.members = row.Int(5);
        Publication since;
        if (!since.ParseFromString(std::string(row.Blob(6)))) {
          return Internal("a row of the figures cannot be read");
        }
        part.since.assign(since.since().begin(), since.since().end());
        return Status();
      }));
  return parts;
}

StatusOr<std::map<Question, Counts>> FrozenCounts(Write& write) {
  std::map<Question, Counts> counts;
  for (const Question question : Questions()) counts[question] = CountsOf(question, {});
  RETURN_IF_ERROR(write.sql().Query(
      "SELECT question, answer, SUM(people) FROM frozen GROUP BY question, answer", {},
      [&](const db::Row& row) {
        Question question;
        const auto answers = AnswersOf(std::string(row.Text(1)));
        if (Publication::Question_Parse(std::string(row.Text(0)), &question) && answers) {
          counts[question][*answers] = row.Int(2);
        }
        return Status();
      }));
  return counts;
}

}  // namespace

Status PublishNationalFigures(Write& write, const std::string& tenant) {
  ASSIGN_OR_RETURN(const auto known, write.Find<v1::Forum>(tenant));
  if (!known) {
    v1::Forum all;
    all.set_display_name("All forums");
    RETURN_IF_ERROR(write.Create(std::move(all), write.forum()).status());
  }
  ASSIGN_OR_RETURN(const std::string date, DateDue(write));
  if (date.empty()) return Status();
  ASSIGN_OR_RETURN(Register published, RegisterOf(write));
  ASSIGN_OR_RETURN(const auto parts, PartsOf(write));
  ASSIGN_OR_RETURN(const auto counts, FrozenCounts(write));
  std::vector<Question> withheld;
  for (const auto& [question, forums] : parts) {
    const auto& before = published[question];
    const std::string last = before.empty() ? "" : before.back().date();
    Tally tally = {date, 0, {}, counts.at(question)};
    Turnout& turnout = tally.turnout;
    turnout.since.resize(before.size() + 1);
    int64_t renewed = 0;
    for (const auto& [forum, part] : forums) {
      if (part.dates.back().empty()) continue;  // nothing but what was imported
      if (part.dates.back() > last) ++renewed;
      tally.members += part.members;
      int64_t counted = 0;
      for (size_t row = 0; row < before.size(); ++row) {
        const int64_t stayed = part.Stayed(before[row].date());
        turnout.since[row + 1] += stayed - counted;
        counted = stayed;
      }
      turnout.since[0] += part.count - counted;
    }
    if (renewed < kForums) continue;
    // At least so many are different people: who comes, and who goes, is each once among them.
    if (!before.empty()) {
      const int64_t gone = before.back().answered() - turnout.stayed(before.size());
      turnout.moved = std::max(turnout.since[0], gone);
    }
    RETURN_IF_ERROR(Publish(write, kNationalPrinter, question, before, tally, &withheld).status());
  }
  return TellWithheld(write, withheld, date);
}

}  // namespace hub::membership
