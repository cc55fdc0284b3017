#include "services/hubctl/crossings.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/date.h"
#include "coproduction/hub/v1/hub.pb.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::hub::v1;

std::string At(const v1::Crossing& crossing) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMicros(ToMicros(crossing.time())),
                          London());
}

}  // namespace

Status ShowCrossings(const CrossingsOf& what, Options options) {
  v1::ListCrossingsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), ForumFor("crossings", options));
  options = SpeakingAs("chair", std::move(options));
  request.set_partner(what.partner.starts_with("forums/")
                          ? what.partner
                          : request.parent() + "/partners/" + what.partner);
  request.set_from(what.from);
  request.set_to(what.to);
  request.set_person(LastPart(what.person, '/'));
  request.set_page_size(kPageSize);
  ASSIGN_OR_RETURN(auto whole, WholeOf<v1::ListCrossingsResponse>(options, request));
  auto& all = *whole.mutable_crossings();
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return ToMicros(a.time()) < ToMicros(b.time());
  });
  if (options.format == "json") {
    std::cout << AsJson(whole);
    return Status();
  }
  std::vector<std::vector<std::string>> rows;
  if (what.count) {
    rows.push_back({"entry", "data", "by", "count"});
    std::map<std::tuple<std::string, std::string, std::string>, int> counts;
    for (const auto& one : all) {
      ++counts[{LastPart(one.sharing_entry(), '/'), one.data(), LastPart(one.by(), '.')}];
    }
    for (const auto& [kind, count] : counts) {
      rows.push_back(
          {std::get<0>(kind), std::get<1>(kind), std::get<2>(kind), absl::StrCat(count)});
    }
  } else {
    rows.push_back({"time", "entry", "data", "person", "by", "resource", "to"});
    for (const auto& one : all) {
      rows.push_back({At(one), LastPart(one.sharing_entry(), '/'), one.data(), one.person(),
                      LastPart(one.by(), '.'), one.resource(), one.to()});
    }
  }
  std::cout << Table(rows, TerminalWidth()) << all.size() << " crossings\n";
  return Status();
}

}  // namespace hub::ctl
