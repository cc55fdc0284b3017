#include "services/hubctl/commands.h"

#include <map>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/id.h"
#include "common/base/words.h"
#include "coproduction/options/v1/options.pb.h"
#include "google/protobuf/util/json_util.h"
#include "services/hubctl/api.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace options = ::coproduction::options::v1;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::Reflection;

const options::Field& OptionOf(const FieldDescriptor* field) {
  return field->options().GetExtension(options::field);
}

std::string Singular(const std::string& plural) {
  if (plural.ends_with("ies")) return plural.substr(0, plural.size() - 3) + "y";
  return plural.ends_with("s") ? plural.substr(0, plural.size() - 1) : plural;
}

// 'school-holidays' -> 'SchoolHolidays'
std::string Camel(const std::string& kebab) {
  std::string camel;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(kebab, '-'))) {
    camel += word.empty() ? word : absl::ascii_toupper(word[0]) + word.substr(1);
  }
  return camel;
}

std::string VerbOf(const std::string& noun, const std::string& method) {
  for (const std::string& suffix : {Camel(noun), Singular(Camel(noun))}) {
    if (method.size() > suffix.size() && method.ends_with(suffix)) {
      return Kebab(method.substr(0, method.size() - suffix.size()));
    }
  }
  return Kebab(method);
}

bool IsOf(const Descriptor* type, const char* name) {
  return type != nullptr && type->full_name() == name;
}
bool IsMask(const FieldDescriptor* field) {
  return IsOf(field->message_type(), "google.protobuf.FieldMask");
}
bool IsRecord(const Descriptor* type) { return type->options().HasExtension(options::resource); }
// Messages that are written as one text.
bool IsText(const Descriptor* type) { return type->file()->package() == "google.protobuf"; }

// What is typed into a JSON text as it stands, in quotes or without.
bool IsQuoted(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
             ? IsText(field->message_type())
             : field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL;
}

std::string ValuesOf(const EnumDescriptor* type) {
  std::vector<std::string> names;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->number() != 0) names.push_back(type->value(i)->name());
  }
  return absl::StrJoin(names, ", ");
}

std::string Expected(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return "one of " + ValuesOf(field->enum_type());
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return IsText(field->message_type()) ? "an instant as 2021-12-03T11:00:00Z"
                                           : "JSON of " + field->message_type()->name();
    default:
      return "a whole number";
  }
}

// Collects a flag for each field that can be set from outside, down to the leaves.
struct Collector {
  bool update;  // the method has an update_mask: what is immutable cannot be set
  bool create;
  Command* command;

  void Add(const Descriptor* type, std::vector<const FieldDescriptor*> path) {
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const options::Field& option = OptionOf(field);
      const bool nested = !path.empty();
      if (option.output_only() || option.computed()) continue;
      if (nested && update && option.immutable()) continue;
      if (nested && IsRecord(type)) {  // what the server gives
        if (field->name() == "name" && create) continue;
        if (field->name() == "etag" && !update) continue;
      }
      path.push_back(field);
      const Descriptor* message = field->message_type();
      if (message != nullptr && !field->is_repeated() && !IsText(message) && path.size() < 4) {
        Add(message, path);
      } else if (IsPositional(type, field, path.size())) {
        command->positional.path = path;
        command->positional.name = nested ? "name" : field->name();
      } else {
        Flag flag;
        flag.path = path;
        flag.required = option.required() && !update;
        flag.full = absl::StrJoin(path, ".", [](std::string* out, const FieldDescriptor* step) {
          out->append(Kebab(step->name()));
        });
        command->flags.push_back(std::move(flag));
      }
      path.pop_back();
    }
  }

  bool IsPositional(const Descriptor* type, const FieldDescriptor* field, size_t depth) const {
    if (!command->positional.path.empty()) return false;
    if (depth == 1) return field->name() == "name" || field->name() == "parent";
    return depth == 2 && update && IsRecord(type) && field->name() == "name";
  }
};

// The short name where no other field and no global flag has it.
void NameFlags(std::vector<Flag>* flags) {
  std::map<std::string, int> uses;
  for (const Flag& flag : *flags) ++uses[Kebab(flag.field()->name())];
  for (Flag& flag : *flags) {
    const std::string name = Kebab(flag.field()->name());
    const bool top = flag.path.size() == 1;
    if (GlobalFlags().count(name) > 0) {
      if (top) flag.full = "the-" + name;
    } else if (top || uses[name] == 1) {
      flag.name = name;
    }
  }
}

std::string WithinForum(const std::string& text, const std::string& forum) {
  const bool whole = text.starts_with("forums/") || text.find('/') == std::string::npos;
  return whole || forum.empty() ? text : "forums/" + forum + "/" + text;
}

// Sets a field that is not a string, through JSON's own reading of its type.
Status SetByJson(Message* message, const FieldDescriptor* field, std::string value,
                 const std::string& flag) {
  const Status wrong =
      UsageError("--" + flag + " is '" + value + "', which is not " + Expected(field));
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    value = absl::AsciiStrToUpper(absl::StrReplaceAll(value, {{"-", "_"}}));
    if (field->enum_type()->FindValueByName(value) == nullptr) return wrong;
  }
  if (IsQuoted(field)) {
    if (value.find_first_of("\"\\\n") != std::string::npos) return wrong;
    value = "\"" + value + "\"";
  }
  const bool one_of_many = field->is_repeated() && !absl::StartsWith(value, "[");
  const std::string json = absl::StrCat("{\"", field->json_name(), "\":", one_of_many ? "[" : "",
                                        value, one_of_many ? "]" : "", "}");
  std::unique_ptr<Message> part(message->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, part.get());
  if (!parsed.ok()) {
    return field->message_type() == nullptr || IsText(field->message_type())
               ? wrong
               : UsageError(MessageOf(wrong) + ": " + std::string(parsed.message()));
  }
  message->MergeFrom(*part);
  return Status();
}

void SetMask(Message* message, const FieldDescriptor* field,
             const std::vector<std::string>& paths) {
  Message* mask = message->GetReflection()->MutableMessage(message, field);
  const FieldDescriptor* list = mask->GetDescriptor()->FindFieldByName("paths");
  for (const std::string& path : paths) mask->GetReflection()->AddString(mask, list, path);
}

}  // namespace

const std::set<std::string>& GlobalFlags() {
  static const std::set<std::string> names = {"server", "token",  "token-file", "as",   "forum",
                                              "state",  "format", "json",       "help", "all"};
  return names;
}

std::vector<Command> CommandsOf(const std::string& noun,
                                const google::protobuf::ServiceDescriptor* service) {
  std::vector<Command> commands;
  std::map<std::string, int> uses;
  for (int i = 0; i < service->method_count(); ++i) {
    ++uses[VerbOf(noun, service->method(i)->name())];
  }
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor* method = service->method(i);
    Command command{VerbOf(noun, method->name()), method, {}, {}};
    if (uses[command.verb] > 1) command.verb = Kebab(method->name());
    const Descriptor* request = method->input_type();
    Collector{request->FindFieldByName("update_mask") != nullptr,
              method->name().starts_with("Create"), &command}
        .Add(request, {});
    NameFlags(&command.flags);
    commands.push_back(std::move(command));
  }
  return commands;
}

Status SetField(Message* request, const Flag& flag, const std::vector<std::string>& values,
                const std::string& forum) {
  Message* message = request;
  for (size_t i = 0; i + 1 < flag.path.size(); ++i) {
    message = message->GetReflection()->MutableMessage(message, flag.path[i]);
  }
  const FieldDescriptor* field = flag.field();
  const Reflection* reflection = message->GetReflection();
  const std::string& flag_name = flag.name.empty() ? flag.full : flag.name;
  for (std::string value : values) {
    if (IsMask(field)) {
      SetMask(message, field, absl::StrSplit(value, ','));
    } else if (field->type() != FieldDescriptor::TYPE_STRING) {
      RETURN_IF_ERROR(SetByJson(message, field, value, flag_name));
    } else {
      int64_t version;
      if (field->name() == "etag" && absl::SimpleAtoi(value, &version)) {
        value = "\"" + value + "\"";  // the shell took the quotes
      } else if (field->name() == "name" || field->name() == "parent" ||
                 !OptionOf(field).reference().empty()) {
        value = WithinForum(value, forum);
      }
      if (field->is_repeated()) {
        reflection->AddString(message, field, value);
      } else {
        reflection->SetString(message, field, value);
      }
    }
  }
  return Status();
}

std::string DefaultName(const Command& command, const std::string& forum) {
  if (command.positional.path.empty() || forum.empty()) return "";
  if (command.positional.field()->name() == "parent") return "forums/" + forum;
  const Descriptor* record = command.positional.path.size() > 1
                                 ? command.positional.field()->containing_type()
                                 : command.method->output_type();
  if (!IsRecord(record)) return "";
  const std::string name = absl::StrReplaceAll(
      record->options().GetExtension(options::resource).pattern(), {{"{forum}", forum}});
  return name.find('{') == std::string::npos ? name : "";
}

void FillMask(Message* request, const std::vector<const Flag*>& given) {
  const FieldDescriptor* mask = request->GetDescriptor()->FindFieldByName("update_mask");
  if (mask == nullptr || request->GetReflection()->HasField(*request, mask)) return;
  std::set<std::string> paths;
  for (const Flag* flag : given) {
    if (flag->path.size() > 1 && flag->path[1]->name() != "etag") {
      paths.insert(flag->path[1]->name());
    }
  }
  if (!paths.empty()) SetMask(request, mask, {paths.begin(), paths.end()});
}

void FillRequestId(Message* request) {
  const FieldDescriptor* id = request->GetDescriptor()->FindFieldByName("request_id");
  const Reflection* reflection = request->GetReflection();
  if (id != nullptr && reflection->GetString(*request, id).empty()) {
    reflection->SetString(request, id, NewRandomId());
  }
}

std::string HelpOf(const Flag& flag) {
  const FieldDescriptor* field = flag.field();
  static const std::map<std::string, std::string> standard = {
      {"etag",
       "The version that the decision rests on, as it was read: refused if it changed since."},
      {"request_id", "A UUID: the same one again has no second effect. A new one where not given."},
      {"page_size", "Records a page."},
      {"page_token", "Where to go on, from the page before."},
      {"filter", "Equality by field, as 'state = \"ACTIVE\"'."},
      {"update_mask", "Fields to set, parted by commas. The flags given where not said."},
      {"validate_only", "Only says whether it would be refused."}};
  std::vector<std::string> parts;
  if (flag.required) parts.push_back("[required]");
  const std::string comment = CommentOf(field);
  if (!comment.empty()) {
    parts.push_back(comment);
  } else if (auto it = standard.find(field->name()); it != standard.end()) {
    parts.push_back(it->second);
  }
  if (const std::string& reference = OptionOf(field).reference(); !reference.empty()) {
    parts.push_back("(the name of a " + Kebab(reference.substr(reference.rfind('.') + 1)) + ")");
  } else if (OptionOf(field).format() == options::Field::DATE) {
    parts.push_back("(YYYY-MM-DD)");
  } else if (field->type() != FieldDescriptor::TYPE_STRING &&
             field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL && !IsMask(field)) {
    parts.push_back("(" + Expected(field) + ")");
  }
  if (field->is_repeated()) parts.push_back("May be given again.");
  return absl::StrJoin(parts, " ");
}

std::string PolicyOf(const MethodDescriptor* method) {
  const options::Method& option = method->options().GetExtension(options::method);
  std::vector<std::string> callers, ways;
  for (const auto& policy : option.policy()) {
    for (int role : policy.roles()) {
      callers.push_back(
          Words(options::Role_Name(static_cast<options::Role>(role))) +
          (policy.relation() == options::Policy::OWN ? " (what is about oneself)" : ""));
    }
  }
  for (const auto& way : option.transitions()) {
    if (way.from_size() > 0) {
      ways.push_back(absl::StrCat(absl::StrJoin(way.from(), " or "), " to ", way.to()));
    }
  }
  std::string text =
      callers.empty() ? "" : "May be called by: " + absl::StrJoin(callers, ", ") + ".";
  if (!ways.empty()) absl::StrAppend(&text, "\nLeads from ", absl::StrJoin(ways, "; from "), ".");
  if (option.demo_only()) text += "\nOnly where the hub's state is a demonstration's.";
  return text;
}

}  // namespace hub::ctl
