#include "coproduction/scheduling/v1/settings.pb.h"

#include "common/rpc/door.h"

namespace hub::scheduling {

namespace v1 = ::coproduction::scheduling::v1;

static StatusOr<v1::SchedulingSettings> GetSchedulingSettings(
    Read& read, const v1::GetSchedulingSettingsRequest&) {
  return read.Settings<v1::SchedulingSettings>();
}

static StatusOr<v1::SchedulingSettings> UpdateSchedulingSettings(
    Write& write, const v1::UpdateSchedulingSettingsRequest& in) {
  const v1::SchedulingSettings& body = in.scheduling_settings();
  ASSIGN_OR_RETURN(auto stored, write.Find<v1::SchedulingSettings>(body.name()));
  if (!stored) RETURN_IF_ERROR(write.Create(v1::SchedulingSettings()).status());
  ASSIGN_OR_RETURN(auto settings, write.Merge(body, in.update_mask()));
  RETURN_IF_ERROR(write.Put(std::move(settings)).status());
  return write.Settings<v1::SchedulingSettings>();
}

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

static StatusOr<v1::ListSchoolHolidaysResponse> ListSchoolHolidays(
    Read& read, const v1::ListSchoolHolidaysRequest& in) {
  return read.List<v1::ListSchoolHolidaysResponse>(in);
}

void BindSettings(Door& door) {
  const char settings[] = "coproduction.scheduling.v1.Settings";
  door.Bind(settings, "GetSchedulingSettings", GetSchedulingSettings);
  door.Bind(settings, "UpdateSchedulingSettings", UpdateSchedulingSettings);
  const char holidays[] = "coproduction.scheduling.v1.SchoolHolidays";
  door.Bind(holidays, "CreateSchoolHoliday", CreateSchoolHoliday);
  door.Bind(holidays, "ListSchoolHolidays", ListSchoolHolidays);
}

}  // namespace hub::scheduling
