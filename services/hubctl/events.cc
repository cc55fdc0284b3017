#include "services/hubctl/events.h"

#include <chrono>
#include <iostream>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/date.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::hub::v1;

constexpr char kForumPlatform[] = "wpcv";
constexpr char kServices[] = "services";

// 'coproduction.scheduling.events.v1.ItemPresented' -> 'scheduling ItemPresented'
std::string ShortType(const std::string& type) {
  const size_t begin = type.find('.') + 1;
  return type.substr(begin, type.find('.', begin) - begin) + " " + type.substr(type.rfind('.') + 1);
}

std::string Line(const v1::Event& event) {
  const std::string at =
      absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMicros(ToMicros(event.time())), London());
  return absl::StrCat(at, "  ", Fit(ShortType(event.type()), 40), "  ", event.subject(),
                      "  version ", event.version(), ", number ", event.sequence(), "\n");
}

// Reads from a page on, and knows where the last one ended.
class Reader {
 public:
  Reader(const Client& client, v1::ListEventsRequest request)
      : client_(client), request_(std::move(request)) {}

  // The events that came since the last call.
  StatusOr<std::vector<v1::Event>> Read() {
    std::vector<v1::Event> events;
    while (true) {
      ASSIGN_OR_RETURN(auto page, client_.Call<v1::ListEventsResponse>(request_));
      for (v1::Event& event : *page.mutable_events()) {
        if (seen_.insert(event.id()).second) events.push_back(std::move(event));
      }
      if (page.next_page_token().empty()) return events;
      request_.set_page_token(page.next_page_token());
      seen_.clear();
    }
  }

 private:
  const Client& client_;
  v1::ListEventsRequest request_;
  std::set<std::string> seen_;  // ids of this page that were given out
};

v1::ListEventsRequest RequestFor(const std::string& receiver, const std::string& forum) {
  v1::ListEventsRequest request;
  const std::string parent = "forums/" + forum;
  const bool services = receiver == kServices;
  request.set_parent(services ? "forums/-" : parent);
  request.set_receiver(services                          ? kServices
                       : receiver == kForumPlatform      ? parent
                       : receiver.starts_with("forums/") ? receiver
                                                         : parent + "/partners/" + receiver);
  request.set_page_size(kPageSize);
  return request;
}

std::string Summary(const std::map<std::string, int>& counts) {
  std::vector<std::vector<std::string>> rows = {{"from", "event", "count"}};
  int all = 0;
  for (const auto& [type, count] : counts) {
    const size_t space = type.find(' ');
    rows.push_back({type.substr(0, space), type.substr(space + 1), absl::StrCat(count)});
    all += count;
  }
  rows.push_back({"", "in all", absl::StrCat(all)});
  return Table(rows, TerminalWidth());
}

}  // namespace

Status TailEvents(const Tail& tail, Options options) {
  if (tail.receiver != kServices) RETURN_IF_ERROR(ForumFor("events tail", options).status());
  options = SpeakingAs(tail.receiver == kServices        ? "service"
                       : tail.receiver == kForumPlatform ? "membership_platform"
                                                         : "case_system",
                       std::move(options));
  const Client client(options);
  Reader reader(client, RequestFor(tail.receiver, options.forum));
  const bool json = options.format == "json";
  std::map<std::string, int> counts;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::Event> events, reader.Read());
    for (const v1::Event& event : events) {
      ++counts[ShortType(event.type())];
      if (!tail.count) std::cout << (json ? AsJson(event) : Line(event));
    }
    std::cout << std::flush;
    if (!tail.follow) break;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  if (tail.count && json) {
    std::string text;
    for (const auto& [type, count] : counts) {
      absl::StrAppend(&text, text.empty() ? "" : ",", "\"", type.substr(type.find(' ') + 1),
                      "\":", count);
    }
    std::cout << "{" << text << "}\n";
  } else if (tail.count || !json) {
    std::cout << (tail.count ? "" : "\n") << Summary(counts);
  }
  return Status();
}

}  // namespace hub::ctl
