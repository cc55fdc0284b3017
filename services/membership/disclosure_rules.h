// Disclosure control, 'hold and round': what may be printed of a question about people (how many
// say that they are disabled?) so that no figure, and no number of them, gives away what one person
// answered. Figures go by the calendar alone, are to the nearest 5, and are held where moving one
// could only mean one thing about those who came or went. Whoever reads them may know everything
// else: the rules, who was counted and when, and the answers of a few friends.
//
// What a figure may be is settled before the answers are looked at, so that holding it tells
// nothing: a printed figure says that the count lies in its interval, and no more. Pure rules, in
// integers, without chance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hub::membership {

struct Measure {
  int64_t step = 5;            // figures are to the nearest
  int64_t small = 7;           // 0 to this is 'fewer than 8': none at all would tell, too
  int64_t friends = 3;         // who may tell each other their answers; at most step - 2
  int64_t movement = 10;       // people who come, go or change before a question is printed anew
  int64_t min_base = 30;       // fewer answers: nothing is printed
  int64_t percent_base = 100;  // no percentage of a smaller printed base
  int64_t tenths_base = INT64_MAX;  // with a decimal from this printed base on
};
inline constexpr Measure kForumMeasure;
// Of all forums together: coarser, as befits counts of ten times as many people.
inline constexpr Measure kNationalMeasure = {50, 74, 10, 100, 300, 1000, 4000};

struct Interval {
  int64_t low = 0, high = 0;  // both belong to it
};

// Who answered a question, at one date: counts of people, whatever they answered.
struct Turnout {
  int64_t moved = 0;           // who came, went or changed since the last row, each once
  std::vector<int64_t> since;  // by the row that counted their answer first: [0] none yet, [1] ...
  int64_t count() const;
  int64_t stayed(size_t row) const;  // of those whom that row, numbered from 1, had counted
};

struct Figure {
  Interval interval;    // what it tells
  int64_t printed = 0;  // 0: fewer than small + 1
  int64_t floor = 0, ceiling = 0;
};

// One date of one question: rows are numbered from 1 and never changed.
struct Row {
  std::string date;
  int64_t count = 0;            // who answered
  int64_t members = 0;          // in all; of no account here
  std::vector<Figure> figures;  // by category, without the one of reference
  std::vector<int64_t> since;   // of the turnout that it counted
  bool imported = false;        // from before there were turnouts
};

// Who comes to be counted after `rows`: `since` is what is known of them, `unknown` how many were
// never counted. Of rows that were imported nobody knows whom they had counted: as many as can be
// are taken to be still there, which holds figures the most.
Turnout TurnoutAfter(const std::vector<Row>& rows, std::vector<int64_t> since, int64_t unknown);

// The row to print at that date, from the true `counts` of each category. None where too few
// answered, or too few moved since the last row: what was printed last stays.
std::optional<Row> NextRow(const Measure& measure, const std::vector<Row>& rows,
                           const std::string& date, const Turnout& turnout,
                           const std::vector<int64_t>& counts);

// 1 January, April, July or October: figures of other dates are never made.
bool OnCalendar(const std::string& date);

// 'fewer than 8' or '60'.
std::string PrintedText(const Measure& measure, int64_t printed);
// 'n', to the nearest step.
int64_t PrintedBase(const Measure& measure, int64_t count);
// What is printed of a count that lies in this interval, if nothing holds it.
int64_t PrintedFigure(const Measure& measure, const Interval& interval);
// Of printed numbers alone, half up: '24%', '0.6%'; empty for a small figure or base.
std::string PrintedPercent(const Measure& measure, int64_t printed, int64_t printed_base);
// The rest of a printed base is 'over 90%' where nothing else than small figures is printed; a
// multiple of 5, none of a small base.
std::optional<int64_t> RestOverPercent(const Measure& measure, int64_t printed_base,
                                       int64_t small_figures);

}  // namespace hub::membership
