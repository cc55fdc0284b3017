#include "services/membership/rights_rules.h"

#include <algorithm>

#include "common/base/bank_holidays.h"
#include "common/base/date.h"

namespace hub::membership {
namespace {

constexpr int kComplaintDays = 30;  // [law]
constexpr int kErasingDays = 1;     // [ours]

}  // namespace

std::string MonthsAfter(const std::string& date, int months) {
  const auto day = ToDay(date);
  const auto month = absl::CivilMonth(day) + months;
  const absl::CivilDay last(absl::CivilDay(month + 1) - 1);
  return ToText(absl::CivilDay(month.year(), month.month(), std::min(day.day(), last.day())));
}

std::string DueOn(const v1::RightsRequest& request) {
  if (request.kind() == v1::RightsRequest::COMPLAINT) {
    return AddDays(request.received_on(), kComplaintDays);
  }
  std::string due = AddDays(MonthsAfter(request.received_on(), 1 + request.extended_months()),
                            request.days_rested());
  while (!IsWorkingDay(due)) due = AddDays(due, 1);
  return due;
}

void SetClock(v1::RightsRequest* request, const v1::MembershipSettings& settings,
              const std::string& today) {
  request->clear_notice_on();
  request->clear_overdue_from();
  if (request->state() == v1::RightsRequest::DONE ||
      request->state() == v1::RightsRequest::REFUSED) {
    return;  // what was due stays to be read
  }
  request->clear_due_on();
  if (request->state() == v1::RightsRequest::WAITING_FOR_PERSON) return;
  if (request->kind() == v1::RightsRequest::COMPLAINT && !request->acknowledged_on().empty()) {
    return;
  }
  std::string due = DueOn(*request);
  if (request->state() == v1::RightsRequest::ERASING) {
    due = std::min(due, AddDays(today, kErasingDays));
  } else {
    request->set_notice_on(AddDays(due, -settings.rights_notice_days()));
  }
  request->set_due_on(due);
  request->set_overdue_from(AddDays(due, 1));
}

Status CheckRightsRequest(const v1::RightsRequest& request, const std::string& today, bool own) {
  if (request.received_on() > today) {
    return InvalidField("received_on", "received_on is " + request.received_on() +
                                           ", which is after today, " + today);
  }
  if (own && request.received_on() != today) {
    return InvalidField("received_on", "you ask today, " + today +
                                           ": leave received_on out, or have the forum "
                                           "enter what it had from you before");
  }
  const bool objection = request.kind() == v1::RightsRequest::OBJECTION;
  if (objection != (request.purpose() != v1::Consent::PURPOSE_UNSPECIFIED)) {
    return InvalidField("purpose", objection ? "say by purpose what contact is objected to"
                                             : "purpose is of an OBJECTION alone; leave it out");
  }
  const bool restriction = request.kind() == v1::RightsRequest::RESTRICTION;
  if (restriction != (request.ground() != v1::Restriction::GROUND_UNSPECIFIED)) {
    return InvalidField("ground", restriction ? "say by ground why the data may only be stored"
                                              : "ground is of a RESTRICTION alone; leave it out");
  }
  if (request.details().empty() && (request.kind() == v1::RightsRequest::RECTIFICATION ||
                                    request.kind() == v1::RightsRequest::COMPLAINT)) {
    return InvalidField("details", "say in details what is wrong");
  }
  return Status();
}

Status CheckExtension(const v1::RightsRequest& request, const std::string& today) {
  if (request.kind() == v1::RightsRequest::COMPLAINT) {
    return RuleRefused("extension", "a complaint is acknowledged within 30 days, and no later");
  }
  if (request.extended_months() > 0) {
    return RuleRefused("extension", "it was extended before, which is done once");
  }
  if (const std::string first = DueOn(request); today > first) {
    return RuleRefused("extension",
                       "an extension is told within the first month, which ended on " + first);
  }
  return Status();
}

void Object(v1::Member* member, v1::Consent::Purpose purpose, const std::string& today) {
  for (auto& consent : *member->mutable_consents()) {
    if (consent.purpose() == purpose) consent.set_given(false);
  }
  for (const auto& known : member->objections()) {
    if (known.purpose() == purpose) return;
  }
  auto* objection = member->add_objections();
  objection->set_purpose(purpose);
  objection->set_objected_on(today);
}

Status CheckThere(const v1::Member& member) {
  if (!member.merged_into().empty()) {
    return RuleRefused("merged", "the member was entered twice and merged into '" +
                                     member.merged_into() + "'; use that name");
  }
  if (member.state() == v1::Member::ERASED) {
    return RuleRefused("erased", "the member was erased, and nothing is kept of one who was");
  }
  return Status();
}

Status CheckConsents(v1::Member* member, bool own) {
  RETURN_IF_ERROR(CheckThere(*member));
  for (const auto& consent : member->consents()) {
    if (!consent.given()) continue;
    auto& objections = *member->mutable_objections();
    const auto objected = std::find_if(objections.begin(), objections.end(), [&](const auto& one) {
      return one.purpose() == consent.purpose();
    });
    if (objected == objections.end()) continue;
    if (!own) {
      return RuleRefused("objection", "the member objected to " +
                                          v1::Consent::Purpose_Name(consent.purpose()) + " on " +
                                          objected->objected_on() +
                                          "; only the member can turn it on again");
    }
    objections.erase(objected);
  }
  return Status();
}

v1::Member OnlyStored(const v1::Member& member) {
  v1::Member shown;
  shown.set_name(member.name());
  shown.set_etag(member.etag());
  shown.set_state(member.state());
  shown.set_joined_on(member.joined_on());
  shown.set_left_on(member.left_on());
  *shown.mutable_restriction() = member.restriction();
  return shown;
}

bool Confirm(v1::RightsRequest* request,
             const coproduction::hub::v1::ErasureConfirmation& confirmation,
             const std::set<std::string>& services, const std::string& today) {
  std::set<std::string> missing = services;
  for (const auto& known : request->confirmations()) missing.erase(known.service());
  if (missing.erase(confirmation.service()) == 0) return false;
  *request->add_confirmations() = confirmation;
  if (missing.empty()) {
    request->set_state(v1::RightsRequest::DONE);
    request->set_done_on(today);
    request->clear_overdue_from();
  }
  return true;
}

}  // namespace hub::membership
