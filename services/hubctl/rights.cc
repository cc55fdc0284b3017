#include "services/hubctl/rights.h"

#include <sys/stat.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/words.h"
#include "common/schema/schema.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "services/hubctl/output.h"
#include "services/hubctl/page.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::hub::v1;
using coproduction::membership::v1::RightsRequest;
using google::protobuf::Struct;
using google::protobuf::Value;
using v1::PersonalEntry;

std::string Moment(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%-d %B %Y, %H:%M", absl::FromUnixMicros(ToMicros(time)), London());
}

std::string InWords(const std::string& field, const Value& value) {
  switch (value.kind_case()) {
    case Value::kBoolValue:
      return value.bool_value() ? "yes" : "no";
    case Value::kNumberValue:
      return absl::StrCat(value.number_value());
    case Value::kStringValue: {
      const std::string& text = value.string_value();
      absl::Time time;
      int64_t pence = 0;
      if (IsDate(text)) return DateInWords(text);
      if (text.size() > 10 && absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
        return absl::FormatTime("%-d %B %Y, %H:%M", time, London());
      }
      if (field.ends_with("_pence") && absl::SimpleAtoi(text, &pence)) {
        return absl::StrFormat("£%d.%02d", pence / 100, pence % 100);
      }
      const bool constant = text.size() > 1 && std::all_of(text.begin(), text.end(), [](char c) {
                              return absl::ascii_isupper(c) || c == '_';
                            });
      return constant ? Heading(text) : text;
    }
    case Value::kStructValue: {
      std::vector<std::string> parts;
      for (const auto& [name, part] : value.struct_value().fields()) {
        parts.push_back(Heading(name) + ": " + InWords(name, part));
      }
      std::sort(parts.begin(), parts.end());
      return absl::StrJoin(parts, ", ");
    }
    case Value::kListValue: {
      std::vector<std::string> parts;
      for (const auto& part : value.list_value().values()) parts.push_back(InWords(field, part));
      return absl::StrJoin(parts, "; ");
    }
    default:
      return "";
  }
}

Struct DataOf(const PersonalEntry& entry) {
  Struct data;
  if (!google::protobuf::util::JsonStringToMessage(entry.data_json(), &data).ok()) data.Clear();
  return data;
}

// 'tax law ..., for 6 years'
std::string Kept(const PersonalEntry& entry) {
  return absl::StrCat(
      absl::StrJoin(entry.kept(), ", ",
                    [](std::string* out, const std::string& field) { *out += Heading(field); }),
      " for ", entry.retention().substr(1, entry.retention().size() - 2),
      " years: ", entry.kept_because());
}

// A record as a table of its fields.
std::string RecordHtml(const PersonalEntry& entry) {
  std::map<std::string, std::string> lines;
  const Struct data = DataOf(entry);
  for (const auto& [field, value] : data.fields()) {
    if (field == "name" || field == "etag") continue;
    lines[field] = InWords(field, value);
  }
  std::string html = "<table>\n";
  for (const auto& [field, value] : lines) {
    absl::StrAppend(&html, Cells({Heading(field), value}));
  }
  if (!entry.withheld().empty()) {
    absl::StrAppend(
        &html, Cells({"Not shown", absl::StrJoin(entry.withheld(), ", ",
                                                 [](std::string* out, const std::string& field) {
                                                   *out += Heading(field);
                                                 })}));
  }
  return html + "</table>\n";
}

const char* TitleOf(PersonalEntry::Kind kind) {
  switch (kind) {
    case PersonalEntry::DONE:
      return "What was done to these records";
    case PersonalEntry::READ:
      return "Who read them, or a list in which you may stand";
    default:
      return "What was shared with partners";
  }
}

std::string HappenedHtml(const std::vector<const PersonalEntry*>& entries,
                         PersonalEntry::Kind kind) {
  std::string rows;
  for (const auto* entry : entries) {
    if (entry->kind() != kind) continue;
    const std::string what = Heading(LastPart(entry->type(), '.'));
    rows += kind == PersonalEntry::SHARED
                ? Cells({Moment(entry->time()), what, entry->by(), LastPart(entry->name(), '/'),
                         absl::StrCat(entry->times())})
                : Cells({Moment(entry->time()), what, entry->name(), entry->by(),
                         absl::StrCat(entry->times())});
  }
  if (rows.empty()) return "";
  return absl::StrCat(
      "<h3>", TitleOf(kind), "</h3>\n<table>\n",
      kind == PersonalEntry::SHARED
          ? Cells({"When", "In what", "What kind of data", "With whom", "Times that day"}, "th")
          : Cells({"When", "What", "Which record", "By whom", "Times that day"}, "th"),
      rows, "</table>\n");
}

Struct EntryStruct(const PersonalEntry& entry) {
  Struct out;
  auto& fields = *out.mutable_fields();
  fields["type"].set_string_value(entry.type());
  fields["name"].set_string_value(entry.name());
  if (entry.kind() == PersonalEntry::RECORD) {
    *fields["data"].mutable_struct_value() = DataOf(entry);
    for (const auto& field : entry.withheld()) {
      fields["withheld"].mutable_list_value()->add_values()->set_string_value(field);
    }
    if (!entry.kept().empty()) fields["kept_when_erased"].set_string_value(Kept(entry));
    return out;
  }
  fields["time"].set_string_value(absl::FormatTime(
      "%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMicros(ToMicros(entry.time())), absl::UTCTimeZone()));
  fields[entry.kind() == PersonalEntry::SHARED ? "data_item" : "by"].set_string_value(entry.by());
  fields["times"].set_number_value(static_cast<double>(entry.times()));
  return out;
}

Status WriteOwn(const std::string& path, const std::string& content) {
  RETURN_IF_ERROR(ReplaceFile(path, content));
  if (chmod(path.c_str(), 0600) == 0) return Status();
  return UsageError("'" + path + "' cannot be closed to others");
}

std::string Fields(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(absl::StrJoin(names, ", "), {{"_", " "}}));
}

}  // namespace

std::string PersonalJson(const v1::PersonalData& data, const std::string& member,
                         const std::string& made_on) {
  Struct all;
  (*all.mutable_fields())["member"].set_string_value(member);
  (*all.mutable_fields())["made_on"].set_string_value(made_on);
  auto& services = *(*all.mutable_fields())["services"].mutable_struct_value()->mutable_fields();
  const std::map<int, std::string> lists = {{PersonalEntry::RECORD, "records"},
                                            {PersonalEntry::DONE, "done"},
                                            {PersonalEntry::READ, "reads"},
                                            {PersonalEntry::SHARED, "shared"}};
  for (const auto& entry : data.entries()) {
    auto& service = *services[entry.service()].mutable_struct_value()->mutable_fields();
    const auto list = lists.find(entry.kind());
    if (list == lists.end()) continue;
    *service[list->second].mutable_list_value()->add_values()->mutable_struct_value() =
        EntryStruct(entry);
  }
  return AsJson(all);
}

std::string PersonalPage(const v1::PersonalData& data, const std::string& member,
                         const std::string& made_on) {
  std::map<std::string, std::vector<const PersonalEntry*>> services;
  for (const auto& entry : data.entries()) services[entry.service()].push_back(&entry);
  std::string html = absl::StrCat(
      PageHead("What is held about you"), "<h1>What is held about you</h1>\n<p>As of ",
      DateInWords(made_on), ", of ", Html(member),
      ".</p>\n<p>You may ask for mistakes to be put right, for your data to be erased or only "
      "stored, and you may object to being contacted. You may complain to the forum, which answers "
      "within 30 days that it has your complaint, and to the Information Commissioner.</p>\n");
  for (const auto& [service, entries] : services) {
    absl::StrAppend(&html, "<h2>", Heading(service), "</h2>\n");
    std::string type;
    for (const auto* entry : entries) {
      if (entry->kind() != PersonalEntry::RECORD) continue;
      if (entry->type() != type) {
        type = entry->type();
        absl::StrAppend(&html, "<h3>", Heading(type), "</h3>\n");
        if (!entry->kept().empty()) {
          absl::StrAppend(&html, "<p>If you are erased, this stays without your name: ",
                          Html(Kept(*entry)), ".</p>\n");
        }
      }
      absl::StrAppend(&html, RecordHtml(*entry));
    }
    for (auto kind : {PersonalEntry::DONE, PersonalEntry::READ, PersonalEntry::SHARED}) {
      absl::StrAppend(&html, HappenedHtml(entries, kind));
    }
  }
  return html + kPageEnd;
}

std::string ProofText(const RightsRequest& request) {
  std::string text = absl::StrCat("Erasure of ", request.member(), "\nAsked for on ",
                                  DateInWords(request.received_on()));
  const bool done = request.state() == RightsRequest::DONE;
  absl::StrAppend(&text, done ? ", done on " + DateInWords(request.done_on()) : ", not done yet",
                  ".\n");
  std::set<std::string> missing = schema::ServicesWithPersons();
  for (const auto& service : request.confirmations()) {
    missing.erase(service.service());
    absl::StrAppend(&text, "\n", Heading(service.service()), ", on ",
                    DateInWords(service.erased_on()), ":\n");
    if (service.kinds().empty()) absl::StrAppend(&text, "  There was nothing about the person.\n");
    for (const auto& kind : service.kinds()) {
      absl::StrAppend(&text, "  ", Heading(kind.type()), ", ", kind.records(),
                      kind.records() == 1 ? " record: " : " records: ");
      std::vector<std::string> said;
      if (kind.removed()) said.push_back("gone, and the key to it in every copy");
      if (!kind.blanked().empty()) said.push_back("emptied " + Fields(kind.blanked()));
      if (!kind.kept().empty()) {
        said.push_back(absl::StrCat("kept without a name until ", DateInWords(kind.kept_until()),
                                    " at most, as ", kind.kept_because(), ": ",
                                    Fields(kind.kept())));
      }
      if (said.empty()) said.push_back("counts, under a number that leads to nobody");
      absl::StrAppend(&text, absl::StrJoin(said, "; "), ".\n");
    }
  }
  if (done) {
    absl::StrAppend(
        &text,
        "\nAll services have said so. The journal stays as it is sealed: that something was "
        "done, when and with\nwhich sign-in, without content. Copies made before go with their "
        "age; "
        "when one is brought back, the person\nis erased again before it serves.\n");
  } else {
    absl::StrAppend(
        &text, "\nNot said yet by: ", absl::StrJoin(missing, ", "), ".",
        request.due_on().empty() ? "" : " Due on " + DateInWords(request.due_on()) + ".", "\n");
  }
  return text;
}

Status ExportPerson(const std::string& member, const std::string& folder, Options options) {
  options = SpeakingAs("membership_admin", std::move(options));
  v1::GetPersonalDataRequest request;
  request.set_name(member.starts_with("forums/")
                       ? member
                       : "forums/" + options.forum + "/members/" + LastPart(member, '/'));
  request.set_page_size(kPageSize);
  ASSIGN_OR_RETURN(const auto all, WholeOf<v1::PersonalData>(options, request));
  const std::string today = LondonDate(MachineNow());
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return UsageError("--to=" + folder + " cannot be made");
  }
  RETURN_IF_ERROR(WriteOwn(folder + "/data.json", PersonalJson(all, request.name(), today)));
  RETURN_IF_ERROR(WriteOwn(folder + "/data.html", PersonalPage(all, request.name(), today)));
  const auto records = std::count_if(
      all.entries().begin(), all.entries().end(),
      [](const PersonalEntry& entry) { return entry.kind() == PersonalEntry::RECORD; });
  std::cout << folder << "/data.json and data.html: " << records << " records, "
            << all.entries_size() - records << " things that happened to them\n";
  return Status();
}

Status ShowProof(const std::string& request, Options options) {
  options = SpeakingAs("membership_admin", std::move(options));
  coproduction::membership::v1::GetRightsRequestRequest get;
  get.set_name(request.starts_with("forums/")
                   ? request
                   : "forums/" + options.forum + "/rightsRequests/" + LastPart(request, '/'));
  ASSIGN_OR_RETURN(const auto found, Client(options).Call<RightsRequest>(get));
  if (found.kind() != RightsRequest::ERASURE) {
    return UsageError("'" + get.name() + "' is no request for erasure");
  }
  std::cout << (options.format == "json" ? AsJson(found) : ProofText(found));
  return Status();
}

}  // namespace hub::ctl
