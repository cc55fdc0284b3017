#include "services/engagement/influence_rules.h"

#include <set>

#include "common/base/date.h"
#include "services/engagement/records_rules.h"

namespace hub::engagement {
namespace {

using Feedback = v1::InfluenceFeedback;

void SetDue(const std::string& due_on, v1::InfluenceAccount* account) {
  account->set_due_on(due_on);
  account->set_overdue_from(AddDays(due_on, 1));
  account->set_overdue_told(false);
}

// What each answer must say, and the one thing that only NOT_YET says.
Status CheckParts(const v1::GiveFeedbackRequest& in) {
  const bool changed = in.answer() == Feedback::CHANGED || in.answer() == Feedback::PARTLY;
  const bool unchanged = in.answer() == Feedback::NOT_CHANGED || in.answer() == Feedback::PARTLY;
  const std::string answer = Feedback::Answer_Name(in.answer());
  if (changed && in.what().empty()) {
    return InvalidField("what", "what is empty; " + answer + " says what changed");
  }
  if (unchanged && in.why().empty()) {
    return InvalidField("why",
                        "why is empty; " + answer + " says why it, or the rest, did not change");
  }
  if (in.answer() == Feedback::NOT_YET && in.new_date().empty()) {
    return InvalidField("new_date", "new_date is empty; NOT_YET says by when there is an answer");
  }
  if (in.answer() != Feedback::NOT_YET && !in.new_date().empty()) {
    return InvalidField("new_date", "new_date is '" + in.new_date() + "', but " + answer +
                                        " is final; leave it out or answer NOT_YET");
  }
  return Status();
}

Status MayPostpone(const v1::GiveFeedbackRequest& in, const v1::InfluenceAccount& account,
                   const v1::EngagementSettings& settings, const std::string& today) {
  if (account.postponements() >= settings.most_postponements()) {
    return RuleRefused("postponed_enough", "NOT_YET was answered " +
                                               std::to_string(account.postponements()) +
                                               " times for " + account.name() + "; at most " +
                                               std::to_string(settings.most_postponements()) +
                                               " are taken: say what changed, or why nothing did");
  }
  if (in.new_date() <= account.due_on() || in.new_date() <= today) {
    return InvalidField("new_date",
                        "new_date is '" + in.new_date() +
                            "'; it must be later than today and than the day now due, " +
                            account.due_on());
  }
  return Status();
}

Status AnswersEachView(const v1::GiveFeedbackRequest& in, const std::vector<v1::Point>& points) {
  std::set<std::string> open;
  for (const auto& view : ViewsToAnswer(points)) open.insert(view.name());
  for (const auto& answer : in.view_answers()) {
    if (open.erase(answer.point()) == 0) {
      return InvalidField("view_answers", "view_answers answers '" + answer.point() +
                                              "' twice, or it is no view of the record in force");
    }
  }
  if (open.empty()) return Status();
  return InvalidField("view_answers", "view_answers leaves " + std::to_string(open.size()) +
                                          " views of the record without an answer, the first is '" +
                                          *open.begin() + "'");
}

Status NeedsFinal(const v1::InfluenceAccount& account, const std::string& deed) {
  if (IsFinal(account.answer())) return Status();
  return RuleRefused("no_final_answer", account.name() + " cannot be " + deed +
                                            ": its requestor has given no final answer, due on " +
                                            account.due_on());
}

}  // namespace

v1::InfluenceAccount NewAccount(const coproduction::scheduling::events::v1::ItemPresented& item,
                                const v1::EngagementSettings& settings) {
  v1::InfluenceAccount account;
  account.set_state(v1::InfluenceAccount::OPEN);
  account.set_item(item.item());
  account.set_request(item.request());
  account.set_session(item.session());
  account.set_partner(item.partner());
  account.set_session_date(item.session_date());
  account.set_title(item.title());
  account.set_team(item.team());
  account.set_requestor_person(item.requestor_person());
  account.set_first_due_on(AddDays(item.session_date(), settings.influence_days()));
  SetDue(account.first_due_on(), &account);
  return account;
}

std::string AccountName(const std::string& item) {
  return std::string(item).replace(item.rfind("/items/"), 7, "/influenceAccounts/");
}

bool IsFinal(Feedback::Answer answer) {
  return answer == Feedback::CHANGED || answer == Feedback::PARTLY ||
         answer == Feedback::NOT_CHANGED;
}

bool IsOverdue(const v1::InfluenceAccount& account, const std::string& today) {
  return !IsFinal(account.answer()) && today >= account.overdue_from();
}

Status MayGive(const v1::GiveFeedbackRequest& in, const v1::InfluenceAccount& account,
               const v1::Record& record, const std::vector<v1::Point>& points,
               const v1::EngagementSettings& settings, const std::string& today) {
  RETURN_IF_ERROR(CheckParts(in));
  if (IsFinal(account.answer())) {
    return RuleRefused("answered_already", account.name() + " was answered on " +
                                               account.answered_on() + "; the answer is final");
  }
  if (in.answer() == Feedback::NOT_YET) return MayPostpone(in, account, settings, today);
  if (!IsSealed(record)) {
    return RuleRefused("record_not_agreed", record.name() +
                                                " is not agreed yet, so its views may still "
                                                "change; agree the record first");
  }
  return AnswersEachView(in, points);
}

v1::InfluenceFeedback NewFeedback(const v1::GiveFeedbackRequest& in,
                                  const v1::InfluenceAccount& account, const std::string& today) {
  v1::InfluenceFeedback feedback;
  feedback.set_influence_account(account.name());
  feedback.set_partner(account.partner());
  feedback.set_answer(in.answer());
  feedback.set_what(in.what());
  feedback.set_link(in.link());
  feedback.set_why(in.why());
  feedback.set_given_on(today);
  feedback.set_due_on(in.new_date().empty() ? account.due_on() : in.new_date());
  *feedback.mutable_view_answers() = in.view_answers();
  return feedback;
}

void ApplyFeedback(const v1::InfluenceFeedback& feedback, v1::InfluenceAccount* account) {
  account->set_answer(feedback.answer());
  if (IsFinal(feedback.answer())) {
    account->set_answered_on(feedback.given_on());
  } else {
    account->set_postponements(account->postponements() + 1);
    SetDue(feedback.due_on(), account);
  }
}

Status MayRecognise(const v1::InfluenceAccount& account) {
  return NeedsFinal(account, "recognised");
}

Status MayClose(const v1::InfluenceAccount& account) { return NeedsFinal(account, "closed"); }

}  // namespace hub::engagement
