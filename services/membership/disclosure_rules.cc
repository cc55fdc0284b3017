#include "services/membership/disclosure_rules.h"

#include <algorithm>
#include <numeric>

namespace hub::membership {
namespace {

// Bands lie on a grid: 0 is the small one, band b from there on has the figure of its middle.
int64_t BandOf(const Measure& measure, int64_t count) {
  return count <= measure.small ? 0 : (count - measure.small - 1) / measure.step + 1;
}
int64_t LowOf(const Measure& measure, int64_t band) {
  return band == 0 ? 0 : measure.small + 1 + (band - 1) * measure.step;
}
int64_t HighOf(const Measure& measure, int64_t band) { return measure.small + band * measure.step; }
int64_t FigureOf(const Measure& measure, int64_t band) {
  return band == 0 ? 0 : LowOf(measure, band) + measure.step / 2;
}

// Between which counts a figure may move, seen from each earlier row: at least friends + 1 of those
// who came, or went, may have answered either way.
void Bound(const Measure& measure, const std::vector<Row>& rows, const Turnout& turnout,
           size_t category, Figure* figure) {
  const int64_t count = turnout.count();
  const int64_t doubt = measure.friends + 1;
  figure->ceiling = count - measure.small;
  figure->floor = 0;
  int64_t stayed = 0;  // of those whom the row counted
  for (size_t s = 0; s < rows.size(); ++s) {
    stayed += turnout.since[s + 1];
    const Interval& then = rows[s].figures[category].interval;
    figure->ceiling = std::min(figure->ceiling, then.high + (count - stayed) - doubt);
    figure->floor = std::max(figure->floor, then.low - (rows[s].count - stayed) + doubt);
  }
}

}  // namespace

int64_t Turnout::count() const { return std::accumulate(since.begin(), since.end(), int64_t{0}); }

int64_t Turnout::stayed(size_t row) const {
  const auto end = since.begin() + static_cast<std::ptrdiff_t>(std::min(row + 1, since.size()));
  return std::accumulate(since.begin() + 1, end, int64_t{0});
}

Turnout TurnoutAfter(const std::vector<Row>& rows, std::vector<int64_t> since, int64_t unknown) {
  Turnout turnout{0, std::move(since)};
  size_t imported = 0;
  while (imported < rows.size() && rows[imported].imported) ++imported;
  // Whom the first row after them counted, or else who comes now, may be whom they had counted; who
  // was counted by one and is still there, by all between.
  int64_t& known = turnout.since[imported < rows.size() ? imported + 1 : 0];
  int64_t most = known;
  for (size_t s = imported; s > 0; --s) turnout.since[s] = most = std::min(most, rows[s - 1].count);
  if (imported > 0) known -= turnout.since[imported];
  for (size_t s = imported; s > 1; --s) turnout.since[s] -= turnout.since[s - 1];
  if (rows.empty()) return turnout;
  const int64_t left = rows.back().count - turnout.stayed(rows.size());
  turnout.moved = left + (rows.back().imported ? turnout.since[0] : unknown);
  return turnout;
}

std::optional<Row> NextRow(const Measure& measure, const std::vector<Row>& rows,
                           const std::string& date, const Turnout& turnout,
                           const std::vector<int64_t>& counts) {
  Row row;
  row.date = date;
  row.count = turnout.count();
  row.since = turnout.since;
  if (row.count < measure.min_base) return std::nullopt;
  if (!rows.empty() && turnout.moved < measure.movement) return std::nullopt;
  const int64_t last = BandOf(measure, row.count);
  for (size_t category = 0; category < counts.size(); ++category) {
    Figure& figure = row.figures.emplace_back();
    Bound(measure, rows, turnout, category, &figure);
    // Bands above the ceiling, or below the floor, are one with the outermost that is permitted.
    const int64_t bottom = BandOf(measure, figure.floor);
    const int64_t top = std::min(last, BandOf(measure, figure.ceiling));
    if (bottom >= top) {
      figure.interval = {0, row.count};
      if (!rows.empty()) figure.printed = rows.back().figures[category].printed;
      continue;
    }
    const int64_t band = std::clamp(BandOf(measure, counts[category]), bottom, top);
    figure.interval = {band == bottom ? 0 : LowOf(measure, band),
                       band == top ? row.count : HighOf(measure, band)};
    figure.printed = FigureOf(measure, band);
  }
  return row;
}

bool OnCalendar(const std::string& date) {
  return date.size() == 10 && date.substr(7) == "-01" &&
         (date.substr(5, 2) == "01" || date.substr(5, 2) == "04" || date.substr(5, 2) == "07" ||
          date.substr(5, 2) == "10");
}

std::string PrintedText(const Measure& measure, int64_t printed) {
  return printed == 0 ? "fewer than " + std::to_string(measure.small + 1) : std::to_string(printed);
}

int64_t PrintedBase(const Measure& measure, int64_t count) {
  return (count + measure.step / 2) / measure.step * measure.step;
}

int64_t PrintedFigure(const Measure& measure, const Interval& interval) {
  return FigureOf(measure, BandOf(measure, (interval.low + interval.high) / 2));
}

std::string PrintedPercent(const Measure& measure, int64_t printed, int64_t printed_base) {
  if (printed == 0 || printed_base < measure.percent_base) return "";
  if (printed_base < measure.tenths_base) {
    return std::to_string((200 * printed + printed_base) / (2 * printed_base)) + "%";
  }
  const int64_t tenths = (2000 * printed + printed_base) / (2 * printed_base);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

std::optional<int64_t> RestOverPercent(const Measure& measure, int64_t printed_base,
                                       int64_t small_figures) {
  const int64_t half = measure.step / 2;
  const int64_t rest = printed_base - half - measure.small * small_figures;
  if (rest <= 0 || printed_base < measure.percent_base) return std::nullopt;
  return 100 * rest / (printed_base + half) / 5 * 5;
}

}  // namespace hub::membership
