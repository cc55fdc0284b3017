// What the columns mean.
#include "services/hubctl/import.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/base/letters.h"
#include "services/hubctl/commands.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
using google::protobuf::Message;

// A column and the field of the request that it fills.
struct Column {
  enum Kind {
    kText,
    kDay,
    kPhone,
    kDistrict,  // of a postcode
    kConsent,   // the field is the purpose
    kApart      // read elsewhere, or not kept by the hub
  };
  Heading heading;
  const char* field = "";
  Kind kind = kText;
  // What may stand there and what it means; the first of a meaning is how it is written.
  std::vector<std::pair<std::string, std::string>> words = {};
  bool others = false;  // other words stand for themselves
};

const std::vector<Column>& MemberColumns() {
  static const std::vector<Column> columns = {
      {{"Key",
        false,
        {"Id", "Reference", "Ref", "Member number", "Member no", "Membership number"}},
       "member.source_key"},
      {{"First name", true, {"Forename", "Given name", "Christian name"}}, "member.given_name"},
      {{"Last name", true, {"Surname", "Family name"}}, "member.family_name"},
      {{"E-mail", false, {"Email address", "Mail"}}, "member.email"},
      {{"Phone",
        false,
        {"Telephone", "Tel", "Mobile", "Phone number", "Mobile number", "Telephone number",
         "Contact number", "Mobile phone", "Phone no", "Mobile no", "Tel no"}},
       "member.phone",
       Column::kPhone},
      {{"Postcode district", false, {"Postcode", "Post code area"}},
       "member.postcode_district",
       Column::kDistrict},
      {{"Area", false, {"Town", "District"}}, "", Column::kApart},
      {{"Lives or uses services here", false, {"Residence", "Lives here"}},
       "member.residence",
       Column::kText,
       {{"LIVES", "LIVES_HERE"},
        {"USES_SERVICES", "USES_SERVICES_HERE"},
        {"Lives here", "LIVES_HERE"},
        {"Uses services here", "USES_SERVICES_HERE"}}},
      {{"Joined", true, {"Date joined", "Joined on", "Join date", "Member since", "Joining date"}},
       "member.joined_on",
       Column::kDay},
      {{"Left", false, {"Date left", "Left on", "Leaving date"}}, "", Column::kDay},
      {{"Why left", false, {"Reason for leaving"}}, "", Column::kApart},
      {{"Forum role", false, {"Role"}}, "", Column::kApart},
      {{"Reach by", false, {"Contact by", "Preferred contact", "Contact preference"}},
       "member.reach_by",
       Column::kText,
       {{"EMAIL", "EMAIL"},
        {"PHONE", "PHONE"},
        {"POST", "POST"},
        {"TEXT", "TEXT_MESSAGE"},
        {"Telephone", "PHONE"},
        {"Letter", "POST"},
        {"SMS", "TEXT_MESSAGE"},
        {"Text message", "TEXT_MESSAGE"}}},
      {{"Format", false, {"Accessible format", "Preferred format"}},
       "member.format",
       Column::kText,
       {{"STANDARD", ""},
        {"LARGE_PRINT", "large print"},
        {"EASY_READ", "easy read"},
        {"AUDIO", "audio"}},
       true},
      {{"News", false, {"Newsletter", "Consent to news"}}, "NEWS", Column::kConsent},
      {{"Invitations", false, {"Invites", "Consent to invitations"}},
       "INVITATIONS",
       Column::kConsent},
      {{"Surveys", false, {"Consent to surveys"}}, "SURVEYS", Column::kConsent},
      {{"First name shown", false, {"First name to others"}}, "FIRST_NAME", Column::kConsent}};
  return columns;
}

// The steps after the application are the rep's and the forum's own, each at its day.
const std::vector<Column>& RepColumns() {
  static const std::vector<Column> columns = [] {
    std::vector<Column> all = {{{"Key"}, "", Column::kApart},
                               {{"Member", true}, "member", Column::kApart},
                               {{"Most hours a month"}, "most_hours_a_month"}};
    for (const char* step : {"Applied", "Induction done", "Code version", "Code accepted",
                             "Terms version", "Terms accepted", "Declaration made", "Declaration",
                             "Activated", "Paused from", "Back on"}) {
      all.push_back({{step}, "", Column::kApart});
    }
    return all;
  }();
  return columns;
}

std::vector<Heading> HeadingsOf(const std::vector<Column>& columns) {
  std::vector<Heading> headings;
  for (const Column& column : columns) headings.push_back(column.heading);
  return headings;
}

const Column* ColumnNamed(const std::string& heading) {
  for (const auto* columns : {&MemberColumns(), &RepColumns()}) {
    for (const Column& column : *columns) {
      if (column.heading.title == heading) return &column;
    }
  }
  return nullptr;
}

std::string TitleOfField(const std::string& field) {
  for (const auto* columns : {&MemberColumns(), &RepColumns()}) {
    for (const Column& column : *columns) {
      if (*column.field != '\0' && field == column.field) return column.heading.title;
    }
  }
  return "";
}

Flag FlagOf(const google::protobuf::Descriptor* type, const Column& column) {
  Flag flag;
  flag.name = column.heading.title;
  for (const std::string& step : std::vector<std::string>(absl::StrSplit(column.field, '.'))) {
    flag.path.push_back(type->FindFieldByName(step));
    type = flag.field()->message_type();
  }
  return flag;
}

// '(01926) 123-456' -> '01926 123 456'. A spreadsheet that takes a number for a figure drops its
// zero: it is put back where the other ten digits can be nothing else.
std::string PhoneOf(const std::string& cell) {
  std::string phone =
      absl::StrReplaceAll(cell, {{"(0)", ""}, {"(", ""}, {")", " "}, {"-", " "}, {".", " "}});
  absl::RemoveExtraAsciiWhitespace(&phone);
  const bool digits = phone.size() == 10 && phone.find_first_not_of("0123456789") == phone.npos;
  return digits && std::string("1237").find(phone[0]) != std::string::npos ? "0" + phone : phone;
}

// 'cv31 1ab', 'CV311AB' -> 'CV31': no finer place is kept.
std::string DistrictOf(const std::string& cell) {
  std::string code = absl::StrReplaceAll(absl::AsciiStrToUpper(cell), {{" ", ""}});
  const bool whole = code.size() >= 5 && absl::ascii_isdigit(code[code.size() - 3]) &&
                     absl::ascii_isalpha(code[code.size() - 2]) &&
                     absl::ascii_isalpha(code[code.size() - 1]);
  if (whole) code.resize(code.size() - 3);
  return code;
}

bool IsFormulaError(const std::string& cell) {
  return cell.size() > 3 && cell[0] == '#' &&
         (cell.back() == '!' || cell.back() == '?' || cell == "#N/A") &&
         cell.find(' ') == std::string::npos;
}

// What the cell says, as the API writes it; complains and says nothing where it says nothing.
std::optional<std::string> ValueOf(const Row& row, const Column& column,
                                   std::vector<Complaint>* complaints) {
  const std::string& cell = row[column.heading.title];
  const auto complain = [&](const std::string& reason) {
    complaints->push_back(
        {row.sheet->file(), row.line, row.sheet->TitleOf(column.heading.title), reason});
    return std::nullopt;
  };
  if (cell.empty()) return std::nullopt;
  if (IsFormulaError(cell)) {
    return complain("'" + cell + "' is a formula's mistake; write the value itself");
  }
  if (column.kind == Column::kDay) {
    const auto date = ReadDay(cell);
    if (!date.ok()) return complain(MessageOf(date.status()));
    return *date;
  }
  if (column.kind == Column::kPhone) return PhoneOf(cell);
  if (column.kind == Column::kDistrict) return DistrictOf(cell);
  if (column.words.empty()) return cell;
  std::vector<std::string> known;
  for (const auto& [word, value] : column.words) {
    if (Folded(word) == Folded(cell)) return value;
    known.push_back(word);
  }
  if (column.others) return cell;
  return complain("'" + cell + "' is none of " + absl::StrJoin(known, ", "));
}

void Fill(const Row& row, const std::vector<Column>& columns, Message* request,
          std::vector<Complaint>* complaints) {
  for (const Column& column : columns) {
    if (column.kind == Column::kApart || column.kind == Column::kConsent || *column.field == '\0') {
      continue;
    }
    const std::optional<std::string> value = ValueOf(row, column, complaints);
    if (!value.has_value()) continue;
    const Status set = SetField(request, FlagOf(request->GetDescriptor(), column), {*value}, "");
    if (!set.ok()) {
      complaints->push_back(
          {row.sheet->file(), row.line, row.sheet->TitleOf(column.heading.title), MessageOf(set)});
    }
  }
}

// Of a yes that names none: the hub takes no consent without saying to what.
constexpr char kUnknownWording[] = "not told in the sheet";

// 'yes', or 'no (leaflet of May)' with the version of the wording that was read.
void AddConsent(const Row& row, const Column& column, v1::Member* member,
                std::vector<Complaint>* complaints) {
  const std::string& cell = row[column.heading.title];
  if (cell.empty()) return;  // never asked
  std::string word = cell, wording;
  if (const size_t bracket = cell.find('('); bracket != std::string::npos && cell.back() == ')') {
    word = cell.substr(0, bracket);
    wording = cell.substr(bracket + 1, cell.size() - bracket - 2);
  }
  word = Folded(word);
  const bool given = word == "yes" || word == "y" || word == "true";
  if (!given && word != "no" && word != "n" && word != "false") {
    complaints->push_back({row.sheet->file(), row.line, row.sheet->TitleOf(column.heading.title),
                           "'" + cell +
                               "' is not yes or no; write one of the two, or nothing where nobody "
                               "asked"});
  }
  v1::Consent* consent = member->add_consents();
  v1::Consent::Purpose purpose{};
  v1::Consent::Purpose_Parse(column.field, &purpose);
  consent->set_purpose(purpose);
  consent->set_given(given);
  consent->set_wording(given && wording.empty() ? kUnknownWording : wording);
}

std::string CellOf(const v1::Member& member, const Column& column) {
  if (column.kind == Column::kConsent) {
    for (const v1::Consent& consent : member.consents()) {
      if (v1::Consent::Purpose_Name(consent.purpose()) != column.field) continue;
      return absl::StrCat(consent.given() ? "yes" : "no",
                          consent.wording().empty() ? "" : " (" + consent.wording() + ")");
    }
    return "";
  }
  if (column.heading.title == "Left") return WriteDay(member.left_on());
  if (column.heading.title == "Key" && member.source_key().empty()) {
    return LastPart(member.name(), '/');
  }
  if (*column.field == '\0') return "";
  const auto* field = FlagOf(v1::CreateMemberRequest::descriptor(), column).field();
  const auto* reflection = member.GetReflection();
  const bool is_enum = field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_ENUM;
  std::string value =
      is_enum ? reflection->GetEnum(member, field)->name() : reflection->GetString(member, field);
  if (is_enum && reflection->GetEnum(member, field)->number() == 0) return "";
  if (column.kind == Column::kDay) return WriteDay(value);
  if (is_enum) {
    for (const auto& [word, meaning] : column.words) {
      if (meaning == value) return word;
    }
  }
  return value;
}

}  // namespace

const std::vector<Heading>& MemberHeadings() {
  static const std::vector<Heading> headings = HeadingsOf(MemberColumns());
  return headings;
}

const std::vector<Heading>& RepHeadings() {
  static const std::vector<Heading> headings = HeadingsOf(RepColumns());
  return headings;
}

v1::CreateMemberRequest MemberOf(const Row& row, const std::string& parent,
                                 std::vector<Complaint>* complaints) {
  v1::CreateMemberRequest request;
  request.set_parent(parent);
  Fill(row, MemberColumns(), &request, complaints);
  request.mutable_member()->set_source_key(SourceKey(row));
  for (const Column& column : MemberColumns()) {
    if (column.kind == Column::kConsent) {
      AddConsent(row, column, request.mutable_member(), complaints);
    }
  }
  return request;
}

v1::CreateRepRequest RepOf(const Row& row, const std::string& parent, const std::string& member,
                           std::vector<Complaint>* complaints) {
  v1::CreateRepRequest request;
  request.set_parent(parent);
  request.set_member(member);
  Fill(row, RepColumns(), &request, complaints);
  return request;
}

std::string DayIn(const Row& row, const std::string& heading, std::vector<Complaint>* complaints) {
  const Column day = {{heading}, "", Column::kDay};
  return ValueOf(row, day, complaints).value_or("");
}

std::string SourceKey(const Row& row) {
  if (!row["Key"].empty()) return row["Key"];
  std::vector<std::string> parts;
  for (const char* heading : {"First name", "Last name", "E-mail", "Phone"}) {
    parts.push_back(Folded(*heading == 'P' ? PhoneOf(row[heading]) : row[heading]));
  }
  if (parts[2].empty() && parts[3].empty()) {
    parts.push_back(DistrictOf(row["Postcode district"]));
    parts.push_back(ReadDay(row["Joined"]).value_or(""));
  }
  return "sheet-" + Hex(Sha256(absl::StrJoin(parts, "|"))).substr(0, 32);
}

std::vector<std::string> MemberTitles() {
  std::vector<std::string> titles;
  for (const Column& column : MemberColumns()) {
    if (column.kind != Column::kApart) titles.push_back(column.heading.title);
  }
  return titles;
}

std::vector<std::string> CellsOf(const v1::Member& member) {
  std::vector<std::string> cells;
  for (const Column& column : MemberColumns()) {
    if (column.kind != Column::kApart) cells.push_back(CellOf(member, column));
  }
  return cells;
}

bool IsKept(const std::string& heading) {
  const Column* column = ColumnNamed(heading);
  return column != nullptr && (column->kind != Column::kApart || *column->field != '\0');
}

bool IsDay(const std::string& heading) {
  const Column* column = ColumnNamed(heading);
  return column != nullptr && column->kind == Column::kDay;
}

Complaint ComplaintOf(const Row& row, const Status& refusal) {
  const errors::ErrorInfo info = ErrorInfoOf(refusal);
  const auto field = info.metadata().find("field");
  const std::string title = field == info.metadata().end() ? "" : TitleOfField(field->second);
  if (title.empty()) return {row.sheet->file(), row.line, "", Refusal(refusal)};
  return {row.sheet->file(), row.line, row.sheet->TitleOf(title), MessageOf(refusal)};
}

}  // namespace hub::ctl
