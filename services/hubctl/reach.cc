#include "services/hubctl/reach.h"

#include <algorithm>
#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/base/file.h"
#include "coproduction/membership/v1/members.pb.h"
#include "services/hubctl/chart.h"
#include "services/hubctl/output.h"
#include "services/hubctl/page.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
using Members = std::map<std::string, int64_t>;  // by date
using Row = std::vector<std::string>;

std::string Growth(const v1::ReachFigure& before, const v1::ReachFigure& now) {
  const int64_t more = now.value() - before.value();
  if (before.value() == 0) return absl::StrFormat("%+d", more);
  return absl::StrFormat("%+d (%+.1f%%)", more,
                         100.0 * static_cast<double>(more) / static_cast<double>(before.value()));
}

std::string Share(const v1::ReachFigure& figure, const Members& members) {
  const auto found = members.find(figure.date());
  if (found == members.end() || found->second == 0) return "";
  return absl::StrFormat(
      "%.1f%% of %d",
      100.0 * static_cast<double>(figure.value()) / static_cast<double>(found->second),
      found->second);
}

std::string What(const v1::ReachSeries& series) {
  return absl::StrCat(series.unit(), " (", series.source(),
                      series.period_days() == 0
                          ? ""
                          : absl::StrCat(", in the ", series.period_days(), " days to the date"),
                      ")");
}

// Date, value, growth and share of each figure.
std::vector<Row> RowsOf(const v1::ReachSeries& series, const Members& members) {
  std::vector<Row> rows;
  const auto figures = Standing(series);
  for (size_t i = 0; i < figures.size(); ++i) {
    rows.push_back({figures[i].date(), absl::StrCat(figures[i].value()),
                    i == 0 ? "" : Growth(figures[i - 1], figures[i]), Share(figures[i], members)});
  }
  return rows;
}

// Only who may see the forum's counts gets them; to others the rest is shown.
StatusOr<Members> CountedOn(const Client& client, const std::string& parent,
                            const std::set<std::string>& dates) {
  Members members;
  for (const std::string& date : dates) {
    v1::GetMembershipFiguresRequest request;
    request.set_parent(parent);
    request.set_from(date);
    request.set_to(date);
    request.set_membership_from(date);
    const auto figures = client.Call<v1::MembershipFigures>(request);
    if (ReasonOf(figures.status()) == errors::ROLE_NOT_ALLOWED) return Members();
    RETURN_IF_ERROR(figures.status());
    members[date] = figures->members_end();
  }
  return members;
}

}  // namespace

std::vector<v1::ReachFigure> Standing(const v1::ReachSeries& series) {
  std::set<int> corrected;
  for (const auto& one : series.figures()) corrected.insert(one.corrects());
  std::vector<v1::ReachFigure> figures;
  for (const auto& one : series.figures()) {
    if (corrected.count(one.number()) == 0) figures.push_back(one);
  }
  std::sort(figures.begin(), figures.end(),
            [](const auto& a, const auto& b) { return a.date() < b.date(); });
  return figures;
}

std::string ReachPage(const std::vector<v1::ReachSeries>& all, const Members& members,
                      const std::string& forum, const std::string& today) {
  std::string html = absl::StrCat(PageHead("Reach"), "<h1>Reach</h1>\n<p>", Html(forum),
                                  ", as known on ", DateInWords(today), ".</p>\n");
  if (all.empty()) html += "<p>No series is kept.</p>\n";
  int number = 0;
  for (const auto& series : all) {
    absl::StrAppend(&html, "<h2>", Html(series.display_name()), "</h2>\n");
    const auto figures = Standing(series);
    if (figures.empty()) {
      html += "<p>No figure yet.</p>\n";
      continue;
    }
    absl::StrAppend(&html, "<p>", DateInWords(figures.back().date()), ": ", figures.back().value(),
                    " ", Html(What(series)), ".</p>\n");
    std::vector<std::pair<std::string, int64_t>> values;
    for (const auto& one : figures) values.emplace_back(one.date(), one.value());
    html += LineChart("s" + std::to_string(++number), series.display_name(), values);
    html +=
        "<table>\n" + Cells({"Date", "Figure", "Since the one before", "Beside the members"}, "th");
    for (Row row : RowsOf(series, members)) {
      row[0] = DateInWords(row[0]);
      html += Cells(row);
    }
    html += "</table>\n";
    const int wrong = series.figures_size() - static_cast<int>(figures.size());
    if (wrong > 0) absl::StrAppend(&html, "<p>Figures corrected since: ", wrong, ".</p>\n");
  }
  return html + kPageEnd;
}

Status ShowReach(const std::string& page, const Options& options) {
  v1::ListReachSeriesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), ForumFor("reach show", options));
  const Client client(options);
  ASSIGN_OR_RETURN(const auto all, AllPages<v1::ListReachSeriesResponse>(client, request));
  if (page.empty() && WantsJson(options.format)) {
    std::cout << AsJson(all);
    return Status();
  }
  std::set<std::string> dates;
  for (const auto& series : all.reach_series()) {
    for (const auto& one : Standing(series)) dates.insert(one.date());
  }
  ASSIGN_OR_RETURN(const Members members, CountedOn(client, request.parent(), dates));
  if (!page.empty()) {
    RETURN_IF_ERROR(
        ReplaceFile(page, ReachPage({all.reach_series().begin(), all.reach_series().end()}, members,
                                    request.parent(), LondonDate(MachineNow()))));
    std::cout << page << "\n";
    return Status();
  }
  std::vector<Row> rows = {
      {"series", "date", "figure", "since the one before", "beside the members"}};
  for (const auto& series : all.reach_series()) {
    const auto figures = RowsOf(series, members);
    if (figures.empty()) continue;
    Row row = figures.back();
    row.insert(row.begin(), series.display_name());
    rows.push_back(std::move(row));
  }
  std::cout << Table(rows, TerminalWidth());
  return Status();
}

}  // namespace hub::ctl
