#include "services/engagement/evaluations_rules.h"

#include <algorithm>
#include <map>

#include "common/base/date.h"
#include "services/engagement/influence_rules.h"
#include "services/engagement/records_rules.h"

namespace hub::engagement {
namespace {

using Feedback = v1::InfluenceFeedback;

v1::Share ShareOf(const coproduction::scheduling::v1::Share& share) {
  v1::Share out;
  out.set_count(share.count());
  out.set_of(share.of());
  return out;
}

void AddOne(v1::Share* share, bool counts) {
  share->set_of(share->of() + 1);
  share->set_count(share->count() + counts);
}

// Counts one account by its latest answer, empty where none was given.
void AddAccount(const v1::InfluenceAccount& account, const Feedback& latest,
                const std::string& as_of, v1::InfluenceLedger* ledger) {
  const auto answer = latest.answer();
  const std::string& due_on = latest.due_on().empty() ? account.first_due_on() : latest.due_on();
  ledger->set_owed(ledger->owed() + 1);
  ledger->set_changed(ledger->changed() + (answer == Feedback::CHANGED));
  ledger->set_partly(ledger->partly() + (answer == Feedback::PARTLY));
  ledger->set_not_changed(ledger->not_changed() + (answer == Feedback::NOT_CHANGED));
  ledger->set_not_yet(ledger->not_yet() + (answer == Feedback::NOT_YET));
  ledger->set_unanswered(ledger->unanswered() + !IsFinal(answer));
  ledger->set_overdue(ledger->overdue() + (!IsFinal(answer) && due_on < as_of));
}

}  // namespace

Status CheckPeriod(const v1::GetEvaluationRequest& in) {
  if (in.from() > in.to()) {
    return InvalidField("to", "to is '" + in.to() + "', before from, '" + in.from() + "'");
  }
  if (in.membership_from() > in.to()) {
    return InvalidField("membership_from", "membership_from is '" + in.membership_from() +
                                               "', after to, '" + in.to() + "'");
  }
  return Status();
}

std::string MembershipFrom(const v1::GetEvaluationRequest& in) {
  return in.membership_from().empty() ? in.from() : in.membership_from();
}

v1::InfluenceLedger Ledger(const std::vector<v1::InfluenceAccount>& accounts,
                           const std::vector<v1::InfluenceFeedback>& feedbacks,
                           const std::string& as_of) {
  std::map<std::string, Feedback> latest;
  for (const auto& feedback : feedbacks) {
    if (feedback.given_on() <= as_of) latest[feedback.influence_account()] = feedback;
  }
  v1::InfluenceLedger ledger;
  std::vector<int32_t> days;
  for (const auto& account : accounts) {
    const Feedback& answer = latest[account.name()];
    AddAccount(account, answer, as_of, &ledger);
    if (IsFinal(answer.answer())) {
      days.push_back(static_cast<int32_t>(DaysBetween(account.session_date(), answer.given_on())));
    }
  }
  ledger.set_median_days(MedianDays(std::move(days)));
  return ledger;
}

int32_t MedianDays(std::vector<int32_t> days) {
  if (days.empty()) return 0;
  std::sort(days.begin(), days.end());
  const size_t upper = days.size() / 2;
  if (days.size() % 2 == 1) return days[upper];
  return (days[upper - 1] + days[upper] + 1) / 2;
}

v1::Share DraftsLate(const std::vector<v1::Record>& records, const std::string& as_of) {
  v1::Share share;
  for (const auto& record : records) {
    AddOne(&share, IsLate(record.draft_due_on(), record.proposed_on(), as_of));
  }
  return share;
}

v1::Share SharesLate(const std::vector<v1::Record>& records, const std::string& as_of) {
  v1::Share share;
  for (const auto& record : records) {
    AddOne(&share, IsLate(record.share_due_on(), record.shared_on(), as_of));
  }
  return share;
}

void AddFigures(const coproduction::scheduling::v1::SchedulingFigures& figures,
                v1::Evaluation* evaluation) {
  evaluation->set_items_presented(figures.items_presented());
  evaluation->set_prep_sessions(figures.prep_sessions());
  for (const auto& entry : figures.items_by_workstream()) {
    (*evaluation->mutable_items_by_workstream())[entry.workstream()] = entry.count();
  }
  *evaluation->mutable_late() = ShareOf(figures.late());
  *evaluation->mutable_decided() = ShareOf(figures.decided());
  *evaluation->mutable_quorate() = ShareOf(figures.quorate());
  *evaluation->mutable_overruns() = ShareOf(figures.overruns());
  for (const auto& entry : figures.claimed_against_felt()) {
    auto* cell = evaluation->add_claimed_against_felt();
    cell->set_claimed(entry.claimed());
    cell->set_felt(entry.felt());
    cell->set_count(entry.count());
  }
}

}  // namespace hub::engagement
