// The figures of the joint evaluation that engagement's own records give. All are taken as they
// stood at the end of the period's last day: what was answered, proposed or shared later does not
// count, so an old period gives the same figures again. [seed]
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/engagement/v1/evaluations.pb.h"
#include "coproduction/engagement/v1/influence.pb.h"
#include "coproduction/engagement/v1/records.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"

namespace hub::engagement {

namespace v1 = ::coproduction::engagement::v1;

// from <= to, membership_from <= to.
Status CheckPeriod(const v1::GetEvaluationRequest& in);
// The day from which growth of membership is measured: `from` where nothing else is said.
std::string MembershipFrom(const v1::GetEvaluationRequest& in);

// `accounts` are those of the period's items, `feedbacks` the answers given to them in the order
// they were given; those after `as_of` are left aside.
v1::InfluenceLedger Ledger(const std::vector<v1::InfluenceAccount>& accounts,
                           const std::vector<v1::InfluenceFeedback>& feedbacks,
                           const std::string& as_of);

// Of an even number the mean of the middle two, half a day rounded up; 0 of none.
int32_t MedianDays(std::vector<int32_t> days);

// Of the period's records, those proposed or shared late as `as_of` shows it.
v1::Share DraftsLate(const std::vector<v1::Record>& records, const std::string& as_of);
v1::Share SharesLate(const std::vector<v1::Record>& records, const std::string& as_of);

// Scheduling's own figures, into their places.
void AddFigures(const coproduction::scheduling::v1::SchedulingFigures& figures,
                v1::Evaluation* evaluation);

}  // namespace hub::engagement
