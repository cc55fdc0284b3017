// Which fund pays what. The rule goes by the kind of activity [seed]: a grant pays the hub, its
// prep sessions, boards and the forum's priorities, also when a council's item is heard there; a
// project, a task and finish group or a consultation that a partner asks for needs a contribution
// of that partner ('shared contribution'), or is refused with the funds that could pay.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/remuneration/v1/funds.pb.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;
using Activity = ::coproduction::scheduling::v1::Activity;

// What money is for: the kind of activity, the partner that asks for it (empty: the forum), its
// day.
struct Purpose {
  Activity::Kind kind;
  std::string partner;
  std::string date;
};

// Whether a fund can be as described.
Status CheckFund(const v1::Fund& fund);

// A partner, where one opens it (empty: the forum does), gives its own contribution and no other
// fund.
Status OpenedBy(const std::string& partner, v1::Fund* fund);

// Whether it may pay the activity, money left aside. A partner's contribution pays only what that
// partner asks for; what needs a contribution of its own is paid by nothing else.
bool Pays(const v1::Fund& fund, const Purpose& purpose);

// Those of `funds` that may pay it, in the order in which they are asked: the partner's own
// contribution, then the fund that ends first, so that none lapses unspent.
std::vector<v1::Fund> ThatPay(std::vector<v1::Fund> funds, const Purpose& purpose);

// Why it cannot be paid as asked, and what would help: the funds that pay such an activity
// (`could`), each with what it has left, or where there is none, how there can be one.
std::string WhyUnfunded(const Purpose& purpose, const std::vector<v1::Fund>& could,
                        const std::vector<int64_t>& left_pence);

// Whether a fund of which so much is left counts as nearly spent.
bool NearlySpent(const v1::Fund& fund, int64_t left_pence, int64_t percent);

}  // namespace hub::remuneration
