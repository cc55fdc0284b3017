#include "common/daemon/hub_methods.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "common/base/id.h"
#include "common/privacy/seal.h"

namespace hub {
namespace {

namespace options = ::coproduction::options::v1;
namespace v1 = ::coproduction::hub::v1;

constexpr int kPage = 100;
constexpr int kMostPage = 1000;

StatusOr<std::string> ReceiverOf(Ask& ask, const std::string& wanted) {
  std::string own;
  switch (ask.principal().side) {
    case options::FORUM:
      own = "forums/" + ask.forum();
      break;
    case options::PARTNER:
      own = "forums/" + ask.forum() + "/partners/" + ask.principal().partner(ask.forum());
      break;
    default:
      own = wanted.empty() ? "services" : wanted;
  }
  if (wanted.empty() || wanted == own) return own;
  return Refuse(errors::RESOURCE_NOT_FOUND,
                "there are no events of '" + wanted + "' for you; yours are those of '" + own + "'",
                wanted);
}

StatusOr<v1::ListEventsResponse> ListEvents(Process& process, Ask& ask,
                                            const v1::ListEventsRequest& in) {
  ASSIGN_OR_RETURN(std::string receiver, ReceiverOf(ask, in.receiver()));
  auto* keys = process.runtimes[0]->engine().config().keys;
  ASSIGN_OR_RETURN(std::string key, keys->NamedKey("hub", "page"));
  const std::string bound = ask.principal().key() + "\n" + receiver + "\n" + in.aggregate();
  int64_t after = 0;
  if (!in.page_token().empty()) {
    std::string bytes;
    auto opened = FromBase64Url(in.page_token(), &bytes) ? privacy::Open(key, bytes, bound)
                                                         : StatusOr<std::string>(Internal(""));
    if (!opened.ok()) {
      return Refuse(errors::PAGE_TOKEN_INVALID,
                    "page_token is not one that this list gave you; start again without it",
                    "page_token");
    }
    after = std::strtoll(opened->c_str(), nullptr, 10);
  }
  if (in.page_size() < 0) return InvalidField("page_size", "page_size is below 0");
  const int limit = in.page_size() == 0 ? kPage : std::min(in.page_size(), kMostPage);
  std::vector<std::pair<int64_t, v1::Event>> all;
  for (auto& runtime : process.runtimes) {
    std::vector<std::pair<int64_t, v1::Event>> some;
    RETURN_IF_ERROR(
        runtime->ListEvents(receiver, in.aggregate(), in.after_sequence(), after, limit, &some));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  v1::ListEventsResponse out;
  for (auto& [id, event] : all) {
    if (out.events_size() == limit) break;
    after = id;
    if (ask.principal().side != options::HUB) event.clear_data();
    *out.add_events() = std::move(event);
  }
  // A full page may have another after it; a tail comes back with the same token for what is new.
  if (out.events_size() == limit) {
    out.set_next_page_token(Base64Url(privacy::Seal(key, std::to_string(after), bound)));
  }
  return out;
}

StatusOr<v1::HubStatus> Condition(Process& process) {
  v1::HubStatus out;
  out.set_date(process.clock.Today());
  out.set_demo(process.demo);
  bool settled = true;
  for (auto& runtime : process.runtimes) {
    ASSIGN_OR_RETURN(*out.add_services(), runtime->Condition());
    const auto& one = *out.services().rbegin();
    settled &= one.unsent_events() == 0 && one.untaken_events() == 0 && one.due_timers() == 0;
  }
  out.set_settled(settled);
  return out;
}

StatusOr<v1::HubStatus> SetDate(Process& process, const v1::SetDateRequest& in) {
  if (process.clock.IsSet() && in.date() < process.clock.Today()) {
    return InvalidField("date", "date is " + in.date() + ", before the hub's date " +
                                    process.clock.Today() + "; time goes one way");
  }
  const std::string next = process.demo_file + ".next";
  std::ofstream(next) << in.date() << "\n";
  if (std::rename(next.c_str(), process.demo_file.c_str()) != 0) {
    return Internal("the date cannot be kept in " + process.demo_file);
  }
  process.clock.SetDate(in.date());
  for (auto& runtime : process.runtimes) RETURN_IF_ERROR(runtime->RunDueTimers());
  return Condition(process);
}

}  // namespace

void BindHubMethods(Door& door, Process& process) {
  door.Serve<v1::ListEventsRequest, v1::ListEventsResponse>(
      "coproduction.hub.v1.Events", "ListEvents",
      [&process](Ask& ask, const v1::ListEventsRequest& in) {
        return ListEvents(process, ask, in);
      });
  door.Serve<v1::GetStatusRequest, v1::HubStatus>(
      "coproduction.hub.v1.Hub", "GetStatus",
      [&process](Ask&, const v1::GetStatusRequest&) { return Condition(process); });
  door.Serve<v1::SetDateRequest, v1::HubStatus>(
      "coproduction.hub.v1.Hub", "SetDate",
      [&process](Ask&, const v1::SetDateRequest& in) { return SetDate(process, in); });
}

}  // namespace hub
