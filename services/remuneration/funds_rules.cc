#include "services/remuneration/funds_rules.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "services/remuneration/transfers_rules.h"

namespace hub::remuneration {
namespace {

// [seed: 'activity that is requested by WCC/CCG e.g. Projects/Task & Finish Groups']
bool NeedsItsOwn(const Purpose& purpose) {
  return !purpose.partner.empty() &&
         (purpose.kind == Activity::PROJECT || purpose.kind == Activity::TASK_AND_FINISH ||
          purpose.kind == Activity::CONSULTATION);
}

}  // namespace

Status CheckFund(const v1::Fund& fund) {
  if (fund.from_date() > fund.to_date()) {
    return InvalidField("fund.to_date", "The fund ends on " + fund.to_date() +
                                            ", before it begins on " + fund.from_date() + ".");
  }
  std::set<int> kinds(fund.pays().begin(), fund.pays().end());
  if (kinds.count(Activity::KIND_UNSPECIFIED) > 0) {
    return InvalidField("fund.pays",
                        "Name each kind of activity that the fund pays, as HUB or PROJECT.");
  }
  if (static_cast<int>(kinds.size()) != fund.pays_size()) {
    return InvalidField("fund.pays", "A kind of activity stands there twice. Name each once.");
  }
  return absl::OkStatus();
}

Status OpenedBy(const std::string& partner, v1::Fund* fund) {
  if (partner.empty()) return absl::OkStatus();
  if (fund->partner().empty()) fund->set_partner(partner);
  if (fund->partner() == partner) return absl::OkStatus();
  return InvalidField("fund.partner", "You give for " + partner + ", so fund.partner cannot be '" +
                                          fund->partner() + "'. Leave it out.");
}

bool Pays(const v1::Fund& fund, const Purpose& purpose) {
  bool own = !fund.partner().empty() && fund.partner() == purpose.partner;
  return std::count(fund.pays().begin(), fund.pays().end(), purpose.kind) > 0 &&
         fund.from_date() <= purpose.date && purpose.date <= fund.to_date() &&
         (own || (fund.partner().empty() && !NeedsItsOwn(purpose)));
}

std::vector<v1::Fund> ThatPay(std::vector<v1::Fund> funds, const Purpose& purpose) {
  std::erase_if(funds, [&](const v1::Fund& fund) { return !Pays(fund, purpose); });
  auto order = [](const v1::Fund& fund) {
    return std::make_tuple(fund.partner().empty(), fund.to_date(), fund.name());
  };
  std::sort(funds.begin(), funds.end(),
            [&](const v1::Fund& a, const v1::Fund& b) { return order(a) < order(b); });
  return funds;
}

std::string WhyUnfunded(const Purpose& purpose, const std::vector<v1::Fund>& could,
                        const std::vector<int64_t>& left_pence) {
  std::string what = Activity::Kind_Name(purpose.kind) + " on " + purpose.date;
  if (!purpose.partner.empty()) what += " asked for by " + purpose.partner;
  if (could.empty()) {
    return "No fund pays " + what + ". " +
           (NeedsItsOwn(purpose)
                ? "It needs a contribution of that partner: agree one and open it as a fund that "
                  "pays " +
                      Activity::Kind_Name(purpose.kind) + "."
                : "Open a fund that pays it, or choose a day within the period of one that does.");
  }
  std::string text = what + " cannot be paid as asked. Funds that pay it:";
  for (size_t i = 0; i < could.size(); ++i) {
    text += (i == 0 ? " " : "; ") + could[i].title() + " (" + could[i].name() + "), " +
            Pounds(left_pence[i]) + " left";
  }
  return text + ".";
}

bool NearlySpent(const v1::Fund& fund, int64_t left_pence, int64_t percent) {
  return left_pence * 100 <= fund.amount_pence() * (100 - percent);
}

}  // namespace hub::remuneration
