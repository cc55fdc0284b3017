// Sheets as people keep them: CSV in UTF-8 with a header line. Whatever is wrong is named by file,
// line, column and reason, and all of it at once.
#pragma once

#include <map>
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

class Sheet;

struct Row {
  int line = 0;  // where it begins; a cell may hold lines of its own
  std::vector<std::string> cells;
  const Sheet* sheet = nullptr;
  // The cell of that column, without spaces around it; the sheet has the column.
  const std::string& operator[](const std::string& column) const;
};

class Sheet {
 public:
  // `file` is only told; `text` is the content. Every complaint about its form goes to
  // `complaints`; what can be read is in the sheet all the same. `columns` must be there, and no
  // others.
  Sheet(const std::string& file, const std::string& text, const std::vector<std::string>& columns,
        std::vector<Complaint>* complaints);
  Sheet(const Sheet&) = delete;

  const std::string& file() const { return file_; }
  const std::vector<Row>& rows() const { return rows_; }
  size_t Column(const std::string& name) const { return columns_.at(name); }

 private:
  void ReadHeader(const Row& header, const std::vector<std::string>& columns,
                  std::vector<Complaint>* complaints);

  std::string file_;
  std::vector<Row> rows_;
  std::map<std::string, size_t> columns_;
};

// '03/12/2021' -> '2021-12-03'; false if it is no day so written.
bool ReadDay(const std::string& text, std::string* date);

}  // namespace hub::ctl
