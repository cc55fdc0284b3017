#include "services/membership/publications_rules.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/digest.h"

namespace hub::membership {
namespace {

using v1::Publication;

constexpr int kMonthsApart = 3;

struct Words {
  Publication::Question question;
  const char* say;  // 'about 60 say that they ...'
};
constexpr Words kQuestions[] = {
    {Publication::DISABILITY, "are disabled"},
    {Publication::LONE_PARENT, "are a lone parent or carer"},
    {Publication::FREE_SCHOOL_MEALS, "have a child with free school meals"},
    {Publication::GENDER, "are men"},
    {Publication::ETHNICITY, "are of another background than White British"},
};

Answered Of(v1::Answer answer) {
  if (answer == v1::YES) return Answered::kCounted;
  return answer == v1::NO ? Answered::kUncounted : Answered::kNothing;
}

// Any text is an answer; `named` is the one that has the figure, or all but that one have.
Answered Of(const std::string& text, const char* named, bool all_but) {
  const absl::string_view said = absl::StripAsciiWhitespace(text);
  if (said.empty() || absl::EqualsIgnoreCase(said, "prefer not to say")) return Answered::kNothing;
  return absl::EqualsIgnoreCase(said, named) != all_but ? Answered::kCounted : Answered::kUncounted;
}

std::string InWords(const Publication& publication) {
  const char* say = "";
  for (const Words& words : kQuestions) {
    if (words.question == publication.question()) say = words.say;
  }
  const std::string date = DateInWords(publication.date());
  const std::string of = absl::StrCat("of about ", publication.base(), " members who answered");
  if (publication.figure() != 0) {
    const std::string share =
        publication.percent() == 0 ? "" : absl::StrCat(" (", publication.percent(), "%)");
    return absl::StrCat(date, ": about ", publication.figure(), " ", of, share, " say that they ",
                        say, ".");
  }
  const auto rest = RestOverPercent(kForumMeasure, publication.base(), 1);
  return absl::StrCat(date, ": ", PrintedText(kForumMeasure, 0), " ", of, " say that they ", say,
                      rest ? absl::StrCat("; over ", *rest, "% gave another answer.") : ".");
}

std::string HashOf(const Publication& row, const std::string& previous) {
  return absl::BytesToHexString(Sha256(absl::StrJoin(
      std::vector<std::string>{previous, Publication::Question_Name(row.question()), row.date(),
                               absl::StrCat(row.number(), " ", row.answered(), " ", row.figure(),
                                            " ", row.base(), " ", row.percent(), " ", row.low(),
                                            " ", row.high(), " ", row.floor(), " ", row.ceiling()),
                               row.text()},
      "\n")));
}

}  // namespace

std::vector<Publication::Question> Questions() {
  std::vector<Publication::Question> questions;
  for (const Words& words : kQuestions) questions.push_back(words.question);
  return questions;
}

Answered AnswerTo(Publication::Question question, const v1::MemberCharacteristics& said) {
  switch (question) {
    case Publication::DISABILITY:
      return Of(said.disability());
    case Publication::LONE_PARENT:
      return Of(said.lone_parent());
    case Publication::FREE_SCHOOL_MEALS:
      return Of(said.free_school_meals());
    case Publication::GENDER:
      return Of(said.gender(), "male", false);
    case Publication::ETHNICITY:
      return Of(said.ethnicity(), "white british", true);
    default:
      return Answered::kNothing;
  }
}

std::string LastOnCalendar(const std::string& today) {
  const absl::CivilMonth month(ToDay(today));
  return ToText(absl::CivilDay(month - (month.month() - 1) % kMonthsApart));
}

std::string NextOnCalendar(const std::string& today) {
  return ToText(absl::CivilDay(absl::CivilMonth(ToDay(LastOnCalendar(today))) + kMonthsApart));
}

Publication PublicationOf(Publication::Question question, const Row& row, int64_t number,
                          const std::string& previous) {
  const Figure& figure = row.figures[0];
  Publication out;
  out.set_question(question);
  out.set_date(row.date);
  out.set_figure(figure.printed);
  out.set_base((row.count + kForumMeasure.step / 2) / kForumMeasure.step * kForumMeasure.step);
  out.set_percent(PrintedPercent(kForumMeasure, out.figure(), out.base()).value_or(0));
  out.set_number(number);
  out.set_answered(row.count);
  out.set_low(figure.interval.low);
  out.set_high(figure.interval.high);
  out.set_floor(figure.floor);
  out.set_ceiling(figure.ceiling);
  out.set_text(InWords(out));
  out.set_hash(HashOf(out, previous));
  return out;
}

Row RowOf(const Publication& publication) {
  Row row;
  row.date = publication.date();
  row.count = publication.answered();
  row.figures = {{{publication.low(), publication.high()},
                  publication.figure(),
                  publication.floor(),
                  publication.ceiling()}};
  return row;
}

std::optional<int64_t> BrokenAt(const std::vector<Publication>& rows) {
  std::string previous;
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t number = static_cast<int64_t>(i) + 1;
    if (rows[i].number() != number || rows[i].hash() != HashOf(rows[i], previous)) return number;
    previous = rows[i].hash();
  }
  return std::nullopt;
}

}  // namespace hub::membership
