#include "services/membership/publications_rules.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/digest.h"

namespace hub::membership {
namespace {

using v1::Answer;
using v1::Publication;

constexpr int kMonthsApart = 3;

// Who has a figure for an answer: nobody for the one of reference, a question's commonest. It must
// be common: where nearly nobody gave it, the figures of the others add up to all people.
enum class Shown { kNowhere, kNationally, kEverywhere };
struct Category {
  Question question;
  Answer answer;
  Shown shown;
  const char* say;  // 'about 60 say that they ...'
};
constexpr Category kCategories[] = {
    {Publication::DISABILITY, v1::YES, Shown::kEverywhere, "are disabled"},
    {Publication::DISABILITY, v1::NO, Shown::kNowhere, ""},
    {Publication::LONE_PARENT, v1::YES, Shown::kEverywhere, "are a lone parent or carer"},
    {Publication::LONE_PARENT, v1::NO, Shown::kNowhere, ""},
    {Publication::FREE_SCHOOL_MEALS, v1::YES, Shown::kEverywhere,
     "have a child with free school meals"},
    {Publication::FREE_SCHOOL_MEALS, v1::NO, Shown::kNowhere, ""},
    {Publication::GENDER, v1::FEMALE, Shown::kNowhere, ""},
    {Publication::GENDER, v1::MALE, Shown::kEverywhere, "are men"},
    {Publication::GENDER, v1::TRANSGENDER, Shown::kNationally, "are transgender"},
    {Publication::GENDER, v1::NON_BINARY, Shown::kNationally, "are non-binary"},
    {Publication::GENDER, v1::ANOTHER_DESCRIPTION, Shown::kNationally,
     "are of another description"},
    {Publication::ETHNICITY, v1::WHITE_BRITISH, Shown::kNowhere, ""},
    // A forum is too small for the groups by themselves: its figure takes them together.
    {Publication::ETHNICITY, v1::NOT_WHITE_BRITISH, Shown::kEverywhere,
     "are of another background than White British"},
    {Publication::ETHNICITY, v1::ANOTHER_WHITE_BACKGROUND, Shown::kNationally,
     "are of another White background"},
    {Publication::ETHNICITY, v1::MIXED_OR_MULTIPLE, Shown::kNationally,
     "are of mixed or multiple ethnic groups"},
    {Publication::ETHNICITY, v1::ASIAN_OR_ASIAN_BRITISH, Shown::kNationally,
     "are Asian or Asian British"},
    {Publication::ETHNICITY, v1::BLACK_OR_BLACK_BRITISH, Shown::kNationally,
     "are Black or Black British"},
    {Publication::ETHNICITY, v1::ANOTHER_DESCRIPTION, Shown::kNationally,
     "are of another description"},
    {Publication::CARER, v1::YES, Shown::kEverywhere, "are an unpaid carer of somebody else, too"},
    {Publication::CARER, v1::NO, Shown::kNowhere, ""},
    {Publication::AGE_BAND, v1::UNDER_25, Shown::kEverywhere, "are under 25"},
    {Publication::AGE_BAND, v1::FROM_25_TO_34, Shown::kEverywhere, "are 25 to 34"},
    {Publication::AGE_BAND, v1::FROM_35_TO_44, Shown::kNowhere, ""},
    {Publication::AGE_BAND, v1::FROM_45_TO_54, Shown::kEverywhere, "are 45 to 54"},
    {Publication::AGE_BAND, v1::OVER_54, Shown::kEverywhere, "are 55 or older"},
};

// Which questions are counted together: few, since each counts every member once more. [ours]
struct Crossing {
  Question question, first, second;
};
constexpr Crossing kCrossings[] = {
    {Publication::DISABILITY_BY_GENDER, Publication::DISABILITY, Publication::GENDER},
    {Publication::DISABILITY_BY_ETHNICITY, Publication::DISABILITY, Publication::ETHNICITY},
    {Publication::LONE_PARENT_BY_FREE_SCHOOL_MEALS, Publication::LONE_PARENT,
     Publication::FREE_SCHOOL_MEALS},
    {Publication::CARER_BY_AGE_BAND, Publication::CARER, Publication::AGE_BAND},
};

constexpr char kOneQuestion[] =
    "figures are of one question for all members: none combines two, but for a few of all forums "
    "together, and none is for a district, a group, a meeting or an age; ask for 'question = "
    "\"DISABILITY\"' or another of the questions, or for all without a filter";
constexpr char kCalendar[] =
    "figures are made for 1 January, April, July and October and for no other day; ask for one of "
    "these, or for all without a filter";
constexpr char kNationalOnly[] =
    "so few give this answer that a figure of one forum could point to one of them: it is counted "
    "with every other answer, and printed by itself for all forums together alone";

const Category* Find(Question question, Answer answer) {
  for (const Category& category : kCategories) {
    if (category.question == question && category.answer == answer) return &category;
  }
  return nullptr;
}

const Crossing* CrossingOf(Question question) {
  for (const Crossing& crossing : kCrossings) {
    if (crossing.question == question) return &crossing;
  }
  return nullptr;
}

// 'are disabled and are men'
std::string WordsOf(Question question, const Answers& answers) {
  const Crossing* crossing = CrossingOf(question);
  if (crossing == nullptr) return Find(question, answers.answer)->say;
  std::vector<std::string> words;
  if (answers.answer != 0) words.push_back(Find(crossing->first, answers.answer)->say);
  if (answers.also != 0) words.push_back(Find(crossing->second, answers.also)->say);
  return absl::StrJoin(words, " and ");
}

bool Shows(const Printer& printer, const Category& category) {
  return category.shown == Shown::kEverywhere ||
         (printer.national && category.shown == Shown::kNationally);
}

const google::protobuf::FieldDescriptor* FieldOf(Question question) {
  return v1::MemberCharacteristics::descriptor()->FindFieldByName(
      absl::AsciiStrToLower(Publication::Question_Name(question)));
}

Answer Get(Question question, const v1::MemberCharacteristics& said) {
  return static_cast<Answer>(said.GetReflection()->GetEnumValue(said, FieldOf(question)));
}

// A word for an answer that no forum prints by itself, as in 'gender-transgender'.
bool NationalOnly(const std::string& word) {
  Answer answer = v1::ANSWER_UNSPECIFIED;
  if (!v1::Answer_Parse(absl::AsciiStrToUpper(word), &answer)) return false;
  return std::any_of(std::begin(kCategories), std::end(kCategories), [&](const Category& category) {
    return category.answer == answer && category.shown == Shown::kNationally;
  });
}

std::string InWords(const Printer& printer, const Publication& publication) {
  std::vector<std::string> parts;
  int64_t small = 0;
  for (const auto& figure : publication.figures()) {
    if (figure.figure() == 0) ++small;
    parts.push_back(absl::StrCat(
        figure.figure() == 0 ? "" : "about ", PrintedText(printer.measure, figure.figure()),
        figure.percent().empty() ? "" : absl::StrCat(" (", figure.percent(), ")"),
        " say that they ", figure.words()));
  }
  std::string text = absl::StrCat(
      DateInWords(publication.date()), ": of about ", publication.base(),
      printer.national ? " members of all forums" : " members", " who answered",
      CrossingOf(publication.question()) != nullptr ? " both, " : ", ", absl::StrJoin(parts, ", "));
  const auto rest = small == publication.figures_size()
                        ? RestOverPercent(printer.measure, publication.base(), small)
                        : std::nullopt;
  return absl::StrCat(text, rest ? absl::StrCat("; over ", *rest, "% gave another answer.") : ".");
}

std::string HashOf(const Publication& row, const std::string& previous) {
  std::vector<std::string> lines = {previous,
                                    Publication::Question_Name(row.question()),
                                    row.date(),
                                    absl::StrCat(row.number(), " ", row.answered(), " ", row.base(),
                                                 " ", row.members(), " ", row.imported()),
                                    absl::StrJoin(row.since(), " "),
                                    row.text()};
  for (const auto& one : row.figures()) {
    lines.push_back(absl::StrCat(TextOf({one.answer(), one.also()}), " ", one.figure(), " ",
                                 one.percent(), " ", one.low(), " ", one.high(), " ", one.floor(),
                                 " ", one.ceiling(), " ", one.words()));
  }
  return absl::BytesToHexString(Sha256(absl::StrJoin(lines, "\n")));
}

}  // namespace

std::string TextOf(const Answers& answers) {
  auto text = [](Answer answer) { return answer == 0 ? "" : v1::Answer_Name(answer); };
  return absl::StrCat(text(answers.answer), answers.also == 0 ? "" : "+", text(answers.also));
}

std::optional<Answers> AnswersOf(const std::string& text) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('+', 1));
  Answers answers = v1::ANSWER_UNSPECIFIED;
  auto parse = [](const std::string& part, Answer* answer) {
    return part.empty() || v1::Answer_Parse(part, answer);
  };
  if (!parse(parts.first, &answers.answer) || !parse(parts.second, &answers.also)) return {};
  return answers;
}

std::vector<Question> Questions() {
  std::vector<Question> questions;
  for (int i = 1; i < Publication::Question_ARRAYSIZE; ++i) {
    questions.push_back(static_cast<Question>(i));
  }
  return questions;
}

StatusOr<v1::MemberCharacteristics> Said(const v1::MemberCharacteristics& before,
                                         v1::MemberCharacteristics after) {
  for (const Question question : Questions()) {
    const auto* field = FieldOf(question);
    if (field == nullptr) continue;  // two together are answered one by one
    const Answer answer = Get(question, after);
    if (answer == v1::ANSWER_UNSPECIFIED && Get(question, before) == v1::STOPPED) {
      after.GetReflection()->SetEnumValue(&after, field, v1::STOPPED);
    }
    const bool none = answer <= v1::PREFER_NOT_TO_SAY || answer == v1::STOPPED;
    if (none || Find(question, answer) != nullptr) continue;
    std::vector<std::string> possible;
    for (const Category& category : kCategories) {
      if (category.question == question) possible.push_back(v1::Answer_Name(category.answer));
    }
    const std::string path = "characteristics." + field->name();
    return InvalidField(
        path, absl::StrCat(path, " is ", v1::Answer_Name(answer),
                           ", which is no answer to it; say ", absl::StrJoin(possible, ", "),
                           ", PREFER_NOT_TO_SAY, or STOPPED to have none held"));
  }
  if (after.gender() == v1::STOPPED) after.clear_gender_words();
  if (after.ethnicity() == v1::STOPPED) after.clear_ethnicity_words();
  return after;
}

std::optional<Answers> AnswerTo(Question question, const v1::MemberCharacteristics& said) {
  if (const Crossing* crossing = CrossingOf(question); crossing != nullptr) {
    const auto first = AnswerTo(crossing->first, said), second = AnswerTo(crossing->second, said);
    return first && second ? std::optional(Answers(first->answer, second->answer)) : std::nullopt;
  }
  const Answer answer = Get(question, said);
  return Find(question, answer) == nullptr ? std::nullopt : std::optional<Answers>(answer);
}

std::vector<Answers> FiguresOf(const Printer& printer, Question question) {
  std::vector<Answers> figures;
  const Crossing* crossing = CrossingOf(question);
  if (crossing == nullptr) {
    for (const Category& category : kCategories) {
      if (category.question == question && Shows(printer, category)) {
        figures.emplace_back(category.answer);
      }
    }
    return figures;
  }
  if (!printer.national) return figures;
  auto rows = FiguresOf(printer, crossing->first), columns = FiguresOf(printer, crossing->second);
  rows.emplace_back(v1::ANSWER_UNSPECIFIED);
  columns.emplace(columns.begin(), v1::ANSWER_UNSPECIFIED);
  for (const Answers& row : rows) {
    for (const Answers& column : columns) {
      const bool anything = row.answer == 0 && column.answer == 0;
      if (!anything) figures.emplace_back(row.answer, column.answer);
    }
  }
  return figures;
}

Counts CountsOf(Question question, const Counts& by_answer) {
  auto takes = [](Answer figure, Answer answer) {
    return figure == answer || figure == v1::ANSWER_UNSPECIFIED ||
           (figure == v1::NOT_WHITE_BRITISH && answer != v1::WHITE_BRITISH);
  };
  Counts counts;
  for (const Answers& figure : FiguresOf(kNationalPrinter, question)) {
    int64_t& people = counts[figure];
    for (const auto& [said, count] : by_answer) {
      if (takes(figure.answer, said.answer) && takes(figure.also, said.also)) people += count;
    }
  }
  return counts;
}

std::string LastOnCalendar(const std::string& today) {
  const absl::CivilMonth month(ToDay(today));
  return ToText(absl::CivilDay(month - (month.month() - 1) % kMonthsApart));
}

std::string NextOnCalendar(const std::string& today) {
  return ToText(absl::CivilDay(absl::CivilMonth(ToDay(LastOnCalendar(today))) + kMonthsApart));
}

Status CheckFilter(const Printer& printer, const std::string& filter) {
  auto refuse = [](const char* why) {
    return Refuse(errors::FILTER_INVALID, absl::StrCat("filter cannot be followed: ", why),
                  "filter");
  };
  std::set<std::string> fields;
  for (const absl::string_view term : absl::StrSplit(filter, " AND ", absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(term, absl::MaxSplits('=', 1));
    auto trim = [](std::string text) {
      text.erase(
          std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '"'; }),
          text.end());
      return text;
    };
    const std::string field = trim(parts.first), value = trim(parts.second);
    if (NationalOnly(value)) return refuse(kNationalOnly);
    Question question = Publication::QUESTION_UNSPECIFIED;
    const bool known = field == "question" && Publication::Question_Parse(value, &question) &&
                       !FiguresOf(printer, question).empty();
    if (!fields.insert(field).second || (!known && field != "date")) return refuse(kOneQuestion);
    if (field == "date" && !OnCalendar(value)) return refuse(kCalendar);
  }
  return Status();
}

Status CheckPublicationId(const Printer& printer, const std::string& id) {
  constexpr size_t kDate = 10;
  if (id.size() <= kDate || id[4] != '-' || id[7] != '-' || id[kDate] != '-' ||
      !absl::ascii_isdigit(static_cast<unsigned char>(id[0]))) {
    return Status();  // the name of nothing
  }
  auto refuse = [&](const char* why) {
    return InvalidField("name", absl::StrCat("name asks for what is not made: ", why));
  };
  const std::string of = id.substr(kDate + 1);
  if (!OnCalendar(id.substr(0, kDate))) return refuse(kCalendar);
  for (const absl::string_view word : absl::StrSplit(of, '-')) {
    if (NationalOnly(std::string(word))) return refuse(kNationalOnly);
  }
  Question question = Publication::QUESTION_UNSPECIFIED;
  if (!Publication::Question_Parse(absl::AsciiStrToUpper(of), &question) ||
      FiguresOf(printer, question).empty()) {
    return refuse(kOneQuestion);
  }
  return Status();
}

Publication PublicationOf(const Printer& printer, Question question, const Row& row, size_t number,
                          const std::string& previous) {
  Publication out;
  out.set_question(question);
  out.set_date(row.date);
  out.set_imported(row.imported);
  out.set_members(row.members);
  out.set_base(PrintedBase(printer.measure, row.count));
  out.set_number(static_cast<int64_t>(number));
  out.set_answered(row.count);
  for (const int64_t people : row.since) out.add_since(people);
  size_t at = 0;
  for (const Answers& answers : FiguresOf(printer, question)) {
    const Figure& figure = row.figures[at++];
    auto* to = out.add_figures();
    to->set_answer(answers.answer);
    to->set_also(answers.also);
    to->set_words(WordsOf(question, answers));
    to->set_figure(figure.printed);
    to->set_percent(PrintedPercent(printer.measure, figure.printed, out.base()));
    to->set_low(figure.interval.low);
    to->set_high(figure.interval.high);
    to->set_floor(figure.floor);
    to->set_ceiling(figure.ceiling);
  }
  if (out.figures_size() > 0) out.set_text(InWords(printer, out));
  out.set_hash(HashOf(out, previous));
  return out;
}

Row RowOf(const Printer& printer, const Publication& publication) {
  Row row;
  row.date = publication.date();
  row.count = publication.answered();
  row.members = publication.members();
  row.imported = publication.imported();
  row.since.assign(publication.since().begin(), publication.since().end());
  for (const Answers& answers : FiguresOf(printer, publication.question())) {
    Figure& to = row.figures.emplace_back();
    to.interval = {0, row.count};  // what is not told of may be anything
    for (const auto& figure : publication.figures()) {
      if (Answers(figure.answer(), figure.also()) != answers) continue;
      to = {{figure.low(), figure.high()}, figure.figure(), figure.floor(), figure.ceiling()};
    }
  }
  return row;
}

StatusOr<Row> ImportedRow(const Publication& publication, const std::vector<Row>& rows,
                          const std::string& today) {
  const std::string question = Publication::Question_Name(publication.question());
  if (FiguresOf(kForumPrinter, publication.question()).empty()) {
    return InvalidField("publication.question",
                        absl::StrCat("publication.question is ", question, ": ", kOneQuestion));
  }
  if (!rows.empty() && !rows.back().imported) {
    return RuleRefused("figures_began", absl::StrCat("the hub has printed figures of ", question,
                                                     " since ", rows.back().date,
                                                     "; what was published before is taken over "
                                                     "before its first one"));
  }
  const std::string& last = rows.empty() ? "" : rows.back().date;
  if (publication.date() > today || publication.date() <= last) {
    return InvalidField("publication.date",
                        absl::StrCat("publication.date is ", publication.date(), "; it must be ",
                                     last.empty() ? "" : absl::StrCat("after ", last, " and "),
                                     "no later than today, ", today));
  }
  if (publication.answered() < 1) {
    return InvalidField("publication.answered",
                        "publication.answered is 0; say how many had answered");
  }
  std::set<Answer> told;
  for (const auto& figure : publication.figures()) {
    const Category* category = Find(publication.question(), figure.answer());
    const std::string name = v1::Answer_Name(figure.answer());
    if (category != nullptr && category->shown == Shown::kNationally) {
      return InvalidField(
          "publication.figures.answer",
          absl::StrCat("publication.figures.answer is ", name, ": ", kNationalOnly));
    }
    if (category == nullptr || category->shown == Shown::kNowhere ||
        !told.insert(figure.answer()).second) {
      return InvalidField("publication.figures.answer",
                          absl::StrCat("publication.figures.answer is ", name,
                                       ", which is said twice or has no figure in ", question));
    }
    if (figure.low() > figure.high() || figure.high() > publication.answered()) {
      return InvalidField(
          "publication.figures.high",
          absl::StrCat("publication.figures.high is ", figure.high(), "; it must be from low, ",
                       figure.low(), ", to answered, ", publication.answered()));
    }
  }
  for (const Answers& answers : FiguresOf(kForumPrinter, publication.question())) {
    if (told.count(answers.answer) > 0) continue;
    return InvalidField("publication.figures",
                        absl::StrCat("publication.figures says nothing of ", TextOf(answers),
                                     ", which has a figure in ", question,
                                     "; say between which counts it lay, 0 and ",
                                     publication.answered(), " if nothing was published"));
  }
  Row row = RowOf(kForumPrinter, publication);
  row.imported = true;
  for (Figure& figure : row.figures) {
    figure.printed = PrintedFigure(kForumMeasure, figure.interval);
    figure.floor = figure.interval.low;
    figure.ceiling = figure.interval.high;
  }
  std::vector<int64_t> since(rows.size() + 1);
  since[0] = row.count;
  row.since = TurnoutAfter(rows, std::move(since), 0).since;
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
