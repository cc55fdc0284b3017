#include "services/hubctl/sheets.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/base/letters.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

constexpr int kRowsAboveTitles = 5;
constexpr int kHeadingsOfTitles = 2;

std::vector<std::string> NamesOf(const Heading& heading) {
  std::vector<std::string> names = {Folded(heading.title)};
  for (const std::string& other : heading.also) names.push_back(Folded(other));
  return names;
}

// The headings that a title is nearest to in spelling, as far as that is near enough.
std::vector<const Heading*> NearestTo(const std::string& title,
                                      const std::vector<const Heading*>& headings) {
  size_t nearest = title.size() < 5 ? 0 : title.size() < 9 ? 1 : 2;
  std::vector<const Heading*> found;
  for (const Heading* heading : headings) {
    size_t distance = nearest + 1;
    for (const std::string& name : NamesOf(*heading)) {
      if (name.size() >= 5) distance = std::min(distance, Distance(title, name, nearest));
    }
    if (distance > nearest || distance == 0) continue;
    if (distance < nearest) found.clear();
    nearest = distance;
    found.push_back(heading);
  }
  return found;
}

std::string Quoted(const std::vector<std::string>& words, const char* between) {
  return absl::StrJoin(words, between, [](std::string* out, const std::string& word) {
    absl::StrAppend(out, "'", word, "'");
  });
}

// 0 -> 'A', 27 -> 'AB'
std::string ColumnName(size_t column) {
  std::string name;
  for (++column; column > 0; column = (column - 1) / 26) {
    name.insert(name.begin(), static_cast<char>('A' + (column - 1) % 26));
  }
  return name;
}

int MonthOf(const std::string& word) {
  constexpr const char* kMonths[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};
  for (int month = 0; month < 12; ++month) {
    if (word.size() >= 3 && std::string(kMonths[month]).starts_with(word)) return month + 1;
  }
  return 0;
}

bool ReadNumber(const std::string& text, int* number) {
  return text.find_first_not_of("0123456789") == std::string::npos &&
         absl::SimpleAtoi(text, number);
}

// '00:00', '00:00:00': what spreadsheets and databases add to a day.
bool IsMidnight(const std::string& time) {
  return time.find_first_not_of("0:.") == std::string::npos;
}

}  // namespace

std::string Complaint::Text() const {
  std::string text = file;
  if (line > 0) absl::StrAppend(&text, ":", line);
  if (!column.empty()) absl::StrAppend(&text, ": column '", column, "'");
  return absl::StrCat(text, ": ", reason);
}

const std::string& Row::operator[](const std::string& heading) const {
  static const std::string nothing;
  const std::optional<size_t> column = sheet->Column(heading);
  return column.has_value() && *column < cells.size() ? cells[*column] : nothing;
}

StatusOr<std::unique_ptr<SheetReader>> SheetReader::Open(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char head[8] = {};
  file.read(head, sizeof head);
  if (file.bad() || (!file && file.gcount() == 0 && !file.eof()) || !file.is_open()) {
    return UsageError("'" + path + "' cannot be read");
  }
  const std::string start(head, static_cast<size_t>(file.gcount()));
  if (start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06")) return OpenXlsx(path);
  if (start.starts_with("\xd0\xcf\x11\xe0")) {
    return UsageError(
        "is an .xls of an old Excel, or is protected by a password; open it, take the password "
        "away, and save it as .xlsx or CSV");
  }
  if (start.starts_with("%PDF")) {
    return UsageError("is a PDF, which has no cells; save the sheet it came from as .xlsx or CSV");
  }
  return OpenCsv(path);
}

// ---- titles ----

Mapping::Mapping(std::string file, const Row& titles, const std::vector<Heading>& headings,
                 std::vector<Complaint>* complaints)
    : file_(std::move(file)), titles_(titles.cells) {
  std::vector<std::string> folded;
  for (const std::string& title : titles_) {
    folded.push_back(Folded(title));
    lines_.push_back({title, "", title.empty() ? "has no title" : ""});
  }
  const auto claim = [&](const Heading& heading, size_t column, const std::string& note) {
    const auto [first, is_new] = columns_.emplace(heading.title, column);
    if (is_new) {
      lines_[column] = {titles_[column], heading.title, note};
      return;
    }
    complaints->push_back(
        {file_, titles.line, titles_[column],
         titles_[first->second] == titles_[column]
             ? "is there twice; rename or delete one of the two"
             : absl::StrCat("is read as '", heading.title, "', and so is '", titles_[first->second],
                            "'; rename or delete one of the two")});
  };
  std::vector<bool> fits(titles_.size());
  for (const Heading& heading : headings) {
    const std::vector<std::string> names = NamesOf(heading);
    for (size_t i = 0; i < folded.size(); ++i) {
      if (std::find(names.begin(), names.end(), folded[i]) == names.end()) continue;
      claim(heading, i, "");
      fits[i] = true;
    }
  }
  std::vector<const Heading*> left;
  for (const Heading& heading : headings) {
    if (columns_.count(heading.title) == 0) left.push_back(&heading);
  }
  for (size_t i = 0; i < folded.size(); ++i) {
    if (fits[i]) continue;
    const std::vector<const Heading*> near = NearestTo(folded[i], left);
    if (near.size() == 1) {
      claim(*near[0], i, "near in spelling");
      fits[i] = true;
    } else if (near.size() > 1) {
      lines_[i].note = absl::StrCat("may be '", near[0]->title, "' or '", near[1]->title,
                                    "': give it the title that it is");
    }
  }
  std::vector<std::string> others;
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (!fits[i] && !titles_[i].empty()) others.push_back(titles_[i]);
  }
  for (const Heading& heading : headings) {
    if (!heading.required || columns_.count(heading.title) > 0) continue;
    complaints->push_back(
        {file_, titles.line, heading.title,
         others.empty() ? "is missing; add it"
                        : absl::StrCat("is missing; give its title to the column that it is, "
                                       "should it be one of ",
                                       Quoted(others, ", "))});
  }
}

std::optional<size_t> Mapping::Column(const std::string& heading) const {
  const auto found = columns_.find(heading);
  return found == columns_.end() ? std::nullopt : std::optional<size_t>(found->second);
}

std::string Mapping::TitleOf(const std::string& heading) const {
  const std::optional<size_t> column = Column(heading);
  return column.has_value() ? titles_[*column] : heading;
}

void Mapping::Check(const Row& row, std::vector<Complaint>* complaints) const {
  for (size_t i = titles_.size(); i < row.cells.size(); ++i) {
    if (row.cells[i].empty()) continue;
    complaints->push_back(
        {file_, row.line, "",
         absl::StrCat("has '", row.cells[i], "' in column ", ColumnName(i),
                      ", which has no title; is there a comma too many, or is a title missing?")});
    return;
  }
}

std::unique_ptr<Mapping> ReadTitles(SheetReader* reader, const std::string& file,
                                    const std::vector<Heading>& headings,
                                    std::vector<Complaint>* complaints) {
  Row row;
  std::optional<Row> first;
  for (int i = 0; i < kRowsAboveTitles; ++i) {
    const StatusOr<bool> more = reader->Next(&row);
    if (!more.ok()) {
      complaints->push_back({file, row.line, "", MessageOf(more.status())});
      return nullptr;
    }
    if (!*more) break;
    std::vector<Complaint> of_row;
    auto mapping = std::make_unique<Mapping>(file, row, headings, &of_row);
    if (mapping->found() >= std::min<size_t>(kHeadingsOfTitles, headings.size())) {
      complaints->insert(complaints->end(), of_row.begin(), of_row.end());
      return mapping;
    }
    if (!first.has_value()) first = row;
  }
  if (first.has_value()) return std::make_unique<Mapping>(file, *first, headings, complaints);
  complaints->push_back({file, 1, "", "has no row of titles"});
  return nullptr;
}

Sheet::Sheet(const std::string& path, const std::vector<Heading>& headings,
             std::vector<Complaint>* complaints) {
  const std::string file = std::filesystem::path(path).filename().string();
  const auto reader = SheetReader::Open(path);
  if (!reader.ok()) {
    complaints->push_back({file, 0, "", MessageOf(reader.status())});
    return;
  }
  mapping_ = ReadTitles(reader->get(), file, headings, complaints);
  if (mapping_ == nullptr) return;
  Row row;
  StatusOr<bool> more = (*reader)->Next(&row);
  for (; more.ok() && *more; more = (*reader)->Next(&row)) {
    mapping_->Check(row, complaints);
    row.sheet = mapping_.get();
    rows_.push_back(std::move(row));
  }
  if (!more.ok()) complaints->push_back({file, row.line, "", MessageOf(more.status())});
}

// ---- days ----

StatusOr<std::string> ReadDay(const std::string& text, int this_year) {
  const auto no_day = [&](const std::string& why) {
    return UsageError(absl::StrCat("'", text, "' ", why));
  };
  std::string words = absl::AsciiStrToLower(text);
  if (const size_t colon = words.find(':'); colon != std::string::npos) {
    const size_t time = words.find_last_of(" t", colon);
    if (time != std::string::npos && IsMidnight(words.substr(time + 1))) words.resize(time);
  }
  std::vector<std::string> parts =
      absl::StrSplit(words, absl::ByAnyChar("/.- ,"), absl::SkipEmpty());
  const std::string usual = "is no day; write it as 03/12/2021, day before month";
  if (text.empty() || !absl::ascii_isdigit(text[0])) return no_day(usual);
  int serial = 0;
  if (parts.size() == 1 && ReadNumber(parts[0], &serial)) {
    return no_day(
        "is a number, perhaps what a spreadsheet keeps for a day; format the column as a date");
  }
  if (parts.size() != 3) return no_day(usual);
  const bool iso = parts[0].size() == 4;
  if (iso) std::swap(parts[0], parts[2]);
  int month = MonthOf(parts[1]), day = 0, year = 0;
  if (month > 0) {  // 3rd December
    for (const char* end : {"st", "nd", "rd", "th"}) {
      if (parts[0].ends_with(end)) parts[0].resize(parts[0].size() - 2);
    }
  } else if (!ReadNumber(parts[1], &month)) {
    return no_day(usual);
  }
  const bool digits = ReadNumber(parts[0], &day) && ReadNumber(parts[2], &year);
  if (!digits || parts[0].size() > 2 || (parts[2].size() != 2 && parts[2].size() != 4)) {
    return no_day(usual);
  }
  if (parts[2].size() == 2) year += year <= this_year % 100 ? 2000 : 1900;
  const std::string date = absl::StrFormat("%04d-%02d-%02d", year, month, day);
  if (IsDate(date)) return date;
  if (month > 12 && day >= 1 && day <= 12 && !iso) {
    return no_day(absl::StrCat("has ", month,
                               " for its month; write the day before the month, as 31/12/2021, in "
                               "the whole column"));
  }
  return no_day("is no day of the calendar; write one, as 03/12/2021");
}

StatusOr<std::string> ReadDay(const std::string& text) {
  return ReadDay(text, static_cast<int>(ToDay(LondonDate(MachineNow())).year()));
}

std::string WriteDay(const std::string& date) {
  return date.size() == 10 ? date.substr(8) + "/" + date.substr(5, 2) + "/" + date.substr(0, 4)
                           : date;
}

}  // namespace hub::ctl
