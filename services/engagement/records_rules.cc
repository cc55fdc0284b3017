#include "services/engagement/records_rules.h"

#include <algorithm>
#include <set>

#include "common/base/bank_holidays.h"

namespace hub::engagement {

v1::Record NewRecord(const coproduction::scheduling::events::v1::ItemPresented& item,
                     const v1::EngagementSettings& settings) {
  v1::Record record;
  record.set_state(v1::Record::DRAFT);
  record.set_item(item.item());
  record.set_request(item.request());
  record.set_session(item.session());
  record.set_partner(item.partner());
  record.set_session_date(item.session_date());
  record.set_title(item.title());
  record.set_draft_due_on(AddWorkingDays(item.session_date(), settings.draft_working_days()));
  record.set_share_due_on(AddWorkingDays(item.session_date(), settings.share_working_days()));
  return record;
}

std::string RecordName(const std::string& item) {
  return std::string(item).replace(item.rfind("/items/"), 7, "/records/");
}

bool IsSealed(const v1::Record& record) {
  return record.state() == v1::Record::AGREED || record.state() == v1::Record::SHARED;
}

v1::Point NewPoint(const v1::AddPointRequest& in, const v1::Record& record,
                   const std::string& today) {
  v1::Point point;
  point.set_record(record.name());
  point.set_position(record.points() + 1);
  point.set_kind(in.kind());
  point.set_text(in.text());
  if (!in.corrects().empty()) point.set_corrects(in.corrects());
  point.set_partner(record.partner());
  point.set_added_on(today);
  return point;
}

Status MayAdd(const v1::Point& point, const v1::Record& record,
              const std::optional<v1::Point>& corrected, const v1::EngagementSettings& settings) {
  if (record.points() >= settings.most_points()) {
    return RuleRefused("record_full", record.name() + " has " + std::to_string(record.points()) +
                                          " points, the most that a record takes");
  }
  if (corrected && corrected->record() != record.name()) {
    return InvalidField("corrects", "corrects is '" + point.corrects() +
                                        "', a point of another record; name one of " +
                                        record.name());
  }
  if (IsSealed(record) && !corrected) {
    return RuleRefused("record_sealed", record.name() +
                                            " is agreed and sealed; a correction names the point "
                                            "that it corrects in 'corrects'");
  }
  return Status();
}

Status MayPropose(const v1::Record& record) {
  if (record.points() > 0) return Status();
  return RuleRefused("record_empty", record.name() + " has no point yet; add what was said first");
}

std::string SealsOn(const v1::Record& record, const v1::EngagementSettings& settings,
                    const std::string& today) {
  return std::max(AddWorkingDays(record.session_date(), settings.silence_working_days()),
                  AddWorkingDays(today, settings.silence_notice_working_days()));
}

bool IsSilent(const v1::Record& record, const std::string& today) {
  return record.state() == v1::Record::PROPOSED && record.has_seals_on() &&
         record.seals_on() <= today;
}

void TakeBackWords(v1::Record* record) {
  record->clear_agreement();
  record->clear_seals_on();
}

std::string CanonicalContent(const std::string& item, std::vector<v1::Point> points) {
  std::sort(points.begin(), points.end(),
            [](const auto& a, const auto& b) { return a.position() < b.position(); });
  std::string content;
  auto add = [&](const std::string& part) { content += std::to_string(part.size()) + ":" + part; };
  add(item);
  for (const auto& point : points) {
    add(std::to_string(point.position()));
    add(v1::Point::Kind_Name(point.kind()));
    add(point.corrects());
    add(point.text());
  }
  return content;
}

bool IsLate(const std::string& due_on, const std::string& done_on, const std::string& as_of) {
  const bool done = !done_on.empty() && done_on <= as_of;
  return (done ? done_on : as_of) > due_on;
}

std::vector<v1::Point> ViewsToAnswer(const std::vector<v1::Point>& points) {
  std::set<std::string> corrected;
  for (const auto& point : points) corrected.insert(point.corrects());
  std::vector<v1::Point> views;
  for (const auto& point : points) {
    if (point.kind() == v1::Point::VIEW && corrected.count(point.name()) == 0) {
      views.push_back(point);
    }
  }
  return views;
}

}  // namespace hub::engagement
