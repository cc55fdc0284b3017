#include "services/remuneration/rates_rules.h"

#include <algorithm>

#include "common/base/date.h"

namespace hub::remuneration {
namespace {

constexpr int64_t kTenths = 10;       // of a mile in a mile, of a penny in a penny
constexpr int64_t kFeeMinutes = 120;  // a fee is set for two hours

// Neither is negative.
int64_t HalfUp(int64_t amount, int64_t of) { return (2 * amount + of) / (2 * of); }

StatusOr<int64_t> NeededRate(const std::vector<v1::Rate>& rates, v1::Rate::Kind kind,
                             const std::string& day) {
  auto rate = RateOn(rates, kind, day);
  if (rate.has_value()) return *rate;
  return RuleRefused("no_rate", "No rate of kind " + v1::Rate::Kind_Name(kind) + " is set for " +
                                    day +
                                    ". The treasurer or the chair can set one from that day "
                                    "or from a day before it.");
}

}  // namespace

std::optional<int64_t> RateOn(const std::vector<v1::Rate>& rates, v1::Rate::Kind kind,
                              const std::string& day) {
  const v1::Rate* best = nullptr;
  for (const auto& rate : rates) {
    if (rate.kind() != kind || rate.from_date() > day) continue;
    if (best == nullptr || rate.from_date() >= best->from_date()) best = &rate;
  }
  return best == nullptr ? std::nullopt : std::optional<int64_t>(best->tenth_pence());
}

int64_t FeePence(const std::vector<v1::Rate>& rates, const std::string& day, int64_t minutes) {
  return HalfUp(RateOn(rates, v1::Rate::FEE_TWO_HOURS, day).value_or(0) * minutes,
                kTenths * kFeeMinutes);
}

std::string TaxYearStart(const std::string& day) {
  auto civil = ToDay(day);
  absl::CivilDay start(civil.year(), 4, 6);
  return ToText(civil < start ? absl::CivilDay(civil.year() - 1, 4, 6) : start);
}

std::string TaxYearEnd(const std::string& day) {
  auto start = ToDay(TaxYearStart(day));
  return ToText(absl::CivilDay(start.year() + 1, 4, 5));
}

StatusOr<int64_t> MileagePence(const std::vector<v1::Rate>& rates, const v1::ClaimLine& journey,
                               int64_t threshold_miles, int64_t before) {
  const std::string& day = journey.date();
  const int64_t miles = journey.tenths_of_miles();
  int64_t amount = 0;  // hundredths of a penny
  auto add = [&](v1::Rate::Kind kind, int64_t tenths) -> Status {
    if (tenths == 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(int64_t rate, NeededRate(rates, kind, day));
    amount += rate * tenths;
    return absl::OkStatus();
  };
  if (journey.vehicle() == v1::ClaimLine::CAR) {
    int64_t full = std::clamp<int64_t>(threshold_miles * kTenths - before, 0, miles);
    RETURN_IF_ERROR(add(v1::Rate::MILEAGE_CAR, full));
    RETURN_IF_ERROR(add(v1::Rate::MILEAGE_CAR_AFTER_THRESHOLD, miles - full));
    RETURN_IF_ERROR(add(v1::Rate::PASSENGER, miles * journey.passengers()));
  } else {
    RETURN_IF_ERROR(add(
        journey.vehicle() == v1::ClaimLine::CYCLE ? v1::Rate::CYCLE : v1::Rate::MOTORCYCLE, miles));
  }
  return HalfUp(amount, kTenths * kTenths);
}

}  // namespace hub::remuneration
