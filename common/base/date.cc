#include "common/base/date.h"

#include <cstdio>

namespace hub {

bool IsDate(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (int i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  return ToText(ToDay(text)) == text;  // 30 February would come back as another day
}

absl::CivilDay ToDay(const std::string& date) {
  int year = 1970, month = 1, day = 1;
  std::sscanf(date.c_str(), "%4d-%2d-%2d", &year, &month, &day);
  return absl::CivilDay(year, month, day);
}

std::string ToText(absl::CivilDay day) {
  char text[24];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", static_cast<int>(day.year()), day.month(),
                day.day());
  return text;
}

std::string AddDays(const std::string& date, int64_t days) { return ToText(ToDay(date) + days); }

int64_t DaysBetween(const std::string& from, const std::string& to) {
  return ToDay(to) - ToDay(from);
}

std::string DateInWords(const std::string& date) {
  return absl::FormatTime("%-d %B %Y", absl::FromCivil(ToDay(date), absl::UTCTimeZone()),
                          absl::UTCTimeZone());
}

std::string DateOr(const std::string& date, const std::string& otherwise) {
  return date.empty() ? otherwise : date;
}

bool IsWeekend(const std::string& date) {
  auto weekday = absl::GetWeekday(ToDay(date));
  return weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
}

absl::TimeZone London() {
  static const absl::TimeZone zone = [] {
    absl::TimeZone loaded;
    absl::LoadTimeZone("Europe/London", &loaded);
    return loaded;
  }();
  return zone;
}

std::string LondonDate(Micros at) {
  return ToText(absl::ToCivilDay(absl::FromUnixMicros(at), London()));
}

Micros LondonInstant(const std::string& date, const std::string& time_of_day) {
  int hour = 0, minute = 0;
  std::sscanf(time_of_day.c_str(), "%2d:%2d", &hour, &minute);
  auto day = ToDay(date);
  return absl::ToUnixMicros(absl::FromCivil(
      absl::CivilMinute(day.year(), day.month(), day.day(), hour, minute), London()));
}

google::protobuf::Timestamp ToTimestamp(Micros at) {
  google::protobuf::Timestamp stamp;
  int64_t seconds = at / 1000000, rest = at % 1000000;
  if (rest < 0) rest += 1000000, --seconds;
  stamp.set_seconds(seconds);
  stamp.set_nanos(static_cast<int32_t>(rest * 1000));
  return stamp;
}

Micros ToMicros(const google::protobuf::Timestamp& at) {
  return at.seconds() * 1000000 + at.nanos() / 1000;
}

}  // namespace hub
