#include "services/hubctl/chart.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/date.h"
#include "services/hubctl/page.h"

namespace hub::ctl {
namespace {

constexpr int kWidth = 640, kHeight = 240, kLeft = 80, kBelow = 28, kAbove = 16, kRight = 10;

}  // namespace

std::string Svg(const std::string& id, const std::string& title, const std::string& described,
                int width, int height, const std::string& body) {
  return absl::StrCat(
      "<svg role=\"img\" aria-labelledby=\"", id, "-title ", id, "-text\" viewBox=\"0 0 ", width,
      " ", height, "\" width=\"100%\"><title id=\"", id, "-title\">", Html(title),
      "</title><desc id=\"", id, "-text\">", Html(described), "</desc>\n", body, "</svg>\n");
}

std::string LineChart(const std::string& id, const std::string& title,
                      const std::vector<std::pair<std::string, int64_t>>& values) {
  std::string described, points, dots;
  int64_t most = 1;
  for (const auto& [date, value] : values) most = std::max(most, value);
  const std::string first = values.empty() ? "" : values.front().first;
  const std::string last = values.empty() ? "" : values.back().first;
  const int64_t days = values.empty() ? 1 : std::max<int64_t>(1, DaysBetween(first, last));
  for (const auto& [date, value] : values) {
    const double x =
        kLeft + static_cast<double>((kWidth - kLeft - kRight) * DaysBetween(first, date)) /
                    static_cast<double>(days);
    const double y = kHeight - kBelow -
                     static_cast<double>(kHeight - kBelow - kAbove) * static_cast<double>(value) /
                         static_cast<double>(most);
    absl::StrAppend(&described, DateInWords(date), ": ", value, ". ");
    absl::StrAppendFormat(&points, "%.1f,%.1f ", x, y);
    absl::StrAppendFormat(&dots, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#1d4e89\"/>\n", x,
                          y);
  }
  std::string body = absl::StrFormat(
      "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#767676\"/>\n"
      "<polyline points=\"%s\" fill=\"none\" stroke=\"#1d4e89\" stroke-width=\"2\"/>\n%s",
      kLeft, kAbove, kHeight - kBelow, kWidth - kRight, points, dots);
  if (!values.empty()) {
    absl::StrAppendFormat(&body,
                          "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d</text>"
                          "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>"
                          "<text x=\"%d\" y=\"%d\">%s</text>",
                          kLeft - 6, kAbove + 6, most, kLeft - 6, kHeight - kBelow, kLeft,
                          kHeight - 6, DateInWords(first));
    if (first != last) {
      absl::StrAppendFormat(&body, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>",
                            kWidth - kRight, kHeight - 6, DateInWords(last));
    }
    body += "\n";
  }
  return Svg(id, title, described, kWidth, kHeight, body);
}

}  // namespace hub::ctl
