// Civil dates and the two kinds of time. A civil date is an ISO text ('2021-12-03') in messages,
// rows and rules; text order is date order. The wall clock of every series is Europe/London.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "google/protobuf/timestamp.pb.h"

namespace hub {

using Micros = int64_t;  // since 1970-01-01T00:00:00Z

bool IsDate(const std::string& text);           // a real day, written YYYY-MM-DD
absl::CivilDay ToDay(const std::string& date);  // `date` must be one (IsDate)
std::string ToText(absl::CivilDay day);
std::string AddDays(const std::string& date, int64_t days);
int64_t DaysBetween(const std::string& from, const std::string& to);  // to - from
std::string DateInWords(const std::string& date);  // '2022-07-01' -> '1 July 2022'
// The date, or where it is empty the other one.
std::string DateOr(const std::string& date, const std::string& otherwise);
bool IsWeekend(const std::string& date);

absl::TimeZone London();
std::string LondonDate(Micros at);
// The instant of a wall-clock time (HH:MM) on a date; in a gap or fold the offset before the change
// counts, as RFC 5545 says.
Micros LondonInstant(const std::string& date, const std::string& time_of_day);

google::protobuf::Timestamp ToTimestamp(Micros at);
Micros ToMicros(const google::protobuf::Timestamp& at);

}  // namespace hub
