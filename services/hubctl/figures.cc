#include "services/hubctl/figures.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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
using v1::Figure;
using v1::Publication;
using Series = std::map<int, std::vector<Publication>>;  // by question, oldest first

constexpr int kWidth = 640, kBar = 22, kGap = 8, kLabel = 130;  // of a chart, in its own units

constexpr char kExplained[] =
    "Figures are made four times a year, for 1 January, April, July and October, and to the "
    "nearest "
    "5. Percentages are worked out from those rounded figures, of the people who answered. Nothing "
    "smaller than 8 is printed, two answers are never combined, and a figure is made anew only "
    "when "
    "at least 10 people's answers have come, gone or changed. A figure can be held still so that "
    "it "
    "does not give away what the latest few people said. (Why: a percentage like 0.7% can point to "
    "one parent.)";
constexpr char kExplainedNational[] =
    "Figures are made four times a year, for 1 January, April, July and October, and to the "
    "nearest "
    "50, of the members of all forums that have figures. Percentages are worked out from those "
    "rounded figures, of the people who answered. Nothing smaller than 75 is printed, and a figure "
    "is made anew only when at least 10 forums have new ones and 100 people's answers have come or "
    "gone.";

bool National(const std::string& forum) { return forum == "forums/national"; }

Series SeriesOf(const v1::ListPublicationsResponse& all) {
  Series series;
  for (const auto& one : all.publications()) series[one.question()].push_back(one);
  for (auto& [question, figures] : series) {
    std::stable_sort(figures.begin(), figures.end(),
                     [](const auto& a, const auto& b) { return a.date() < b.date(); });
  }
  return series;
}

std::string TextOf(const Figure& one, bool national) {
  if (one.figure() != 0) return absl::StrCat("about ", one.figure());
  return national ? "fewer than 75" : "fewer than 8";
}

// 'Members on 1 July 2022: 254.'; empty where nothing but what was imported is there.
std::string MembersText(const v1::ListPublicationsResponse& all) {
  const Publication* last = nullptr;
  for (const auto& one : all.publications()) {
    if (!one.imported() && (last == nullptr || one.date() > last->date())) last = &one;
  }
  if (last == nullptr) return "";
  return absl::StrCat("Members on ", DateInWords(last->date()), ": ", last->members(), ".");
}

std::string CellText(const Figure& one, bool national) {
  return absl::StrCat(TextOf(one, national), one.percent().empty() ? "" : " (", one.percent(),
                      one.percent().empty() ? "" : ")");
}

// Two questions together: the answers to the second down, to the first across, and whoever answered
// both in the margins; the first row and column are headers. Empty for one question.
std::vector<std::vector<std::string>> Crossed(const Publication& of, bool national) {
  std::vector<const Figure*> across, down;
  std::map<std::pair<int, int>, std::string> cells;
  for (const auto& one : of.figures()) {
    if (one.also() == 0) across.push_back(&one);
    if (one.answer() == 0) down.push_back(&one);
    cells[{one.answer(), one.also()}] = CellText(one, national);
  }
  if (down.empty()) return {};
  constexpr char kAll[] = "all who answered both";
  cells[{0, 0}] = absl::StrCat("about ", of.base());
  auto row = [&](const std::string& words, int also) {
    std::vector<std::string> texts = {words};
    for (const Figure* one : across) texts.push_back(cells[{one->answer(), also}]);
    texts.push_back(cells[{0, also}]);
    return texts;
  };
  std::vector<std::vector<std::string>> rows = {{""}};
  for (const Figure* one : across) rows[0].push_back(one->words());
  rows[0].emplace_back(kAll);
  for (const Figure* one : down) rows.push_back(row(one->words(), one->also()));
  rows.push_back(row(kAll, 0));
  return rows;
}

std::string CrossedTable(const Publication& of, bool national) {
  const auto rows = Crossed(of, national);
  if (rows.empty()) return "";
  std::string html = absl::StrCat("<table>\n<caption>", DateInWords(of.date()), "</caption>\n");
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string cells;
    for (size_t j = 0; j < rows[i].size(); ++j) {
      const std::string tag = i == 0 ? "th scope=\"col\"" : j == 0 ? "th scope=\"row\"" : "td";
      absl::StrAppend(&cells, "<", tag, ">", Html(rows[i][j]), "</", tag.substr(0, 2), ">");
    }
    absl::StrAppend(&html, "<tr>", cells, "</tr>\n");
  }
  return html + "</table>\n";
}

// What is printed of a question now.
std::string Printed(const Publication& last, const std::string& latest_date) {
  std::string text = last.text();
  if (last.imported()) absl::StrAppend(&text, " (Published before the hub.)");
  if (last.date() >= latest_date) return text;
  return absl::StrCat(text, " No update this quarter (last: ", DateInWords(last.date()), ").");
}

// One answer at each date, oldest first.
struct Point {
  const Publication* of;
  const Figure* figure;
};

// A bar for each date; the width of the whole is the base.
std::string Chart(const std::vector<Point>& points, const std::string& id, bool national) {
  const int height = static_cast<int>(points.size()) * (kBar + kGap);
  std::string described;
  std::string bars;
  int y = 0;
  for (const auto& [of, figure] : points) {
    const int64_t width =
        of->base() == 0 ? 0
                        : (kWidth - kLabel) * std::min(figure->figure(), of->base()) / of->base();
    const std::string date = DateInWords(of->date());
    absl::StrAppend(&described, date, ": ", TextOf(*figure, national), " of about ", of->base(),
                    figure->percent().empty() ? "" : ", " + figure->percent(), ". ");
    absl::StrAppendFormat(&bars,
                          "<text x=\"0\" y=\"%d\">%s</text>"
                          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#e6e6e6\"/>"
                          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#1d4e89\"/>\n",
                          y + kBar - 6, date, kLabel, y, kWidth - kLabel, kBar, kLabel, y, width,
                          kBar);
    y += kBar + kGap;
  }
  return Svg(id, "Of those who answered, how many " + points.back().figure->words(), described,
             kWidth, height, bars);
}

std::string TableOf(const std::vector<Point>& points, bool national) {
  std::string rows = Cells({"Date", "Figure", "Of so many who answered", "Per cent"}, "th");
  for (const auto& [of, figure] : points) {
    rows += Cells({DateInWords(of->date()), TextOf(*figure, national),
                   absl::StrCat("about ", of->base()), figure->percent()});
  }
  return "<table>\n" + rows + "</table>\n";
}

}  // namespace

std::string FiguresPage(const v1::ListPublicationsResponse& all, const std::string& forum) {
  const bool national = National(forum);
  std::string html = absl::StrCat(
      PageHead("What members say of themselves"), "<h1>What members say of themselves</h1>\n<p>",
      Html(forum), ", as of ", DateInWords(all.latest_date()), ". ", MembersText(all), "</p>\n<p>",
      national ? kExplainedNational : kExplained, "</p>\n");
  const Series series = SeriesOf(all);
  if (series.empty()) {
    absl::StrAppend(&html, "<p>Too few people have answered for any figure.</p>\n");
  }
  for (const auto& [question, dates] : series) {
    const std::string name =
        Publication::Question_Name(static_cast<Publication::Question>(question));
    absl::StrAppend(&html, "<h2>", Html(Heading(name)), "</h2>\n<p>",
                    Html(Printed(dates.back(), all.latest_date())), "</p>\n",
                    CrossedTable(dates.back(), national));
    std::map<std::pair<int, int>, std::vector<Point>> answers;
    for (const auto& one : dates) {
      for (const auto& figure : one.figures()) {
        answers[{figure.answer(), figure.also()}].push_back({&one, &figure});
      }
    }
    for (const auto& [answer, points] : answers) {
      if (answers.size() > 1) {
        absl::StrAppend(&html, "<h3>", Html(points.back().figure->words()), "</h3>\n");
      }
      const std::string id = absl::StrCat("q", question, "-", answer.first);
      const std::string also = answer.second == 0 ? "" : absl::StrCat("-", answer.second);
      absl::StrAppend(&html, Chart(points, id + also, national), TableOf(points, national));
    }
  }
  return html + kPageEnd;
}

Status ShowFigures(const std::string& page, Options options) {
  v1::ListPublicationsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), ForumFor("figures", options));
  ASSIGN_OR_RETURN(const auto all,
                   AllPages<v1::ListPublicationsResponse>(Client(options), request));
  if (!page.empty()) {
    RETURN_IF_ERROR(ReplaceFile(page, FiguresPage(all, request.parent())));
    std::cout << page << "\n";
    return Status();
  }
  if (options.format == "json") {
    std::cout << AsJson(all);
    return Status();
  }
  const Series series = SeriesOf(all);
  if (const std::string members = MembersText(all); !members.empty()) std::cout << members << "\n";
  for (const auto& [question, dates] : series) {
    std::cout << Printed(dates.back(), all.latest_date()) << "\n";
    const auto rows = Crossed(dates.back(), National(request.parent()));
    if (!rows.empty()) std::cout << Table(rows, TerminalWidth());
  }
  if (series.empty()) std::cout << "Too few people have answered for any figure.\n";
  return Status();
}

}  // namespace hub::ctl
