// All sheets of the demonstration (tests/data/README.md), read and checked as far as one sheet
// shows it: columns, keys and references; and the documents beside them. What they mean is for
// those who play them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "services/hubctl/sheets.h"

namespace hub::ctl {

class Book {
 public:
  // Every complaint is printed; not OK where there is one.
  static StatusOr<std::unique_ptr<Book>> Open(const std::string& folder);

  // `name` is one of the sheets: 'requests'.
  const std::vector<Row>& rows(const std::string& name) const { return sheets_.at(name)->rows(); }
  // The row of a key that a checked column refers to.
  const Row& row(const std::string& name, const std::string& key) const {
    return *by_key_.at(name).at(key);
  }
  // The text of the 'code of conduct', the 'terms of reference' or the 'danger notice'.
  const std::string& document(const std::string& name) const { return documents_.at(name); }

 private:
  void Check(const std::string& name, const Row& row, const std::string& column,
             std::vector<Complaint>* complaints) const;

  std::map<std::string, std::unique_ptr<Sheet>> sheets_;
  std::map<std::string, std::map<std::string, const Row*>> by_key_;
  std::map<std::string, std::string> documents_;
};

// What tells a row from the others of its sheet: its key, or what it joins, as 'S01|I01|R01'.
std::string KeyOf(const Row& row);

// A list in one cell: 'O02; O01'.
std::vector<std::string> ListOf(const std::string& cell);
// '03/12/2021' -> '2021-12-03'; empty where the cell is no day.
std::string DayOf(const std::string& cell);
// '17500.00' -> 1750000 pence, '6.2' -> 62 tenths; 0 where the cell is no number.
int64_t DigitsOf(const std::string& cell);
// The enum's value of that name; the unspecified one where there is none, which the hub refuses.
template <class Enum>
Enum ValueOf(const std::string& cell, bool (*parse)(const std::string&, Enum*)) {
  Enum value{};
  parse(cell, &value);
  return value;
}

}  // namespace hub::ctl
