// Sheets as people keep them, read a row at a time, whatever their size. What a file is follows
// from its bytes, never from its name: CSV (comma, semicolon or tab; UTF-8, UTF-16 with its mark,
// else Windows-1252), or the first sheet of an .xlsx that is not hidden. What cannot be read is
// refused in words that say what to do. Whatever is wrong is named by file, line, column and
// reason, and all of it at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace hub::ctl {

// What is wrong in one place, for the person who mends it: "members.csv:14: column 'Joined': ...".
struct Complaint {
  std::string file;
  int line = 0;
  std::string column;  // empty: the row as a whole
  std::string reason;
  std::string Text() const;
};

class Mapping;

struct Row {
  int line = 0;  // where it begins, as spreadsheets count; a cell may hold lines of its own
  std::vector<std::string> cells;
  const Mapping* sheet = nullptr;
  // The cell of that heading, without spaces around it; empty where the sheet has no such column.
  const std::string& operator[](const std::string& heading) const;
};

class SheetReader {
 public:
  static StatusOr<std::unique_ptr<SheetReader>> Open(const std::string& path);
  virtual ~SheetReader() = default;
  // The next row with something in it; false at the end. Where it refuses, row->line says where.
  // A day that an .xlsx keeps as a number comes as it is written here: 03/12/2021.
  virtual StatusOr<bool> Next(Row* row) = 0;
  // What it was taken for: "CSV in Windows-1252", "the sheet 'Members', the first of 3".
  const std::string& form() const { return form_; }

 protected:
  std::string form_;
};

// What a column may be called. Case, spaces, accents and punctuation do not count.
struct Heading {
  std::string title;
  bool required = false;
  std::vector<std::string> also = {};
};

// Which column of a sheet is which heading. Where no title fits as it is, one that is near in
// spelling does: one letter off from five letters on, two from nine on, and only where it is near
// to one heading alone. What fits nowhere is not read.
class Mapping {
 public:
  Mapping(std::string file, const Row& titles, const std::vector<Heading>& headings,
          std::vector<Complaint>* complaints);

  const std::string& file() const { return file_; }
  // Where the heading's cells stand; none where the sheet has no such column.
  std::optional<size_t> Column(const std::string& heading) const;
  // As the sheet has it; the heading itself where it has no such column.
  std::string TitleOf(const std::string& heading) const;
  const std::vector<std::string>& titles() const { return titles_; }
  // A column of the sheet, the heading that it is read as, and what a person should look at.
  struct Line {
    std::string title;
    std::string heading;  // empty: not read
    std::string note;
  };
  const std::vector<Line>& lines() const { return lines_; }
  // Headings found, whatever is wrong.
  size_t found() const { return columns_.size(); }
  // Complains of what stands in a row under no title.
  void Check(const Row& row, std::vector<Complaint>* complaints) const;

 private:
  std::string file_;
  std::vector<std::string> titles_;
  std::map<std::string, size_t> columns_;
  std::vector<Line> lines_;
};

// Reads up to the titles: the first of the first rows in which two headings are found (above them
// people write what the sheet is). Else the first row, with a complaint of what is missing in it;
// none, and a complaint, without rows.
std::unique_ptr<Mapping> ReadTitles(SheetReader* reader, const std::string& file,
                                    const std::vector<Heading>& headings,
                                    std::vector<Complaint>* complaints);

// A small sheet as a whole.
class Sheet {
 public:
  // Complaints are named by the file's own name.
  Sheet(const std::string& path, const std::vector<Heading>& headings,
        std::vector<Complaint>* complaints);
  Sheet(const Sheet&) = delete;
  const std::vector<Row>& rows() const { return rows_; }
  const Mapping* mapping() const { return mapping_.get(); }

 private:
  std::unique_ptr<Mapping> mapping_;
  std::vector<Row> rows_;
};

// With what a cell begins that a spreadsheet takes for a formula. CSV has an apostrophe before it.
bool IsFormulaSign(char c);

// A day as people here write it -> '2021-12-03': 03/12/2021 or 3.12.21, day before month; 3 Dec
// 2021; 2021-12-03. Midnight behind it is passed over. Two digits are the latest such year that is
// not after `this_year`: nobody joined in the future. The refusal says what to write instead; day
// and month are never swapped to make sense of what makes none.
StatusOr<std::string> ReadDay(const std::string& text, int this_year);
StatusOr<std::string> ReadDay(const std::string& text);  // this year
std::string WriteDay(const std::string& date);           // '2021-12-03' -> '03/12/2021'

// The two formats, by SheetReader::Open.
StatusOr<std::unique_ptr<SheetReader>> OpenCsv(const std::string& path);
StatusOr<std::unique_ptr<SheetReader>> OpenXlsx(const std::string& path);

}  // namespace hub::ctl
