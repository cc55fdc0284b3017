// Sheets for people, written a row at a time: .xlsx or .csv, as the file's name ends. Readable by
// their owner alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace hub::ctl {

class SheetWriter {
 public:
  // Begins with a row of titles. In the columns of `days` a cell as 03/12/2021 is written as a day.
  // What stands at `path` is replaced when Close() has written all, and not before.
  static StatusOr<std::unique_ptr<SheetWriter>> Open(const std::string& path,
                                                     const std::vector<std::string>& titles,
                                                     const std::vector<bool>& days);
  virtual ~SheetWriter();
  virtual Status Add(const std::vector<std::string>& cells) = 0;
  Status Close();

 protected:
  virtual Status Finish() = 0;

 private:
  std::string path_, partial_;
};

}  // namespace hub::ctl
