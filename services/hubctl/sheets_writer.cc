#include "services/hubctl/sheets_writer.h"

#include <csv.h>
#include <fcntl.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/hubctl/output.h"
#include "services/hubctl/sheets.h"

namespace hub::ctl {
namespace {

// Marked, so that spreadsheets take it for UTF-8.
class CsvWriter : public SheetWriter {
 public:
  explicit CsvWriter(const std::string& path) : file_(path, std::ios::binary) {
    file_ << "\xef\xbb\xbf";
  }
  Status Add(const std::vector<std::string>& cells) override {
    std::string line;
    for (const std::string& cell : cells) {
      if (&cell != &cells.front()) line += ',';
      const size_t sign = cell.find_first_not_of('\'');
      const bool formula = sign != std::string::npos && IsFormulaSign(cell[sign]);
      const std::string text = (formula ? "'" : "") + cell;
      const size_t size = csv_write(nullptr, 0, text.data(), text.size());
      const size_t at = line.size();
      line.resize(at + size);
      csv_write(line.data() + at, size, text.data(), text.size());
    }
    file_ << line << "\r\n";
    return Written();
  }

 protected:
  Status Finish() override {
    file_.close();
    return Written();
  }

 private:
  Status Written() const {
    return file_ ? Status() : UsageError("the disk did not take the sheet");
  }
  std::ofstream file_;
};

class XlsxWriter : public SheetWriter {
 public:
  XlsxWriter(const std::string& path, std::vector<bool> days) : days_(std::move(days)) {
    lxw_workbook_options options = {};
    options.constant_memory = LXW_TRUE;
    book_ = workbook_new_opt(path.c_str(), &options);
    sheet_ = workbook_add_worksheet(book_, nullptr);
    day_ = workbook_add_format(book_);
    format_set_num_format(day_, "dd/mm/yyyy");
    if (!days_.empty()) {
      worksheet_set_column(sheet_, 0, static_cast<lxw_col_t>(days_.size() - 1), 18, nullptr);
    }
    worksheet_freeze_panes(sheet_, 1, 0);
  }
  ~XlsxWriter() override {
    if (book_ != nullptr) workbook_close(book_);
  }
  Status Add(const std::vector<std::string>& cells) override {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) continue;
      const auto column = static_cast<lxw_col_t>(i);
      lxw_datetime day = {};
      const lxw_error error =
          row_ > 0 && i < days_.size() && days_[i] && IsDay(cells[i], &day)
              ? worksheet_write_datetime(sheet_, row_, column, &day, day_)
              : worksheet_write_string(sheet_, row_, column, cells[i].c_str(), nullptr);
      if (error != LXW_NO_ERROR) {
        return UsageError(absl::StrCat("row ", row_ + 1, " does not go into an .xlsx (",
                                       lxw_strerror(error), "); write a .csv"));
      }
    }
    ++row_;
    return Status();
  }

 protected:
  Status Finish() override {
    lxw_workbook* book = book_;
    book_ = nullptr;
    const lxw_error error = workbook_close(book);
    return error == LXW_NO_ERROR
               ? Status()
               : UsageError(absl::StrCat("the sheet could not be written: ", lxw_strerror(error)));
  }

 private:
  // What WriteDay() writes, and from 1 March 1900 on, before which Excel counts otherwise.
  static bool IsDay(const std::string& cell, lxw_datetime* day) {
    const auto date = ReadDay(cell, 0);
    if (!date.ok() || WriteDay(*date) != cell || *date < "1900-03-01") return false;
    return std::sscanf(date->c_str(), "%d-%d-%d", &day->year, &day->month, &day->day) == 3;
  }

  std::vector<bool> days_;
  lxw_workbook* book_;
  lxw_worksheet* sheet_;
  lxw_format* day_;
  lxw_row_t row_ = 0;
};

}  // namespace

StatusOr<std::unique_ptr<SheetWriter>> SheetWriter::Open(const std::string& path,
                                                         const std::vector<std::string>& titles,
                                                         const std::vector<bool>& days) {
  const std::string end = absl::AsciiStrToLower(std::filesystem::path(path).extension().string());
  if (end != ".xlsx" && end != ".csv") {
    return UsageError("'" + path + "' must end in .xlsx or .csv");
  }
  const std::string partial = path + ".partial";
  const int made = ::open(partial.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (made < 0) return UsageError("'" + path + "' cannot be written");
  ::close(made);
  std::unique_ptr<SheetWriter> writer;
  if (end == ".csv") {
    writer = std::make_unique<CsvWriter>(partial);
  } else {
    writer = std::make_unique<XlsxWriter>(partial, days);
  }
  writer->path_ = path;
  writer->partial_ = partial;
  RETURN_IF_ERROR(writer->Add(titles));
  return writer;
}

SheetWriter::~SheetWriter() { ::unlink(partial_.c_str()); }

Status SheetWriter::Close() {
  RETURN_IF_ERROR(Finish());
  if (std::rename(partial_.c_str(), path_.c_str()) != 0) {
    return UsageError("'" + path_ + "' cannot be written");
  }
  return Status();
}

}  // namespace hub::ctl
