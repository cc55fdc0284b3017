#include "coproduction/scheduling/v1/settings.pb.h"

#include "common/rpc/door.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

static StatusOr<v1::SchoolHoliday> CreateSchoolHoliday(Write& write,
                                                       const v1::CreateSchoolHolidayRequest& in) {
  const v1::SchoolHoliday& holiday = in.school_holiday();
  if (holiday.last_date() < holiday.first_date()) {
    return InvalidField("school_holiday.last_date", "the holiday ends on " + holiday.last_date() +
                                                        ", before it begins on " +
                                                        holiday.first_date());
  }
  return write.Create(holiday);
}

void BindSchoolHolidays(Door& door) {
  const char service[] = "coproduction.scheduling.v1.SchoolHolidays";
  door.Bind(service, "CreateSchoolHoliday", CreateSchoolHoliday);
}

}  // namespace hub::scheduling
