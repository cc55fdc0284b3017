#include "services/hubctl/evaluation.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/base/date.h"
#include "common/base/words.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::engagement::v1;
using coproduction::scheduling::v1::Decision;

constexpr size_t kLongestBar = 40;

std::string Day(const std::string& date) {
  return IsDate(date)
             ? absl::FormatTime("%-d %b %Y", absl::FromCivil(ToDay(date), absl::UTCTimeZone()),
                                absl::UTCTimeZone())
             : date;
}

std::string Of(const v1::Share& share) {
  if (share.of() == 0) return "none";
  return absl::StrFormat("%d of %d (%d%%)", share.count(), share.of(),
                         (200 * share.count() + share.of()) / (2 * share.of()));
}
std::string Change(const v1::StartAndEnd& number) {
  return absl::StrCat(number.start(), " to ", number.end());
}
std::string Hours(int64_t minutes) {
  return absl::StrFormat("%d h %02d min", minutes / 60, minutes % 60);
}
std::string Pounds(int64_t pence) { return absl::StrFormat("£%d.%02d", pence / 100, pence % 100); }

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string Section(const std::string& title, const Lines& lines) {
  size_t letters = 0;
  for (const auto& line : lines) letters = std::max(letters, Letters(line.first));
  std::string text = "\n" + title + "\n";
  for (const auto& [what, figure] : lines) {
    absl::StrAppend(&text, "  ", Fit(what, letters), "  ", figure, "\n");
  }
  return text;
}

// One bar a line, the longest as long as the width allows.
std::string Chart(const std::string& title, const std::vector<std::pair<std::string, int>>& values,
                  size_t width) {
  size_t letters = 0;
  int most = 1;
  for (const auto& [what, value] : values) {
    letters = std::max(letters, Letters(what));
    most = std::max(most, value);
  }
  const size_t room = width > letters + 12 ? width - letters - 12 : 1;
  const int longest = static_cast<int>(std::min(kLongestBar, room));
  Lines lines;
  for (const auto& [what, value] : values) {
    std::string bar;
    for (int i = 0; i < (value * longest + most - 1) / most; ++i) bar += "█";
    lines.push_back({what, absl::StrCat(bar, bar.empty() ? "" : " ", value)});
  }
  return Section(title, lines);
}

std::vector<std::pair<std::string, int>> Workstreams(const v1::Evaluation& evaluation) {
  std::vector<std::pair<std::string, int>> values;
  for (const auto& [workstream, items] : evaluation.items_by_workstream()) {
    values.push_back({Heading(workstream), items});
  }
  std::sort(values.begin(), values.end(), [](const auto& a, const auto& b) {
    return std::pair(-a.second, a.first) < std::pair(-b.second, b.first);
  });
  return values;
}

}  // namespace

std::string EvaluationText(const v1::Evaluation& evaluation, const std::string& forum,
                           size_t width) {
  std::string text = absl::StrCat("Joint evaluation of ", forum, ", ", Day(evaluation.from()),
                                  " to ", Day(evaluation.to()), "\n");
  const auto& reps = evaluation.reps_per_unit();
  text += Section(
      "What was done",
      {{"Items presented", absl::StrCat(evaluation.items_presented())},
       {"Prep sessions", absl::StrCat(evaluation.prep_sessions())},
       {"Engagements", absl::StrCat(evaluation.engagements())},
       {"Reps in an item or prep session", absl::StrCat(reps.min(), " to ", reps.max())},
       {"Reps in the pool", Change(evaluation.pool_size())},
       {"Members since " + Day(evaluation.membership_from()), Change(evaluation.membership())}});
  text += Chart("Items by workstream", Workstreams(evaluation), width);

  const auto& influence = evaluation.influence();
  text += Section("What changed because of it",
                  {{"Answers owed", absl::StrCat(influence.owed())},
                   {"Changed", absl::StrCat(influence.changed())},
                   {"Partly changed", absl::StrCat(influence.partly())},
                   {"Not changed", absl::StrCat(influence.not_changed())},
                   {"Without a final answer", absl::StrCat(influence.unanswered())},
                   {"  of which 'not yet'", absl::StrCat(influence.not_yet())},
                   {"  of which overdue", absl::StrCat(influence.overdue())},
                   {"Median days to the answer", absl::StrCat(influence.median_days())}});
  text += Section("How it was done", {{"Requests that came late", Of(evaluation.late())},
                                      {"Decided before they came", Of(evaluation.decided())},
                                      {"Sessions with a quorum", Of(evaluation.quorate())},
                                      {"Items longer than planned", Of(evaluation.overruns())},
                                      {"Records drafted late", Of(evaluation.drafts_late())},
                                      {"Records shared late", Of(evaluation.shares_late())}});

  Lines stages;
  for (const auto& cell : evaluation.claimed_against_felt()) {
    stages.push_back({absl::StrCat(Heading(Decision::Stage_Name(cell.claimed())), ", felt as ",
                                   absl::AsciiStrToLower(Decision::Stage_Name(cell.felt()))),
                      absl::StrCat(cell.count())});
  }
  if (!stages.empty()) {
    text += Section("Stage of the decision: claimed, and felt by the reps", stages);
  }

  const auto& paid = evaluation.remuneration();
  Lines money = {{"Time given", Hours(paid.minutes_given())},
                 {"Time paid", Hours(paid.minutes_paid())},
                 {"Involvement fees", Pounds(paid.fees_pence())},
                 {"Expenses", Pounds(paid.expenses_pence())}};
  return text + Section("What reps gave and what was paid", money);
}

Status ShowEvaluation(const Options& options, const std::string& from, const std::string& to,
                      const std::string& membership_from) {
  v1::GetEvaluationRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), ForumFor("evaluation show", options));
  request.set_from(from);
  request.set_to(to);
  request.set_membership_from(membership_from);
  ASSIGN_OR_RETURN(const auto evaluation, Client(options).Call<v1::Evaluation>(request));
  std::cout << (WantsJson(options.format)
                    ? AsJson(evaluation)
                    : EvaluationText(evaluation, request.parent(), TerminalWidth()));
  return Status();
}

}  // namespace hub::ctl
