// The figures on what members say of themselves, by the calendar, and what is kept for them: who
// was counted in which row of a question, but nothing of what anybody said. For the figures of all
// forums, `frozen` has how many gave each answer at a forum's last row, and `unprinted` a forum's
// rows of two questions together, which it does not print; no method reads either.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/journal/context.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "services/membership/publications_rules.h"

namespace hub::membership {

// A day of the calendar has come for a forum.
Status PublishFigures(Write& write, const std::string& forum);

// Whoever counts, or changes who is counted, comes one after another. Gives the forum's next day.
StatusOr<std::string> LockFigures(Write& write);
// The day of the calendar for which figures are due; '' if none is.
StatusOr<std::string> DateDue(Write& write);
// The rows of each question so far.
using Register = std::map<Question, std::vector<v1::Publication>>;
StatusOr<Register> RegisterOf(Read& read);
std::vector<Row> RowsOf(const Printer& printer, const std::vector<v1::Publication>& published);
// What is counted of a question at one date.
struct Tally {
  std::string date;
  int64_t members = 0;
  Turnout turnout;
  Counts counts;  // by figure
};
// Prints the next row of a question, where there is one to print. It is `withheld` where all rows
// together would give somebody away, or one of them is not as it was printed.
StatusOr<bool> Publish(Write& write, const Printer& printer, Question question,
                       const std::vector<v1::Publication>& published, const Tally& tally,
                       std::vector<Question>* withheld);
Status TellWithheld(Write& write, const std::vector<Question>& withheld, const std::string& date);
StatusOr<v1::Publication> Append(Write& write, const Printer& printer, Question question,
                                 const std::vector<v1::Publication>& published, const Row& row);

// A person's answers become others: who was counted with the old one goes, and comes anew with the
// next figure.
Status ChangeAnswers(Write& write, const std::string& member,
                     const v1::MemberCharacteristics& before,
                     const v1::MemberCharacteristics& after);
// A member leaves, is erased, or may have the own data stored alone.
Status LeaveFigures(Write& write, const std::string& member);

}  // namespace hub::membership
