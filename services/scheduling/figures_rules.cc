#include "services/scheduling/figures_rules.h"

#include <map>
#include <string>
#include <utility>

#include "services/scheduling/requests_rules.h"

namespace hub::scheduling {
namespace {

void Count(bool yes, v1::Share* share) {
  share->set_of(share->of() + 1);
  if (yes) share->set_count(share->count() + 1);
}

}  // namespace

v1::SchedulingFigures Figures(const std::vector<v1::Session>& sessions,
                              const std::vector<v1::Item>& items,
                              const std::vector<v1::EngagementRequest>& requests,
                              int64_t lead_days) {
  v1::SchedulingFigures figures;
  std::map<std::string, std::string> date_of;
  for (const auto& session : sessions) {
    date_of[session.name()] = session.date();
    if (session.state() != v1::Session::HELD) continue;
    if (session.series() == v1::Session::PREP) {
      figures.set_prep_sessions(figures.prep_sessions() + 1);
    } else if (session.series() == v1::Session::HUB) {
      Count(session.quorate(), figures.mutable_quorate());
    }
  }
  std::map<v1::EngagementRequest::Workstream, int32_t> by_workstream;
  std::map<std::pair<v1::Decision::Stage, v1::Decision::Stage>, int32_t> by_stages;
  for (const auto& item : items) {
    if (item.state() != v1::Item::PRESENTED) continue;
    figures.set_items_presented(figures.items_presented() + 1);
    ++by_workstream[item.workstream()];
    Count(item.stage_claimed() == v1::Decision::DECIDED, figures.mutable_decided());
    Count(item.minutes_actual() > item.minutes_planned(), figures.mutable_overruns());
    if (item.stage_felt() != v1::Decision::STAGE_UNSPECIFIED) {
      ++by_stages[{item.stage_claimed(), item.stage_felt()}];
    }
  }
  for (const auto& request : requests) {
    Count(IsLate(request.submit_date(), date_of.at(request.session()), lead_days),
          figures.mutable_late());
  }
  for (const auto& [workstream, count] : by_workstream) {
    auto* entry = figures.add_items_by_workstream();
    entry->set_workstream(v1::EngagementRequest::Workstream_Name(workstream));
    entry->set_count(count);
  }
  for (const auto& [stages, count] : by_stages) {
    auto* entry = figures.add_claimed_against_felt();
    entry->set_claimed(stages.first);
    entry->set_felt(stages.second);
    entry->set_count(count);
  }
  return figures;
}

}  // namespace hub::scheduling
