#include "services/hubctl/roster.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "services/hubctl/output.h"
#include "services/hubctl/sheets.h"
#include "services/hubctl/sheets_writer.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;

const std::vector<Heading>& Headings() {
  static const std::vector<Heading> headings = {
      {"Account", false, {"User ID", "Member ID", "Username", "User name", "Handle"}},
      {"Name", false, {"Full name", "Display name", "Real name"}},
      {"E-mail", false, {"Email address", "Mail"}}};
  return headings;
}

void Add(const char* what, const google::protobuf::RepeatedPtrField<v1::RosterLine>& lines,
         std::vector<std::vector<std::string>>* rows) {
  for (const auto& line : lines) {
    rows->push_back({what, LastPart(line.member(), '/'), line.row().outside_key(),
                     line.row().display_name(), line.row().email(), line.reason()});
  }
}

}  // namespace

StatusOr<std::vector<v1::RosterRow>> RosterRowsOf(const std::string& path) {
  std::vector<Complaint> complaints;
  const Sheet sheet(path, Headings(), &complaints);
  if (complaints.empty() && !sheet.mapping()->Column("Account") &&
      !sheet.mapping()->Column("E-mail")) {
    complaints.push_back(
        {sheet.mapping()->file(), 0, "",
         "has neither a column 'Account' nor 'E-mail', by which members are found"});
  }
  if (!complaints.empty()) {
    std::string all;
    for (const auto& one : complaints) absl::StrAppend(&all, all.empty() ? "" : "\n", one.Text());
    return UsageError(all);
  }
  std::vector<v1::RosterRow> rows;
  for (const Row& row : sheet.rows()) {
    v1::RosterRow& one = rows.emplace_back();
    one.set_outside_key(row["Account"]);
    one.set_display_name(row["Name"]);
    one.set_email(row["E-mail"]);
  }
  return rows;
}

std::vector<std::vector<std::string>> LinesOf(const v1::RosterCheck& check) {
  std::vector<std::vector<std::string>> rows = {
      {"Do", "Member", "Account", "Name", "E-mail", "Why"}};
  Add("add", check.to_add(), &rows);
  Add("remove", check.to_remove(), &rows);
  Add("look at", check.unknown(), &rows);
  return rows;
}

Status CompareRoster(const CompareOf& what, const Options& options) {
  v1::CheckRosterRequest request;
  if (what.group.find('/') == std::string::npos) {
    ASSIGN_OR_RETURN(const std::string forum, ForumFor("groups compare", options));
    request.set_name(forum + "/groups/" + what.group);
  } else {
    request.set_name(what.group);
  }
  ASSIGN_OR_RETURN(const auto rows, RosterRowsOf(what.sheet));
  for (const auto& row : rows) *request.add_rows() = row;
  const Client client(options);
  ASSIGN_OR_RETURN(const auto check, client.Call<v1::RosterCheck>(request));
  const auto lines = LinesOf(check);
  if (!what.result.empty()) {
    ASSIGN_OR_RETURN(const auto sheet,
                     SheetWriter::Open(what.result, lines[0], std::vector<bool>(lines[0].size())));
    for (size_t i = 1; i < lines.size(); ++i) RETURN_IF_ERROR(sheet->Add(lines[i]));
    RETURN_IF_ERROR(sheet->Close());
  }
  if (WantsJson(options.format)) {
    std::cout << AsJson(check);
    return Status();
  }
  if (lines.size() > 1) std::cout << Table(lines, TerminalWidth());
  std::cout << check.in_step_size() << " in step, " << check.to_add_size() << " to add, "
            << check.to_remove_size() << " to remove, " << check.unknown_size() << " unknown\n";
  return Status();
}

}  // namespace hub::ctl
