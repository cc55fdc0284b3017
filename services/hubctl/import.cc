#include "services/hubctl/import.h"

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/id.h"
#include "services/hubctl/commands.h"
#include "services/hubctl/output.h"
#include "services/hubctl/token.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;
namespace v1 = ::coproduction::membership::v1;
using google::protobuf::Message;

constexpr int kPatienceSeconds = 60;
constexpr int kPageSize = 100;

// A column and the field of the request that it fills.
struct Mapping {
  enum Kind { kText, kDay };
  const char* column;
  const char* field;
  Kind kind = kText;
  // What may stand there and what it means; empty: anything. A word that is not here is a
  // complaint.
  std::map<std::string, std::string> words = {};
};

const std::vector<Mapping>& MemberMappings() {
  static const std::vector<Mapping> mappings = {
      {"Key", "member.source_key"},
      {"First name", "member.given_name"},
      {"Last name", "member.family_name"},
      {"E-mail", "member.email"},
      {"Phone", "member.phone"},
      {"Postcode district", "member.postcode_district"},
      {"Lives or uses services here",
       "member.residence",
       Mapping::kText,
       {{"LIVES", "LIVES_HERE"}, {"USES_SERVICES", "USES_SERVICES_HERE"}}},
      {"Joined", "member.joined_on", Mapping::kDay},
      {"Reach by",
       "member.reach_by",
       Mapping::kText,
       {{"EMAIL", "EMAIL"}, {"PHONE", "PHONE"}, {"POST", "POST"}, {"TEXT", "TEXT_MESSAGE"}}},
      {"Format",
       "member.format",
       Mapping::kText,
       {{"STANDARD", ""},
        {"LARGE_PRINT", "large print"},
        {"EASY_READ", "easy read"},
        {"AUDIO", "audio"}}}};
  return mappings;
}

const std::vector<Mapping>& RepMappings() {
  static const std::vector<Mapping> mappings = {{"Most hours a month", "most_hours_a_month"}};
  return mappings;
}

const std::map<std::string, v1::Consent::Purpose>& ConsentColumns() {
  static const std::map<std::string, v1::Consent::Purpose> columns = {
      {"News", v1::Consent::NEWS},
      {"Invitations", v1::Consent::INVITATIONS},
      {"Surveys", v1::Consent::SURVEYS}};
  return columns;
}

std::string ColumnOfField(const std::string& field) {
  for (const auto* mappings : {&MemberMappings(), &RepMappings()}) {
    for (const Mapping& mapping : *mappings) {
      if (field == mapping.field) return mapping.column;
    }
  }
  return field == "member" ? "Member" : "";
}

Flag FlagOf(const google::protobuf::Descriptor* type, const Mapping& mapping) {
  Flag flag;
  flag.name = mapping.column;
  for (const std::string& step : std::vector<std::string>(absl::StrSplit(mapping.field, '.'))) {
    flag.path.push_back(type->FindFieldByName(step));
    type = flag.field()->message_type();
  }
  return flag;
}

// What the cell says, as the API writes it; complains and says nothing where it says nothing.
std::optional<std::string> ValueOf(const Row& row, const Mapping& mapping,
                                   std::vector<Complaint>* complaints) {
  const std::string& cell = row[mapping.column];
  auto complain = [&](const std::string& reason) {
    complaints->push_back({row.sheet->file(), row.line, mapping.column, reason});
    return std::nullopt;
  };
  if (cell.empty()) return std::nullopt;
  if (mapping.kind == Mapping::kDay) {
    std::string date;
    if (!ReadDay(cell, &date)) return complain("'" + cell + "' is no day, as 03/12/2021");
    return date;
  }
  if (mapping.words.empty()) return cell;
  const auto word = mapping.words.find(cell);
  if (word != mapping.words.end()) return word->second;
  return complain("'" + cell + "' is none of " +
                  absl::StrJoin(mapping.words, ", ", [](std::string* out, const auto& known) {
                    out->append(known.first);
                  }));
}

void Fill(const Row& row, const std::vector<Mapping>& mappings, Message* request,
          std::vector<Complaint>* complaints) {
  for (const Mapping& mapping : mappings) {
    const std::optional<std::string> value = ValueOf(row, mapping, complaints);
    if (!value.has_value()) continue;
    const Status set = SetField(request, FlagOf(request->GetDescriptor(), mapping), {*value}, "");
    if (!set.ok()) {
      complaints->push_back({row.sheet->file(), row.line, mapping.column, MessageOf(set)});
    }
  }
}

// ---- one run ----

bool IsDone(const Status& status) {
  const errors::ErrorReason reason = ReasonOf(status);
  return status.ok() || reason == errors::ALREADY_DONE || reason == errors::RESOURCE_EXISTS;
}

// The hub's word on one row; anything else ends the run.
bool IsAboutTheRow(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

class Run {
 public:
  Run(const Options& options, bool dry_run)
      : parent_("forums/" + options.forum), client_(options, kPatienceSeconds), dry_run_(dry_run) {}

  Status Do(const std::string& folder) {
    ASSIGN_OR_RETURN(std::unique_ptr<Sheet> members, Open(folder, "members.csv", MemberColumns()));
    ASSIGN_OR_RETURN(std::unique_ptr<Sheet> reps, Open(folder, "reps.csv", RepColumns()));
    if (members == nullptr && reps == nullptr) {
      return UsageError("'" + folder + "' has neither members.csv nor reps.csv");
    }
    RETURN_IF_ERROR(LearnWhatIsThere());
    if (members != nullptr) RETURN_IF_ERROR(CheckMembers(*members));
    if (reps != nullptr) RETURN_IF_ERROR(CheckReps(*reps, members.get()));
    if (!complaints_.empty()) return Complain("nothing was brought in");
    if (members != nullptr) RETURN_IF_ERROR(BringMembers(*members));
    if (reps != nullptr) RETURN_IF_ERROR(BringReps(*reps));
    return complaints_.empty() ? Status() : Complain("the others were brought in");
  }

 private:
  // Null where the folder has no such sheet.
  StatusOr<std::unique_ptr<Sheet>> Open(const std::string& folder, const std::string& file,
                                        const std::vector<std::string>& columns) {
    const std::string path = (fs::path(folder) / file).string();
    if (!fs::exists(path)) return std::unique_ptr<Sheet>();
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    return std::make_unique<Sheet>(file, text, columns, &complaints_);
  }

  Status Complain(const std::string& outcome) {
    for (const Complaint& complaint : complaints_) std::cerr << complaint.Text() << "\n";
    return Refuse(errors::INVALID_FIELD,
                  absl::StrCat(complaints_.size(), " of the rows ",
                               complaints_.size() == 1 ? "is" : "are", " wrong; ", outcome));
  }

  Status LearnWhatIsThere() {
    RETURN_IF_ERROR((EachPage<v1::ListMembersRequest, v1::ListMembersResponse>(
        [this](const v1::ListMembersResponse& page) {
          for (const auto& member : page.members()) {
            if (!member.source_key().empty()) members_[member.source_key()] = member;
          }
        })));
    return EachPage<v1::ListRepsRequest, v1::ListRepsResponse>(
        [this](const v1::ListRepsResponse& page) {
          for (const auto& rep : page.reps()) reps_.insert(rep.member());
        });
  }

  template <class Request, class Response>
  Status EachPage(const std::function<void(const Response&)>& each) {
    Request request;
    request.set_parent(parent_);
    request.set_page_size(kPageSize);
    do {
      ASSIGN_OR_RETURN(const Response page, client_.Call<Response>(request));
      each(page);
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return Status();
  }

  // Asks the hub about a request that its row alone does not show to be wrong.
  template <class Response, class Request>
  Status Check(const Row& row, Request request, size_t complaints_before) {
    if (complaints_.size() > complaints_before) return Status();
    request.set_validate_only(true);
    request.set_request_id(NewRandomId());
    return Judge(row, client_.Call<Response>(request).status());
  }

  // Complains of a refused row; not OK where the refusal is not about it.
  Status Judge(const Row& row, const Status& status) {
    if (IsDone(status)) return Status();
    if (!IsAboutTheRow(status)) return status;
    complaints_.push_back(ComplaintOf(row, status));
    return Status();
  }

  Status CheckMembers(const Sheet& sheet) {
    std::map<std::string, int> lines;
    for (const Row& row : sheet.rows()) {
      const size_t before = complaints_.size();
      CheckKey(row, &lines);
      const v1::CreateMemberRequest request = MemberOf(row, parent_, &complaints_);
      LeftOn(row, request.member().joined_on());
      if (members_.count(row["Key"]) == 0) {
        RETURN_IF_ERROR(Check<v1::Member>(row, request, before));
      }
      Progress(sheet, "checked", row);
    }
    return Status();
  }

  Status CheckReps(const Sheet& sheet, const Sheet* members) {
    std::map<std::string, int> lines;
    for (const Row& row : sheet.rows()) {
      const size_t before = complaints_.size();
      CheckKey(row, &lines);
      const std::string& key = row["Member"];
      const auto member = members_.find(key);
      const bool there = member != members_.end();
      const v1::CreateRepRequest request =
          RepOf(row, parent_, there ? member->second.name() : "", &complaints_);
      if (there && reps_.count(member->second.name()) == 0) {
        RETURN_IF_ERROR(Check<v1::Rep>(row, request, before));
      } else if (!there && !HasKey(members, key)) {
        complaints_.push_back({sheet.file(), row.line, "Member",
                               "'" + key + "' is no member of the forum, nor of members.csv"});
      }
      Progress(sheet, "checked", row);
    }
    return Status();
  }

  void CheckKey(const Row& row, std::map<std::string, int>* lines) {
    auto complain = [&](const std::string& reason) {
      complaints_.push_back({row.sheet->file(), row.line, "Key", reason});
    };
    const auto [first, is_new] = lines->emplace(row["Key"], row.line);
    if (row["Key"].empty()) {
      complain("is empty: without a key the row cannot be brought in once only");
    } else if (!is_new) {
      complain(absl::StrCat("'", row["Key"], "' is in line ", first->second, " too"));
    }
  }

  static bool HasKey(const Sheet* sheet, const std::string& key) {
    if (sheet == nullptr) return false;
    for (const Row& row : sheet->rows()) {
      if (row["Key"] == key) return true;
    }
    return false;
  }

  std::string LeftOn(const Row& row, const std::string& joined_on) {
    static const Mapping left = {"Left", "left_on", Mapping::kDay};
    const std::string date = ValueOf(row, left, &complaints_).value_or("");
    if (!date.empty() && date < joined_on) {
      complaints_.push_back({row.sheet->file(), row.line, "Left", "is before the day of joining"});
    }
    return date;
  }

  Status BringMembers(const Sheet& sheet) {
    Count count;
    for (const Row& row : sheet.rows()) {
      v1::CreateMemberRequest request = MemberOf(row, parent_, &complaints_);
      const std::string left_on = LeftOn(row, request.member().joined_on());
      v1::Member& member = members_[row["Key"]];
      bool there = !member.name().empty();
      if (!there) RETURN_IF_ERROR(Bring(row, "create", &request, &member));
      if (member.name().empty() && !dry_run_) continue;  // refused
      if (!left_on.empty() && member.state() != v1::Member::LEFT) {
        there = false;
        v1::LeaveMemberRequest leave;
        leave.set_name(member.name());
        leave.set_left_on(left_on);
        RETURN_IF_ERROR(Bring(row, "leave", &leave, &member));
      }
      ++(there ? count.there : count.brought);
      Progress(sheet, "brought in", row);
    }
    Summary(sheet, count);
    return Status();
  }

  Status BringReps(const Sheet& sheet) {
    Count count;
    for (const Row& row : sheet.rows()) {
      const std::string member = members_[row["Member"]].name();
      if (member.empty() && !dry_run_) continue;  // refused
      const bool there = reps_.count(member) > 0;
      v1::CreateRepRequest request = RepOf(row, parent_, member, &complaints_);
      v1::Rep rep;
      if (!there) RETURN_IF_ERROR(Bring(row, "create", &request, &rep));
      ++(there ? count.there : count.brought);
      Progress(sheet, "brought in", row);
    }
    Summary(sheet, count);
    return Status();
  }

  // Sends one step of a row, the same one with the same request_id. Nothing in a dry run.
  template <class Request, class Record>
  Status Bring(const Row& row, const std::string& step, Request* request, Record* record) {
    if (dry_run_) return Status();
    request->set_request_id(DerivedId(
        absl::StrJoin({row.sheet->file(), row["Key"], step, request->SerializeAsString()}, "|")));
    StatusOr<Record> answer = client_.Call<Record>(*request);
    if (answer.ok()) *record = std::move(*answer);
    return Judge(row, answer.status());
  }

  struct Count {
    int brought = 0;
    int there = 0;
  };

  void Summary(const Sheet& sheet, const Count& count) const {
    std::cout << sheet.file() << ": " << sheet.rows().size() << " rows, " << count.brought
              << (dry_run_ ? " to be brought in, " : " brought in, ") << count.there
              << " there already\n";
  }

  // On a terminal, the line that is being worked on.
  static void Progress(const Sheet& sheet, const char* what, const Row& row) {
    if (isatty(STDERR_FILENO) == 0) return;
    const bool last = &row == &sheet.rows().back();
    std::cerr << "\r" << sheet.file() << ": " << what << " up to line " << row.line
              << (last ? "\r\033[K" : "") << std::flush;
  }

  const std::string parent_;
  const Client client_;
  const bool dry_run_;
  std::vector<Complaint> complaints_;
  std::map<std::string, v1::Member> members_;  // by source_key
  std::set<std::string> reps_;                 // by the member's name
};

std::vector<std::string> ColumnsOf(const std::vector<Mapping>& mappings,
                                   const std::vector<std::string>& more) {
  std::vector<std::string> columns = more;
  for (const Mapping& mapping : mappings) columns.push_back(mapping.column);
  return columns;
}

}  // namespace

const std::vector<std::string>& MemberColumns() {
  static const std::vector<std::string> columns =
      ColumnsOf(MemberMappings(),
                {"Area", "Left", "Why left", "Forum role", "News", "Invitations", "Surveys"});
  return columns;
}

// The steps after the application are the rep's and the forum's own, each at its day.
const std::vector<std::string>& RepColumns() {
  static const std::vector<std::string> columns = ColumnsOf(
      RepMappings(), {"Key", "Member", "Applied", "Induction done", "Code version", "Code accepted",
                      "Terms version", "Terms accepted", "Declaration made", "Declaration",
                      "Activated", "Paused from", "Back on"});
  return columns;
}

v1::CreateMemberRequest MemberOf(const Row& row, const std::string& parent,
                                 std::vector<Complaint>* complaints) {
  v1::CreateMemberRequest request;
  request.set_parent(parent);
  Fill(row, MemberMappings(), &request, complaints);
  for (const auto& [column, purpose] : ConsentColumns()) {
    const std::string& given = row[column];
    if (given.empty()) continue;  // never asked
    if (given != "yes" && given != "no") {
      complaints->push_back(
          {row.sheet->file(), row.line, column, "'" + given + "' is not yes or no"});
    }
    auto* consent = request.mutable_member()->add_consents();
    consent->set_purpose(purpose);
    consent->set_given(given == "yes");
  }
  return request;
}

v1::CreateRepRequest RepOf(const Row& row, const std::string& parent, const std::string& member,
                           std::vector<Complaint>* complaints) {
  v1::CreateRepRequest request;
  request.set_parent(parent);
  request.set_member(member);
  Fill(row, RepMappings(), &request, complaints);
  return request;
}

Complaint ComplaintOf(const Row& row, const Status& refusal) {
  const errors::ErrorInfo info = ErrorInfoOf(refusal);
  const auto field = info.metadata().find("field");
  const std::string column = field == info.metadata().end() ? "" : ColumnOfField(field->second);
  return {row.sheet->file(), row.line, column, Refusal(refusal)};
}

Status Import(const std::string& folder, bool dry_run, const Options& options) {
  if (options.forum.empty()) {
    return UsageError("import needs to know the forum: --forum=warwickshire or HUB_FORUM");
  }
  return Run(options, dry_run).Do(folder);
}

}  // namespace hub::ctl
