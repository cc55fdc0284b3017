// Sheets of members and reps, brought in at today's date by a client of the public API. All rows
// are judged, by their form and by the hub, before the first is applied; where one is wrong nothing
// is. It resumes, and a second time changes nothing, however much later: what is there already is
// left as it is. Its memory does not grow with the rows but for a few bytes of each.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/hubctl/call.h"
#include "services/hubctl/sheets.h"

namespace hub::ctl {

const std::vector<Heading>& MemberHeadings();
const std::vector<Heading>& RepHeadings();

// A row as the request that brings it in, without its request_id. What the row alone shows to be
// wrong is added to `complaints`.
coproduction::membership::v1::CreateMemberRequest MemberOf(const Row& row,
                                                           const std::string& parent,
                                                           std::vector<Complaint>* complaints);
// `member` is the resource name of the row's member.
coproduction::membership::v1::CreateRepRequest RepOf(const Row& row, const std::string& parent,
                                                     const std::string& member,
                                                     std::vector<Complaint>* complaints);
// The day in that column, empty where there is none; complains of what is no day.
std::string DayIn(const Row& row, const std::string& heading, std::vector<Complaint>* complaints);

// What the row is known again by: its key, else one made of names and way to be reached.
std::string SourceKey(const Row& row);

// A member as the cells of a row, and their titles: what MemberOf() reads as the same member. The
// key is the one that the member came with, else the last part of the name.
std::vector<std::string> MemberTitles();
std::vector<std::string> CellsOf(const coproduction::membership::v1::Member& member);
// Whether the hub keeps what stands under it, and whether that is a day.
bool IsKept(const std::string& heading);
bool IsDay(const std::string& heading);

// The hub's refusal of a row, with the column that the refused field came from.
Complaint ComplaintOf(const Row& row, const Status& refusal);

struct ImportOf {
  std::string path;  // a sheet of members, or a folder with members and reps (.xlsx or .csv)
  bool dry_run = false;
  std::string result;  // the sheet to write: the rows as they were fed, and what is to be mended
};

// Prints how the columns are read, what is wrong and what was done. Not OK where a row was refused.
Status Import(const ImportOf& what, const Options& options);

}  // namespace hub::ctl
