#include "services/hubctl/figures.h"

#include <algorithm>
#include <iostream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/base/file.h"
#include "common/base/words.h"
#include "coproduction/membership/v1/forums.pb.h"
#include "services/hubctl/chart.h"
#include "services/hubctl/output.h"
#include "services/hubctl/page.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
using v1::Publication;
using Series = std::map<int, std::vector<Publication>>;  // by question, oldest first

constexpr int kPageSize = 500;
constexpr int kWidth = 640, kBar = 22, kGap = 8, kLabel = 130;  // of a chart, in its own units

constexpr char kExplained[] =
    "Figures are made four times a year, for 1 January, April, July and October, and to the "
    "nearest "
    "5. Percentages are worked out from those rounded figures, of the people who answered. Nothing "
    "smaller than 8 is printed, two answers are never combined, and a figure is made anew only "
    "when "
    "at least 10 people's answers have come, gone or changed. A figure can be held still so that "
    "it "
    "does not give away what the latest few people said.";

Series SeriesOf(const std::vector<Publication>& publications) {
  Series series;
  for (const auto& one : publications) series[one.question()].push_back(one);
  for (auto& [question, figures] : series) {
    std::stable_sort(figures.begin(), figures.end(),
                     [](const auto& a, const auto& b) { return a.date() < b.date(); });
  }
  return series;
}

std::string FigureOf(const Publication& one) {
  return one.figure() == 0 ? "fewer than 8" : absl::StrCat("about ", one.figure());
}
std::string PercentOf(const Publication& one) {
  return one.percent() == 0 ? "" : absl::StrCat(one.percent(), "%");
}

// A bar for each date; the width of the whole is the base.
std::string Chart(const std::vector<Publication>& figures, const std::string& id) {
  const int height = static_cast<int>(figures.size()) * (kBar + kGap);
  std::string described;
  std::string bars;
  int y = 0;
  for (const auto& one : figures) {
    const int64_t width =
        one.base() == 0 ? 0 : (kWidth - kLabel) * std::min(one.figure(), one.base()) / one.base();
    absl::StrAppend(&described, one.text(), " ");
    absl::StrAppendFormat(&bars,
                          "<text x=\"0\" y=\"%d\">%s</text>"
                          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#e6e6e6\"/>"
                          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#1d4e89\"/>\n",
                          y + kBar - 6, DateInWords(one.date()), kLabel, y, kWidth - kLabel, kBar,
                          kLabel, y, width, kBar);
    y += kBar + kGap;
  }
  return Svg(id, "Of those who answered", described, kWidth, height, bars);
}

std::string TableOf(const std::vector<Publication>& figures) {
  std::string rows = Cells({"Date", "Figure", "Of so many who answered", "Per cent"}, "th");
  for (const auto& one : figures) {
    rows += Cells({DateInWords(one.date()), FigureOf(one), absl::StrCat("about ", one.base()),
                   PercentOf(one)});
  }
  return "<table>\n" + rows + "</table>\n";
}

}  // namespace

std::string FiguresPage(const std::vector<Publication>& publications, const std::string& forum,
                        const std::string& today) {
  std::string html = absl::StrCat(
      PageHead("What members say of themselves"), "<h1>What members say of themselves</h1>\n<p>",
      Html(forum), ", as printed on ", DateInWords(today), ".</p>\n<p>", kExplained, "</p>\n");
  const Series series = SeriesOf(publications);
  if (series.empty()) absl::StrAppend(&html, "<p>Fewer than 30 people answered.</p>\n");
  for (const auto& [question, figures] : series) {
    const std::string name =
        Publication::Question_Name(static_cast<Publication::Question>(question));
    absl::StrAppend(&html, "<h2>", Html(Heading(name)), "</h2>\n<p>", Html(figures.back().text()),
                    "</p>\n", Chart(figures, "q" + std::to_string(question)), TableOf(figures));
  }
  return html + kPageEnd;
}

Status ShowFigures(const std::string& page, Options options) {
  if (options.forum.empty()) {
    return UsageError("figures needs to know the forum: --forum=warwickshire or HUB_FORUM");
  }
  const Client client(options);
  v1::ListPublicationsRequest request;
  request.set_parent("forums/" + options.forum);
  request.set_page_size(kPageSize);
  v1::ListPublicationsResponse all;
  do {
    ASSIGN_OR_RETURN(const auto list, client.Call<v1::ListPublicationsResponse>(request));
    all.mutable_publications()->MergeFrom(list.publications());
    request.set_page_token(list.next_page_token());
  } while (!request.page_token().empty());
  const std::vector<Publication> publications(all.publications().begin(), all.publications().end());
  if (!page.empty()) {
    RETURN_IF_ERROR(
        ReplaceFile(page, FiguresPage(publications, request.parent(), LondonDate(MachineNow()))));
    std::cout << page << "\n";
    return Status();
  }
  if (options.format == "json") {
    std::cout << AsJson(all);
    return Status();
  }
  std::vector<std::vector<std::string>> rows = {{"question", "date", "figure", "of", "per cent"}};
  for (const auto& [question, figures] : SeriesOf(publications)) {
    const Publication& last = figures.back();
    rows.push_back({Heading(Publication::Question_Name(last.question())), last.date(),
                    FigureOf(last), absl::StrCat("about ", last.base()), PercentOf(last)});
  }
  std::cout << Table(rows, TerminalWidth());
  return Status();
}

}  // namespace hub::ctl
