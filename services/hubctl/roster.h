// 'groups compare': the sheet of an outside system's group beside the forum's.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/groups.pb.h"
#include "services/hubctl/call.h"

namespace hub::ctl {

struct CompareOf {
  std::string group;   // its name, or the last part of it
  std::string sheet;   // .xlsx or CSV, with a column of accounts or of e-mail addresses
  std::string result;  // the sheet to write: .xlsx or .csv; empty: none
};

// The rows of the sheet as the hub is asked about them.
StatusOr<std::vector<coproduction::membership::v1::RosterRow>> RosterRowsOf(
    const std::string& path);
// What is to be done, a line each: the titles, whom to add, whom to remove, whom to look at.
std::vector<std::vector<std::string>> LinesOf(
    const coproduction::membership::v1::RosterCheck& check);

// As a table or JSON, and as a sheet where one is wanted.
Status CompareRoster(const CompareOf& what, const Options& options);

}  // namespace hub::ctl
