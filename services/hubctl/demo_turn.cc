#include "services/hubctl/demo_turn.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/schema/schema.h"
#include "services/hubctl/output.h"

namespace hub::ctl {

using google::protobuf::Message;

namespace {

std::unique_ptr<Message> AnswerTo(const Message& command) {
  const auto* type = schema::MethodOfRequest(command.GetDescriptor())->descriptor->output_type();
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

}  // namespace

Status Turn::Do(const std::string& who, const Message& command, const std::string& what) {
  return Told(Send(who, command, what, AnswerTo(command).get()), who);
}

Status Turn::Make(const std::string& who, const Message& command) {
  return Make(who, command, KeyOf(row_));
}

Status Turn::Make(const std::string& who, const Message& command, const std::string& key) {
  const std::unique_ptr<Message> answer = AnswerTo(command);
  RETURN_IF_ERROR(Told(Send(who, command, "make " + key, answer.get()), who));
  Remember(key, schema::GetName(*answer));
  return Status();
}

Status Turn::Refused(const std::string& who, const Message& command, const std::string& rule) {
  if (!player_->live()) return Status();
  const Status status = Send(who, command, "refused by " + rule, AnswerTo(command).get());
  const errors::ErrorInfo info = ErrorInfoOf(status);
  const auto said = info.metadata().find("rule");
  if (!status.ok() && said != info.metadata().end() && said->second == rule) return Status();
  if (!status.ok()) return Told(status, who);
  return Told(Refuse(errors::INTERNAL_FAULT,
                     "the rule '" + rule + "' must refuse this, and the hub has done it"),
              who);
}

Status Turn::Send(const std::string& who, const Message& command, const std::string& what,
                  Message* answer) {
  const std::string id = absl::StrJoin({std::string("demo"), row_.sheet->file(), KeyOf(row_),
                                        column_, what, command.GetDescriptor()->name()},
                                       "|");
  return player_->Send(who, DerivedId(id), command, answer);
}

Status Turn::Told(const Status& status, const std::string& who) const {
  if (status.ok()) return status;
  Status told(status.code(),
              absl::StrCat(row_.sheet->file(), ":", row_.line, " (", KeyOf(row_), "), '", column_,
                           "' ", row_[column_], ", as ", who, ": ", MessageOf(status)));
  status.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { told.SetPayload(type, payload); });
  return told;
}

std::string Turn::Member(const std::string& key) const {
  return WordOf(book().row("members", key)["Forum role"], "") + ":" + key;
}

std::string Turn::Holder(const std::string& forum_role) const {
  return HolderOf(book(), forum_role);
}

std::string Turn::Officer(const std::string& key, const std::string& role) const {
  const std::string& partner = book().row("officers", key)["Partner"];
  return WordOf(role, book().row("partners", partner)["Id"]) + ":" + key;
}

std::string Turn::Facilitator(const std::string& partner) const {
  return OfficerOf(book(), book().row("partners", partner)["Id"], "FACILITATOR");
}

void Plan::On(const Row& row, const std::string& column, Step step, Status (*deed)(Turn&)) {
  if (row[column].empty()) return;
  const std::string day = DayOf(row[column]);
  if (day.empty()) {
    complaints_.push_back(
        {row.sheet->file(), row.line, column, "'" + row[column] + "' is no day, as 03/12/2021"});
  }
  acts_.push_back({std::max(day, first_day_), step, &row, column, deed});
}

StatusOr<std::vector<Plan::Act>> Plan::InOrder() {
  for (const Complaint& complaint : complaints_) std::cerr << complaint.Text() << "\n";
  if (!complaints_.empty()) return UsageError("the sheets cannot be played: see above");
  std::stable_sort(acts_.begin(), acts_.end(), [](const Act& a, const Act& b) {
    return std::tie(a.day, a.step) < std::tie(b.day, b.step);
  });
  return acts_;
}

}  // namespace hub::ctl
