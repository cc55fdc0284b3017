// One side's sheets, brought in at today's date by a client of the public API: members.csv and
// reps.csv as tests/data/README.md describes them. Every row is judged before the first is applied.
// It resumes, and a second time changes nothing: what is there already is left as it is.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "services/hubctl/call.h"
#include "services/hubctl/sheets.h"

namespace hub::ctl {

const std::vector<std::string>& MemberColumns();
const std::vector<std::string>& RepColumns();

// A row as the request that brings it in, without its request_id. What the row alone shows to be
// wrong is added to `complaints`.
coproduction::membership::v1::CreateMemberRequest MemberOf(const Row& row,
                                                           const std::string& parent,
                                                           std::vector<Complaint>* complaints);
// `member` is the resource name of the row's member.
coproduction::membership::v1::CreateRepRequest RepOf(const Row& row, const std::string& parent,
                                                     const std::string& member,
                                                     std::vector<Complaint>* complaints);

// The hub's refusal of a row, with the column that the refused field came from.
Complaint ComplaintOf(const Row& row, const Status& refusal);

// Prints what was wrong or what was done. Not OK where a row was refused.
Status Import(const std::string& folder, bool dry_run, const Options& options);

}  // namespace hub::ctl
