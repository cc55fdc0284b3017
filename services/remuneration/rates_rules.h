// What miles and hours are worth, by the rates of their day. Promises: the rate of the day of
// travel (of the session) applies, whenever the claim is made; an amount is rounded once, half a
// penny up; no floating point. The rates given are in the order in which they were recorded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/remuneration/v1/claim_lines.pb.h"
#include "coproduction/remuneration/v1/rates.pb.h"

namespace hub::remuneration {

namespace v1 = ::coproduction::remuneration::v1;

// Tenths of a penny on a day: of the rates from that day or before, that of the latest day; of the
// same day, the one recorded last, so that a rate can be corrected in retrospect. Empty where the
// forum has set none. [seed: rates have dates; HMRC announces some late and backdates them]
std::optional<int64_t> RateOn(const std::vector<v1::Rate>& rates, v1::Rate::Kind kind,
                              const std::string& day);

// The fee for a session, in proportion to two hours. 0 before the forum pays a fee. [ours]
int64_t FeePence(const std::vector<v1::Rate>& rates, const std::string& day, int64_t minutes);

// First day of the tax year of a day: 6 April. [HMRC]
std::string TaxYearStart(const std::string& day);
std::string TaxYearEnd(const std::string& day);

// A journey: date, vehicle, tenths of a mile and passengers of a line. By car, the miles of the tax
// year up to the threshold have one rate and the rest another; a journey that crosses it is split.
// `before` are the tenths already claimed by car in that tax year. Refused (rule no_rate) where the
// forum has set no rate for that day. [HMRC]
StatusOr<int64_t> MileagePence(const std::vector<v1::Rate>& rates, const v1::ClaimLine& journey,
                               int64_t threshold_miles, int64_t before);

}  // namespace hub::remuneration
