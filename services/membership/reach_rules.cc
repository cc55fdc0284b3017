#include "services/membership/reach_rules.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hub::membership {

Status AddFigure(v1::ReachSeries* series, v1::ReachFigure figure, const std::string& today) {
  if (figure.date() > today) {
    return InvalidField("figure.date",
                        "date is " + figure.date() + ", which is after today, " + today);
  }
  std::set<int> corrected;
  for (const auto& one : series->figures()) corrected.insert(one.corrects());
  bool corrects_one = figure.corrects() == 0;
  for (const auto& one : series->figures()) {
    if (corrected.count(one.number()) > 0) continue;
    if (one.number() == figure.corrects()) {
      corrects_one = true;
    } else if (one.date() == figure.date()) {
      return RuleRefused(
          "figure_stands",
          absl::StrCat("the series has ", one.value(), " for ", one.date(),
                       "; name it where this one corrects it: corrects is ", one.number()));
    }
  }
  if (!corrects_one) {
    return InvalidField("figure.corrects",
                        absl::StrCat("corrects is ", figure.corrects(),
                                     ", which is no figure of the series that stands"));
  }
  figure.set_number(series->figures_size() + 1);
  figure.set_entered_on(today);
  *series->add_figures() = std::move(figure);
  return Status();
}

}  // namespace hub::membership
