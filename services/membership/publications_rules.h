// What is asked of members and may be printed, when, and in which words. Pure rules; which figure
// it is, is decided by disclosure_rules.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/membership/v1/publications.pb.h"
#include "services/membership/disclosure_rules.h"

namespace hub::membership {

namespace v1 = ::coproduction::membership::v1;
using Question = v1::Publication::Question;

// What one person says to a question, or what a figure counts: an answer; of two questions
// together, the answers to both, of which a figure may leave one open.
struct Answers {
  // NOLINTNEXTLINE(google-explicit-constructor): most are of one question
  Answers(v1::Answer to_it, v1::Answer to_second = v1::ANSWER_UNSPECIFIED)
      : answer(to_it), also(to_second) {}
  auto operator<=>(const Answers&) const = default;
  v1::Answer answer, also;
};
std::string TextOf(const Answers& answers);  // 'MALE', 'YES+MALE'; '+MALE' whatever the first is
std::optional<Answers> AnswersOf(const std::string& text);
using Counts = std::map<Answers, int64_t>;  // by answers, or by figure: people

std::vector<Question> Questions();

// What the person says from now on; refused where an answer is none of its question's. What was
// stopped stays so until it is answered.
StatusOr<v1::MemberCharacteristics> Said(const v1::MemberCharacteristics& before,
                                         v1::MemberCharacteristics after);
// None where nothing is said that counts: 'not asked', 'not answered', 'prefer not to say' and
// 'stopped' are no answers.
std::optional<Answers> AnswerTo(Question question, const v1::MemberCharacteristics& said);

// A forum, or all forums together: by what measure, and which answers, they print.
struct Printer {
  Measure measure;
  bool national = false;
};
inline constexpr Printer kForumPrinter = {kForumMeasure, false};
inline constexpr Printer kNationalPrinter = {kNationalMeasure, true};

// The answers of a question that have a figure, in their order. A forum prints none of two
// questions together, but its rows count towards those of all forums.
std::vector<Answers> FiguresOf(const Printer& printer, Question question);
// From the people who gave each answer, those of each figure: one may take several answers
// together.
Counts CountsOf(Question question, const Counts& by_answer);

// The last day of the calendar until today, and the first one after it.
std::string LastOnCalendar(const std::string& today);
std::string NextOnCalendar(const std::string& today);

// What is never printed is refused by its kind, before anything is looked at, in the same words
// whatever the data are: another filter than by question and date, two questions at once, a day off
// the calendar, an answer that so few give that no forum prints it.
Status CheckFilter(const Printer& printer, const std::string& filter);
Status CheckPublicationId(const Printer& printer, const std::string& id);

// The figures of the row, with their words. `previous` is the hash of the row before, empty for the
// first.
v1::Publication PublicationOf(const Printer& printer, Question question, const Row& row,
                              size_t number, const std::string& previous);
Row RowOf(const Printer& printer, const v1::Publication& publication);

// The row of figures that were published before the hub was there, to stand after `rows`.
StatusOr<Row> ImportedRow(const v1::Publication& publication, const std::vector<Row>& rows,
                          const std::string& today);

// The row, counted from 1, at which the chain is broken; none if it holds.
std::optional<int64_t> BrokenAt(const std::vector<v1::Publication>& rows);

}  // namespace hub::membership
