// CSV. libcsv knows no lines and drops empty rows, so it is fed line by line and the lines are
// counted here. In strict mode it stops at a stray quote by taking less than it is given.
#include <csv.h>
#include <unicode/ucnv.h>

#include <algorithm>
#include <deque>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "services/hubctl/output.h"
#include "services/hubctl/sheets.h"

namespace hub::ctl {
namespace {

constexpr size_t kPiece = 1 << 16;
constexpr size_t kLongestRow = 1 << 20;

// A file as UTF-8, piece by piece.
class Text {
 public:
  static StatusOr<std::unique_ptr<Text>> Open(const std::string& path,
                                              const std::string& encoding) {
    auto text = std::make_unique<Text>();
    text->file_.open(path, std::ios::binary);
    if (!text->file_) return UsageError("'" + path + "' cannot be read");
    UErrorCode error = U_ZERO_ERROR;
    text->from_.reset(ucnv_open(encoding.c_str(), &error));
    text->to_.reset(ucnv_open("UTF-8", &error));
    if (U_FAILURE(error)) return UsageError(absl::StrCat("cannot read ", encoding));
    ucnv_setToUCallBack(text->from_.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr,
                        &error);
    return text;
  }

  // Adds to `out`; false at the end. What is not of the encoding is refused.
  StatusOr<bool> Read(std::string* out) {
    if (ended_) return false;
    char bytes[kPiece];
    file_.read(bytes, sizeof bytes);
    if (file_.bad()) return UsageError("cannot be read to its end");
    const char* source = bytes;
    const char* end = bytes + file_.gcount();
    ended_ = file_.eof();
    char converted[kPiece];
    while (true) {
      UErrorCode error = U_ZERO_ERROR;
      char* target = converted;
      ucnv_convertEx(to_.get(), from_.get(), &target, converted + sizeof converted, &source, end,
                     pivot_, &pivot_source_, &pivot_target_, pivot_ + std::size(pivot_),
                     begins_ ? 1 : 0, ended_ ? 1 : 0, &error);
      begins_ = false;
      out->append(converted, target);
      if (error == U_BUFFER_OVERFLOW_ERROR) continue;
      if (U_FAILURE(error)) return UsageError("is not in the letters that it seems to be in");
      return true;
    }
  }

 private:
  struct Close {
    void operator()(UConverter* converter) const { ucnv_close(converter); }
  };
  std::ifstream file_;
  std::unique_ptr<UConverter, Close> from_, to_;
  UChar pivot_[1024];
  UChar* pivot_source_ = pivot_;
  UChar* pivot_target_ = pivot_;
  bool begins_ = true, ended_ = false;
};

// As its first bytes say; without a mark UTF-8 if all of it is, else Windows-1252.
StatusOr<std::string> EncodingOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char head[3] = {};
  file.read(head, sizeof head);
  const std::string start(head, static_cast<size_t>(file.gcount()));
  if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff")) return std::string("UTF-16");
  if (start == "\xef\xbb\xbf") return std::string("UTF-8");
  ASSIGN_OR_RETURN(const auto text, Text::Open(path, "UTF-8"));
  std::string piece;
  while (true) {
    const StatusOr<bool> more = text->Read(&piece);
    if (!more.ok()) return std::string("windows-1252");
    if (!*more) return std::string("UTF-8");
    piece.clear();
  }
}

// Bytes that no text in the encoding has, and what says that it is no text at all.
bool IsText(const std::string& line) {
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\0') return false;
    const bool control =
        line[i] == '\xc2' && i + 1 < line.size() && static_cast<unsigned char>(line[i + 1]) < 0xa0;
    if (control) return false;
  }
  return true;
}

// The one of which the line has the most outside of quotes.
char DelimiterOf(const std::string& line) {
  std::map<char, int> counts;
  bool quoted = false;
  for (char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted) ++counts[c];
  }
  char best = ',';
  for (char c : {';', '\t'}) {
    if (counts[c] > counts[best]) best = c;
  }
  return best;
}

class CsvReader : public SheetReader {
 public:
  CsvReader() { csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI); }
  ~CsvReader() override { csv_free(&parser_); }
  CsvReader(const CsvReader&) = delete;

  Status Begin(const std::string& path) {
    ASSIGN_OR_RETURN(const std::string encoding, EncodingOf(path));
    ASSIGN_OR_RETURN(text_, Text::Open(path, encoding));
    form_ = "CSV in " + (encoding == "windows-1252" ? "Windows-1252" : encoding);
    return Status();
  }

  StatusOr<bool> Next(Row* row) override {
    while (rows_.empty()) {
      std::string line;
      const StatusOr<bool> more = NextLine(&line);
      row->line = inside_ ? start_ : line_;
      RETURN_IF_ERROR(more.status());
      if (!*more) {
        if (csv_fini(&parser_, OnCell, OnRow, this) != 0) {
          return UsageError("a quotation mark is opened and never closed");
        }
        if (rows_.empty()) return false;
        break;
      }
      if (!inside_) start_ = line_, size_ = 0;
      inside_ = inside_ || line.find_first_not_of(" \t\r\n") != std::string::npos;
      size_ += line.size();
      row->line = start_;
      if (size_ > kLongestRow) {
        return UsageError("a row is longer than a megabyte; is a quotation mark never closed?");
      }
      row->line = line_;
      if (!IsText(line)) {
        return UsageError("is no text that can be read here; save the sheet as 'CSV UTF-8'");
      }
      if (csv_parse(&parser_, line.data(), line.size(), OnCell, OnRow, this) != line.size()) {
        return UsageError(
            "a quotation mark stands inside a cell; put the cell in quotation marks and double it");
      }
    }
    *row = std::move(rows_.front());
    rows_.pop_front();
    return true;
  }

 private:
  // With its end: LF, CR LF or CR alone.
  StatusOr<bool> NextLine(std::string* line) {
    size_t end;
    while (true) {
      end = pending_.find_first_of("\r\n", at_);
      const bool whole = end != std::string::npos && end + 1 < pending_.size();
      if (whole) break;
      if (pending_.size() - at_ > kLongestRow) {
        ++line_;
        return UsageError("a line is longer than a megabyte; this is no sheet");
      }
      pending_.erase(0, at_);
      at_ = 0;
      const StatusOr<bool> more = text_->Read(&pending_);
      if (!more.ok()) ++line_;
      RETURN_IF_ERROR(more.status());
      if (*more) {
        if (begins_ && pending_.starts_with("\xef\xbb\xbf")) pending_.erase(0, 3);
        begins_ = begins_ && pending_.empty();
        continue;
      }
      if (pending_.empty()) return false;
      end = pending_.find_first_of("\r\n");
      if (end == std::string::npos) end = pending_.size() - 1;
      break;
    }
    if (pending_[end] == '\r' && end + 1 < pending_.size() && pending_[end + 1] == '\n') ++end;
    *line = pending_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    ++line_;
    if (!parted_ && line->find_first_not_of(" \r\n") != std::string::npos) {
      csv_set_delim(&parser_, static_cast<unsigned char>(DelimiterOf(*line)));
      parted_ = true;
    }
    return true;
  }

  static void OnCell(void* cell, size_t size, void* self) {
    std::string text(static_cast<const char*>(cell), size);
    // Written before what a spreadsheet would take for a formula: sheets_writer.cc.
    const size_t sign = text.find_first_not_of('\'');
    if (sign != std::string::npos && sign > 0 && IsFormulaSign(text[sign])) text.erase(0, 1);
    static_cast<CsvReader*>(self)->row_.cells.push_back(std::move(text));
  }
  static void OnRow(int, void* self) { static_cast<CsvReader*>(self)->EndRow(); }
  void EndRow() {
    row_.line = start_;
    inside_ = false;
    const bool blank = std::all_of(row_.cells.begin(), row_.cells.end(),
                                   [](const std::string& cell) { return cell.empty(); });
    if (!blank) rows_.push_back(std::move(row_));
    row_ = Row();
  }

  csv_parser parser_;
  std::unique_ptr<Text> text_;
  std::string pending_;  // read, and from at_ on not yet parsed
  size_t at_ = 0;
  bool begins_ = true, parted_ = false;
  std::deque<Row> rows_;
  Row row_;
  int line_ = 0, start_ = 1;
  size_t size_ = 0;
  bool inside_ = false;  // a row has begun and not ended
};

}  // namespace

bool IsFormulaSign(char c) { return c == '=' || c == '+' || c == '-' || c == '@'; }

StatusOr<std::unique_ptr<SheetReader>> OpenCsv(const std::string& path) {
  auto reader = std::make_unique<CsvReader>();
  RETURN_IF_ERROR(reader->Begin(path));
  return reader;
}

}  // namespace hub::ctl
