#include "services/hubctl/sheets.h"

#include <csv.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/date.h"

namespace hub::ctl {
namespace {

constexpr char kByteOrderMark[] = "\xef\xbb\xbf";

bool IsUtf8(const std::string& text) {
  size_t at = 0;
  while (at < text.size()) {
    const unsigned char first = text[at++];
    int more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (more < 0 || first > 0xf4) return false;
    for (; more > 0; --more) {
      if (at == text.size() || (static_cast<unsigned char>(text[at++]) & 0xc0) != 0x80) {
        return false;
      }
    }
  }
  return true;
}

// libcsv knows no lines and drops empty rows, so it is fed line by line and the lines are counted
// here. In strict mode it stops at a stray quote by taking less than it is given.
class Reader {
 public:
  Reader() { csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI); }
  ~Reader() { csv_free(&parser_); }
  Reader(const Reader&) = delete;

  // False, with the reason and its line, where the text is no CSV.
  bool Read(const std::string& text, std::vector<Row>* rows, Complaint* complaint) {
    rows_ = rows;
    int line = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
      const std::string one = text.substr(at, end - at);
      at = end;
      ++line;
      if (!inside_) start_ = line;
      inside_ = inside_ || one.find_first_not_of(" \t\r\n") != std::string::npos;
      complaint->line = line;
      if (!IsUtf8(one)) {
        complaint->reason = "is not UTF-8; save the sheet as 'CSV UTF-8'";
        return false;
      }
      if (csv_parse(&parser_, one.data(), one.size(), OnCell, OnRow, this) != one.size()) {
        complaint->reason =
            "a quotation mark stands inside a cell; put the cell in quotation marks and double it";
        return false;
      }
    }
    complaint->line = start_;
    complaint->reason = "a quotation mark is opened and never closed";
    return csv_fini(&parser_, OnCell, OnRow, this) == 0;
  }

 private:
  static void OnCell(void* cell, size_t size, void* self) {
    static_cast<Reader*>(self)->row_.cells.emplace_back(static_cast<const char*>(cell), size);
  }
  static void OnRow(int, void* self) { static_cast<Reader*>(self)->EndRow(); }
  void EndRow() {
    row_.line = start_;
    inside_ = false;
    const bool blank = std::all_of(row_.cells.begin(), row_.cells.end(),
                                   [](const std::string& cell) { return cell.empty(); });
    if (!blank) rows_->push_back(std::move(row_));
    row_ = Row();
  }

  csv_parser parser_;
  std::vector<Row>* rows_ = nullptr;
  Row row_;
  int start_ = 1;
  bool inside_ = false;  // a row has begun and not ended
};

}  // namespace

std::string Complaint::Text() const {
  std::string text = file;
  if (line > 0) absl::StrAppend(&text, ":", line);
  if (!column.empty()) absl::StrAppend(&text, ": column '", column, "'");
  return absl::StrCat(text, ": ", reason);
}

const std::string& Row::operator[](const std::string& column) const {
  return cells[sheet->Column(column)];
}

Sheet::Sheet(const std::string& file, const std::string& text,
             const std::vector<std::string>& columns, std::vector<Complaint>* complaints)
    : file_(file) {
  const bool marked = text.starts_with(kByteOrderMark);
  Complaint complaint{file, 0, "", ""};
  std::vector<Row> rows;
  if (!Reader().Read(marked ? text.substr(sizeof kByteOrderMark - 1) : text, &rows, &complaint)) {
    complaints->push_back(complaint);
  }
  if (rows.empty()) {
    complaints->push_back({file, 1, "", "has no header line"});
    return;
  }
  ReadHeader(rows[0], columns, complaints);
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].cells.size() != rows[0].cells.size()) {
      complaints->push_back({file, rows[i].line, "",
                             absl::StrCat("has ", rows[i].cells.size(),
                                          " cells where the header has ", rows[0].cells.size())});
      continue;
    }
    if (columns_.size() != rows[0].cells.size()) continue;  // the header was complained of
    rows_.push_back(std::move(rows[i]));
    rows_.back().sheet = this;
  }
}

void Sheet::ReadHeader(const Row& header, const std::vector<std::string>& columns,
                       std::vector<Complaint>* complaints) {
  for (size_t i = 0; i < header.cells.size(); ++i) {
    const std::string& name = header.cells[i];
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
      complaints->push_back({file_, header.line, name, "is not a column of this sheet"});
    } else if (!columns_.emplace(name, i).second) {
      complaints->push_back({file_, header.line, name, "is there twice"});
    }
  }
  for (const std::string& name : columns) {
    if (columns_.count(name) > 0) continue;
    complaints->push_back({file_, header.line, name, "is missing"});
  }
  if (columns_.size() != columns.size()) columns_.clear();
}

bool ReadDay(const std::string& text, std::string* date) {
  if (text.size() != 10 || text[2] != '/' || text[5] != '/') return false;
  *date = text.substr(6) + "-" + text.substr(3, 2) + "-" + text.substr(0, 2);
  return IsDate(*date);
}

}  // namespace hub::ctl
