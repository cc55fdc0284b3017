#include "common/schema/schema.h"

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/date.h"
#include "common/base/id.h"
#include "google/protobuf/descriptor_database.h"

namespace hub::schema {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::Reflection;

const std::set<std::string>& StandardNames() {
  static const std::set<std::string> names = {
      "name",       "parent",          "etag",        "request_id",    "page_size",
      "page_token", "next_page_token", "update_mask", "validate_only", "filter"};
  return names;
}

bool IsTimestamp(const FieldDescriptor* field) {
  return field->message_type() != nullptr &&
         field->message_type()->full_name() == "google.protobuf.Timestamp";
}

std::string ServiceOf(const std::string& package) {  // coproduction.<service>.v1
  std::vector<std::string> parts = absl::StrSplit(package, '.');
  return parts.size() > 1 ? parts[1] : "";
}

Column MakeColumn(const FieldDescriptor* field) {
  const auto& option = FieldOption(field);
  Column column{field, field->name(), Column::kText, field->has_presence()};
  if (field->is_repeated() || (field->message_type() != nullptr && !IsTimestamp(field))) {
    column.kind = Column::kValue;
    column.nullable = true;
  } else if (IsTimestamp(field)) {
    column.kind = Column::kTime;
  } else if (!option.reference().empty()) {
    column.kind = Column::kReference;
    column.name += "_id";
  } else {
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        column.kind = Column::kBool;
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        column.kind = Column::kEnum;
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        column.kind = Column::kText;
        break;
      default:
        column.kind = Column::kInteger;
    }
  }
  return column;
}

struct Registry {
  std::unordered_map<const Descriptor*, Resource> resources;
  std::map<std::string, const Resource*> by_collection;  // '' is the forum itself
  std::map<std::string, const Resource*> by_type;
  std::map<std::string, Method> methods;
  std::unordered_map<const Descriptor*, const Method*> by_request;
  std::vector<const Descriptor*> messages;
  std::vector<const Descriptor*> events;
  std::unordered_map<const Descriptor*, std::string> item_of;
  std::set<std::string> items;

  void AddMessage(const Descriptor* type) {
    messages.push_back(type);
    for (int i = 0; i < type->nested_type_count(); ++i) {
      if (!type->nested_type(i)->options().map_entry()) AddMessage(type->nested_type(i));
    }
    if (type->options().HasExtension(options::event)) events.push_back(type);
    for (int i = 0; i < type->field_count(); ++i) {
      const std::string& item = FieldOption(type->field(i)).agreement();
      if (item.empty()) continue;
      items.insert(item);
      item_of.emplace(type, item);
    }
    if (!type->options().HasExtension(options::resource)) return;
    Resource resource{type,
                      &type->options().GetExtension(options::resource),
                      ServiceOf(type->file()->package()),
                      "",
                      false,
                      {},
                      type->FindFieldByName("name"),
                      type->FindFieldByName("etag"),
                      type->FindFieldByName("state")};
    std::vector<std::string> parts = absl::StrSplit(resource.option->pattern(), '/');
    if (parts.size() > 2) resource.collection = parts[2];
    resource.singleton = parts.size() == 3;
    for (int i = 0; i < type->field_count(); ++i) {
      const auto* field = type->field(i);
      if (field == resource.name || field == resource.etag || FieldOption(field).computed()) {
        continue;
      }
      resource.columns.push_back(MakeColumn(field));
    }
    const Resource* stored = &resources.emplace(type, std::move(resource)).first->second;
    by_collection[stored->collection] = stored;
    by_type[type->full_name()] = stored;
  }

  Registry() {
    std::vector<std::string> files;
    // The pool is filled lazily, so its own list of files is asked.
    static_cast<google::protobuf::EncodedDescriptorDatabase*>(
        DescriptorPool::internal_generated_database())
        ->FindAllFileNames(&files);
    std::set<std::string> ordered(files.begin(), files.end());
    for (const auto& name : ordered) {
      if (name.rfind("coproduction/", 0) != 0) continue;
      const FileDescriptor* file = DescriptorPool::generated_pool()->FindFileByName(name);
      if (file == nullptr) continue;
      for (int i = 0; i < file->message_type_count(); ++i) AddMessage(file->message_type(i));
      for (int i = 0; i < file->service_count(); ++i) {
        const auto* service = file->service(i);
        for (int j = 0; j < service->method_count(); ++j) {
          const auto* method = service->method(j);
          Method& entry = methods[method->full_name()];
          entry = {method, &method->options().GetExtension(options::method),
                   "/" + service->full_name() + "/" + method->name(), ServiceOf(file->package())};
          by_request[method->input_type()] = &entry;
        }
      }
    }
  }
};

const Registry& All() {
  static const Registry registry;
  return registry;
}

std::string Path(const std::string& prefix, const FieldDescriptor* field) {
  return prefix.empty() ? field->name() : prefix + "." + field->name();
}

bool Matches(options::Field::Format format, const std::string& text) {
  auto all = [&](auto fine) {
    for (char c : text) {
      if (!fine(c)) return false;
    }
    return true;
  };
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  switch (format) {
    case options::Field::EMAIL: {
      size_t at = text.find('@');
      return at != std::string::npos && at > 0 && text.find('@', at + 1) == std::string::npos &&
             text.find('.', at) != std::string::npos && text.back() != '.' &&
             all([](char c) { return c > ' ' && c != ',' && c != ';'; });
    }
    case options::Field::PHONE:
      return text.size() >= 8 && all([&](char c) { return digit(c) || c == '+' || c == ' '; });
    case options::Field::POSTCODE_DISTRICT:
      return text.size() >= 2 && text.size() <= 4 && upper(text[0]) &&
             all([&](char c) { return digit(c) || upper(c); });
    case options::Field::SLUG:
      return lower(text[0]) && all([&](char c) { return digit(c) || lower(c) || c == '-'; });
    case options::Field::DATE:
      return IsDate(text);
    case options::Field::TIME_OF_DAY:
      return text.size() == 5 && text[2] == ':' && digit(text[0]) && digit(text[1]) &&
             digit(text[3]) && digit(text[4]) && text.substr(0, 2) < "24" && text.substr(3) < "60";
    case options::Field::UUID:
      return IsUuid(text);
    case options::Field::URL:
      return text.rfind("https://", 0) == 0 && all([](char c) { return c > ' '; });
    default:
      return true;
  }
}

const char* Describe(options::Field::Format format) {
  switch (format) {
    case options::Field::EMAIL:
      return "an e-mail address";
    case options::Field::PHONE:
      return "a telephone number of digits, spaces and a leading +";
    case options::Field::POSTCODE_DISTRICT:
      return "the first half of a postcode, as CV21";
    case options::Field::SLUG:
      return "a word of small letters, digits and hyphens";
    case options::Field::DATE:
      return "a date, as 2021-12-03";
    case options::Field::TIME_OF_DAY:
      return "a time of day, as 11:00";
    case options::Field::UUID:
      return "an identifier, as 0190a5f2-7b1c-7e4e-8a43-0242ac120002";
    case options::Field::URL:
      return "an address that begins with https://";
    default:
      return "text";
  }
}

Status CheckText(const FieldDescriptor* field, const std::string& text, const std::string& path,
                 const std::string& wanted_forum) {
  const auto& option = FieldOption(field);
  size_t most = option.max_len() > 0 ? option.max_len() : 200;
  if (field->name() == "page_token") most = 2000;
  if (text.size() > most) {
    return InvalidField(path, path + " is " + std::to_string(text.size()) +
                                  " bytes long; at most " + std::to_string(most) + " are kept");
  }
  for (unsigned char c : text) {
    if (c < ' ' && c != '\n' && c != '\t') {
      return InvalidField(path, path + " holds a control character, which no text here may have");
    }
  }
  if (text.empty()) return Status();
  if (!Matches(option.format(), text)) {
    return InvalidField(path,
                        path + " is '" + text + "', which is not " + Describe(option.format()));
  }
  if (!option.reference().empty()) {
    const Resource* target = FindResource(option.reference());
    std::string forum, id;
    if (target == nullptr || !ParseName(*target, text, &forum, &id)) {
      return InvalidField(path, path + " is '" + text + "', which is not a name of the form " +
                                    (target ? target->option->pattern() : option.reference()));
    }
    if (!wanted_forum.empty() && forum != wanted_forum) {
      return InvalidField(path, path + " is '" + text + "', which is of another forum than " +
                                    "forums/" + wanted_forum);
    }
  }
  return Status();
}

Status CheckNumber(const FieldDescriptor* field, int64_t value, const std::string& path) {
  const auto& option = FieldOption(field);
  if (option.min() == 0 && option.max() == 0) return Status();
  if (value >= option.min() && value <= option.max()) return Status();
  return InvalidField(path, path + " is " + std::to_string(value) + "; it must be from " +
                                std::to_string(option.min()) + " to " +
                                std::to_string(option.max()));
}

// `whole`: a record in the request is new, so what it requires must be there; an update's mask
// leaves out what it does not change.
Status ValidateMessage(Message* message, const std::string& forum, bool whole,
                       const std::string& prefix, int depth) {
  if (depth > 16) return InvalidField(prefix, prefix + " is nested too deeply");
  const Descriptor* type = message->GetDescriptor();
  const Reflection* reflection = message->GetReflection();
  const bool record = FindResource(type) != nullptr;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const auto& option = FieldOption(field);
    const std::string path = Path(prefix, field);
    if (option.output_only() || option.computed()) {  // AIP-203: what the server sets is ignored
      reflection->ClearField(message, field);
      continue;
    }
    if ((!record || whole) && option.required()) {
      bool empty = field->is_repeated() ? reflection->FieldSize(*message, field) == 0
                   : field->cpp_type() == FieldDescriptor::CPPTYPE_STRING
                       ? reflection->GetString(*message, field).empty()
                   : field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM
                       ? reflection->GetEnumValue(*message, field) == 0
                       : field->has_presence() && !reflection->HasField(*message, field);
      if (empty) return Refuse(errors::FIELD_REQUIRED, path + " is required", path);
    }
    if (field->is_map()) continue;
    int count = field->is_repeated() ? reflection->FieldSize(*message, field) : 1;
    const int most = option.max_len() > 0 && field->cpp_type() != FieldDescriptor::CPPTYPE_STRING
                         ? static_cast<int>(option.max_len())
                         : 100;
    if (field->is_repeated() && count > most) {
      return InvalidField(path, path + " has " + std::to_string(count) + " entries; at most " +
                                    std::to_string(most) + " are taken at once");
    }
    for (int j = 0; j < count; ++j) {
      const bool many = field->is_repeated();
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          if (field->type() == FieldDescriptor::TYPE_BYTES) break;
          RETURN_IF_ERROR(CheckText(field,
                                    many ? reflection->GetRepeatedString(*message, field, j)
                                         : reflection->GetString(*message, field),
                                    path, forum));
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          if (many || (field->has_presence() && !reflection->HasField(*message, field))) break;
          RETURN_IF_ERROR(CheckNumber(field, reflection->GetInt32(*message, field), path));
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          if (many || (field->has_presence() && !reflection->HasField(*message, field))) break;
          RETURN_IF_ERROR(CheckNumber(field, reflection->GetInt64(*message, field), path));
          break;
        case FieldDescriptor::CPPTYPE_ENUM: {
          int value = many ? reflection->GetRepeatedEnumValue(*message, field, j)
                           : reflection->GetEnumValue(*message, field);
          if (field->enum_type()->FindValueByNumber(value) == nullptr) {
            return InvalidField(path, path + " is " + std::to_string(value) +
                                          ", which is no value of " + field->enum_type()->name());
          }
          break;
        }
        case FieldDescriptor::CPPTYPE_MESSAGE:
          if (!IsClassifiedMessage(field)) break;
          if (many) {
            RETURN_IF_ERROR(ValidateMessage(reflection->MutableRepeatedMessage(message, field, j),
                                            forum, whole, path, depth + 1));
          } else if (reflection->HasField(*message, field)) {
            RETURN_IF_ERROR(ValidateMessage(reflection->MutableMessage(message, field), forum,
                                            whole, path, depth + 1));
          }
          break;
        default:
          break;
      }
    }
  }
  return Status();
}

// Whether a field, or one of its own, is personal and says not how long it is kept.
bool WithoutTime(const FieldDescriptor* field) {
  if (!IsClassifiedMessage(field)) {
    const auto& option = FieldOption(field);
    return option.sensitivity() >= options::Field::PERSONAL && !option.computed() &&
           option.retention().empty();
  }
  for (int i = 0; i < field->message_type()->field_count(); ++i) {
    if (WithoutTime(field->message_type()->field(i))) return true;
  }
  return false;
}

// A record that refers to a person is about that person: nobody's export or erasure leaves it out.
void CheckPerson(const Resource& resource,
                 const std::function<void(const std::string&, const std::string&)>& say) {
  const std::string& where = resource.type->full_name();
  const auto& through = resource.option->through();
  for (const auto& column : resource.columns) {
    const auto& option = FieldOption(column.field);
    const Resource* target = FindResource(option.reference());
    const bool person = target != nullptr && target->option->own() == "name";
    const auto* own =
        target != nullptr ? target->type->FindFieldByName(target->option->own()) : nullptr;
    const Resource* owner = own != nullptr ? FindResource(FieldOption(own).reference()) : nullptr;
    const bool of_person = owner != nullptr && owner->option->own() == "name";
    if (person && resource.option->own().empty()) {
      say(column.field->full_name(),
          "refers to a person, so its record is about one: name the field as `own`");
    }
    if (of_person && !resource.about_person()) {
      say(column.field->full_name(),
          "refers to a record of a person: name it in `through`, or the person as `own`");
    }
    if (!resource.about_person() && WithoutTime(column.field)) {
      say(column.field->full_name(),
          "is personal, and its record is about nobody: how long it is "
          "kept say `retention` and the record's `kept_since`");
    }
    if (option.retention().empty()) continue;
    if (YearsOf(option.retention()) == 0 || option.sensitivity() < options::Field::PERSONAL) {
      say(column.field->full_name(), "has the retention '" + option.retention() +
                                         "'; years, as 'P6Y', are for personal fields");
    }
  }
  const bool kept = !RetentionsOf(resource.type).empty();
  const bool because = !resource.option->kept_because().empty();
  if (because != (kept && resource.about_person())) {
    say(where,
        "says kept_because if and only if one of its fields has a retention after an erasure");
  }
  const std::string& since = resource.option->kept_since();
  const auto* date = since.empty() ? nullptr : resource.type->FindFieldByName(since);
  const bool is_date = date != nullptr && FieldOption(date).format() == options::Field::DATE;
  if (kept && !resource.about_person() ? !is_date : !since.empty()) {
    say(where,
        "says kept_since, a date, if and only if it is about nobody and one of its fields has "
        "a retention");
  }
  for (const std::string& name : through) {
    const auto* field = resource.type->FindFieldByName(name);
    const Resource* target = field ? FindResource(FieldOption(field).reference()) : nullptr;
    if (target == nullptr || target->service != resource.service || target->option->own().empty()) {
      say(where, "names '" + name + "' in `through`, which is no record about a person here");
    }
  }
}

}  // namespace

const Resource* FindResource(const Descriptor* type) {
  auto it = All().resources.find(type);
  return it == All().resources.end() ? nullptr : &it->second;
}

const Resource* FindResource(const std::string& full_name) {
  auto it = All().by_type.find(full_name);
  return it == All().by_type.end() ? nullptr : it->second;
}

const Resource* ResourceOfName(const std::string& name) {
  std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() < 2) return nullptr;
  auto it = All().by_collection.find(parts.size() > 2 ? parts[2] : "");
  std::string forum, id;
  if (it == All().by_collection.end() || !ParseName(*it->second, name, &forum, &id)) return nullptr;
  return it->second;
}

const Method* FindMethod(const std::string& full_name) {
  auto it = All().methods.find(full_name);
  return it == All().methods.end() ? nullptr : &it->second;
}

const Method* MethodOfRequest(const Descriptor* request) {
  auto it = All().by_request.find(request);
  return it == All().by_request.end() ? nullptr : it->second;
}

std::vector<const Resource*> Resources(const std::string& service) {
  std::vector<const Resource*> found;
  for (const auto& [name, resource] : All().by_type) {
    if (resource->service == service) found.push_back(resource);
  }
  return found;
}

std::vector<const Method*> Methods() {
  std::vector<const Method*> found;
  for (const auto& [name, method] : All().methods) found.push_back(&method);
  return found;
}

std::set<std::string> ServicesWithPersons() {
  std::set<std::string> services;
  for (const auto& [type, resource] : All().by_type) {
    if (resource->about_person()) services.insert(resource->service);
  }
  return services;
}

std::vector<const Descriptor*> Events() { return All().events; }

std::string MakeName(const Resource& resource, const std::string& forum, const std::string& id) {
  if (resource.collection.empty()) return "forums/" + forum;
  if (resource.singleton) return "forums/" + forum + "/" + resource.collection;
  return "forums/" + forum + "/" + resource.collection + "/" + id;
}

bool ParseName(const Resource& resource, const std::string& name, std::string* forum,
               std::string* id) {
  std::vector<std::string> parts = absl::StrSplit(name, '/');
  size_t expected = resource.collection.empty() ? 2 : resource.singleton ? 3 : 4;
  if (parts.size() != expected || parts[0] != "forums") return false;
  if (expected > 2 && parts[2] != resource.collection) return false;
  for (size_t i : {size_t{1}, size_t{3}}) {
    if (i >= expected) break;
    if (parts[i].empty() || parts[i].size() > 80) return false;
    for (char c : parts[i]) {
      bool fine =
          (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
      if (!fine) return false;
    }
  }
  *forum = parts[1];
  *id = expected == 4 ? parts[3] : expected == 3 ? "settings" : "forum";
  return true;
}

const options::Field& FieldOption(const FieldDescriptor* field) {
  return field->options().GetExtension(options::field);
}

const std::string& DataItemOf(const Descriptor* type) {
  static const std::string none;
  auto it = All().item_of.find(type);
  return it == All().item_of.end() ? none : it->second;
}

const std::set<std::string>& DataItems() { return All().items; }

bool IsErased(const Resource& resource, const FieldDescriptor* field) {
  if (!resource.about_person() || field->name() == resource.option->own()) return false;
  if (!IsClassifiedMessage(field)) {
    const auto& option = FieldOption(field);
    return option.sensitivity() >= options::Field::PERSONAL && option.retention().empty() &&
           !option.computed();
  }
  for (int i = 0; i < field->message_type()->field_count(); ++i) {
    if (IsErased(resource, field->message_type()->field(i))) return true;
  }
  return false;
}

int YearsOf(const std::string& retention) {
  int years = 0;
  const bool fits = retention.size() > 2 && retention.front() == 'P' && retention.back() == 'Y' &&
                    absl::SimpleAtoi(retention.substr(1, retention.size() - 2), &years);
  return fits && years > 0 ? years : 0;
}

std::set<int> RetentionsOf(const Descriptor* type) {
  std::set<int> all;
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (const int years = YearsOf(FieldOption(field).retention()); years > 0) all.insert(years);
    if (IsClassifiedMessage(field)) all.merge(RetentionsOf(field->message_type()));
  }
  return all;
}

void EndRetention(int years, Message* record) {
  const auto* reflection = record->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*record, &fields);
  for (const auto* field : fields) {
    if (!IsClassifiedMessage(field)) {
      const auto& option = FieldOption(field);
      const bool number = field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                          field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
      const bool leads_nowhere =
          number || !option.reference().empty() || option.format() == options::Field::UUID;
      if (YearsOf(option.retention()) == years && !leads_nowhere) {
        reflection->ClearField(record, field);
      }
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(*record, field); ++i) {
        EndRetention(years, reflection->MutableRepeatedMessage(record, field, i));
      }
    } else {
      EndRetention(years, reflection->MutableMessage(record, field));
    }
  }
}

bool IsStandard(const FieldDescriptor* field) { return StandardNames().count(field->name()) > 0; }

bool IsClassifiedMessage(const FieldDescriptor* field) {
  return field->message_type() != nullptr && !field->is_map() &&
         field->message_type()->file()->package().rfind("coproduction.", 0) == 0 &&
         FieldOption(field).sensitivity() == options::Field::SENSITIVITY_UNSPECIFIED;
}

std::string GetName(const Message& record) {
  const auto* field = record.GetDescriptor()->FindFieldByName("name");
  return field ? record.GetReflection()->GetString(record, field) : "";
}

int64_t VersionOf(const Message& record) {
  const auto* field = record.GetDescriptor()->FindFieldByName("etag");
  if (field == nullptr) return 0;
  std::string etag = record.GetReflection()->GetString(record, field);
  return etag.size() < 3 ? 0 : std::strtoll(etag.c_str() + 1, nullptr, 10);
}

void SetVersion(Message* record, int64_t version) {
  const auto* field = record->GetDescriptor()->FindFieldByName("etag");
  if (field != nullptr) record->GetReflection()->SetString(record, field, Etag(version));
}

std::string Etag(int64_t version) { return "\"" + std::to_string(version) + "\""; }

std::string TextOf(const Message& record, const std::string& name) {
  const auto* field = record.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return "";
  return record.GetReflection()->GetString(record, field);
}

std::vector<std::string> Mistakes() {
  std::vector<std::string> mistakes;
  auto say = [&](const std::string& where, const std::string& what) {
    mistakes.push_back(where + ": " + what);
  };
  for (const Descriptor* type : All().messages) {
    const std::string& package = type->file()->package();
    if (package == "coproduction.options.v1" || package == "coproduction.errors.v1") continue;
    const bool event = type->options().HasExtension(options::event);
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const auto& option = FieldOption(field);
      if (IsClassifiedMessage(field)) continue;
      if (!field->options().HasExtension(options::field)) {
        if (!IsStandard(field)) {
          say(field->full_name(), "has no (options.v1.field): say its sensitivity and controller");
        }
        continue;
      }
      if (option.sensitivity() == options::Field::SENSITIVITY_UNSPECIFIED ||
          option.controller() == options::Field::CONTROLLER_UNSPECIFIED) {
        say(field->full_name(), "needs both a sensitivity and a controller");
      }
      if ((option.controller() == options::Field::SHARED) != !option.agreement().empty()) {
        say(field->full_name(), "names an agreement if and only if its controller is SHARED");
      }
      if ((event || FindResource(type) != nullptr) && !option.agreement().empty() &&
          option.agreement() != DataItemOf(type)) {
        say(field->full_name(),
            "a record or an event is of one data item of the agreement, here '" + DataItemOf(type) +
                "'");
      }
      if (!option.reference().empty() && FindResource(option.reference()) == nullptr) {
        say(field->full_name(), "refers to '" + option.reference() + "', which is no resource");
      }
      if (event && option.sensitivity() > options::Field::INTERNAL) {
        say(field->full_name(), "an event carries no personal, special-category or bank field");
      }
    }
    if (event) {
      const auto& option = type->options().GetExtension(options::event);
      bool services = false;
      for (int audience : option.audiences()) services |= audience == options::TO_SERVICES;
      if (!services) say(type->full_name(), "every event goes to the services");
      if (FindResource(option.aggregate()) == nullptr) {
        say(type->full_name(), "its aggregate '" + option.aggregate() + "' is no resource");
      }
    }
  }
  for (const auto& [type, resource] : All().resources) {
    if (resource.name == nullptr || resource.etag == nullptr) {
      say(type->full_name(), "a resource has a name and an etag");
    }
    for (const std::string& field :
         {resource.option->own(), resource.option->partner(), resource.option->subject_key()}) {
      if (!field.empty() && type->FindFieldByName(field) == nullptr) {
        say(type->full_name(), "has no field '" + field + "', which its resource option names");
      }
    }
    for (const auto& only : resource.option->only()) {
      const auto* field = type->FindFieldByName(only.field());
      if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL ||
          resource.sealed()) {
        say(type->full_name(),
            "'only' goes by '" + only.field() + "', which is no bool with a column");
      }
    }
    CheckPerson(resource, say);
    if (All().by_collection.at(resource.collection) != &resource) {
      say(type->full_name(), "another resource has the collection '" + resource.collection + "'");
    }
  }
  for (const auto& [name, method] : All().methods) {
    if (method.option->policy().empty()) say(name, "has no policy in (options.v1.method)");
    for (const auto& policy : method.option->policy()) {
      if (policy.roles().empty()) say(name, "has a policy without roles");
    }
    const Resource* own = FindResource(method.descriptor->output_type());
    for (const auto& transition : method.option->transitions()) {
      std::vector<std::string> states(transition.from().begin(), transition.from().end());
      states.push_back(transition.to());
      for (const std::string& state : states) {
        if (own == nullptr || own->state == nullptr ||
            own->state->enum_type()->FindValueByName(state) == nullptr) {
          say(name, "names state '" + state + "', which its record does not have");
        }
      }
    }
    if (All().by_request.at(method.descriptor->input_type()) != &method) {
      say(name, "shares its request message with another method");
    }
  }
  return mistakes;
}

Status Validate(Message* request, const std::string& forum) {
  const bool whole = request->GetDescriptor()->FindFieldByName("update_mask") == nullptr;
  return ValidateMessage(request, forum, whole, "", 0);
}

Status ValidateRecord(const Message& record, const std::string& above) {
  const Reflection* reflection = record.GetReflection();
  for (int i = 0; i < record.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = record.GetDescriptor()->field(i);
    if (!FieldOption(field).required()) continue;
    bool there = field->is_repeated() ? reflection->FieldSize(record, field) > 0
                                      : reflection->HasField(record, field);
    if (!there) {
      const std::string path = above + field->name();
      return Refuse(errors::FIELD_REQUIRED, path + " is required", path);
    }
  }
  return Status();
}

StatusOr<std::string> ForumOfRequest(const Message& request) {
  const Reflection* reflection = request.GetReflection();
  for (const char* key : {"name", "parent"}) {
    const auto* field = request.GetDescriptor()->FindFieldByName(key);
    if (field == nullptr) continue;
    std::vector<std::string> parts = absl::StrSplit(reflection->GetString(request, field), '/');
    const std::string text = reflection->GetString(request, field);
    if (text.empty()) {
      return Refuse(errors::FIELD_REQUIRED, std::string(key) + " is required", key);
    }
    const bool fits = std::string(key) == "name"
                          ? ResourceOfName(text) != nullptr
                          : parts.size() == 2 && ResourceOfName(text) != nullptr;
    if (!fits) {
      return InvalidField(key, std::string(key) + " is '" + text + "', which is no name here; " +
                                   (std::string(key) == "parent" ? "write forums/warwickshire"
                                                                 : "write it as it was given"));
    }
    return parts[1];
  }
  for (int i = 0; i < request.GetDescriptor()->field_count(); ++i) {
    const auto* field = request.GetDescriptor()->field(i);
    if (field->is_repeated() || field->message_type() == nullptr ||
        FindResource(field->message_type()) == nullptr) {
      continue;
    }
    const std::string text = GetName(reflection->GetMessage(request, field));
    // A new forum is in no forum yet.
    if (text.empty() && FindResource(field->message_type())->collection.empty()) return text;
    const Resource* resource = ResourceOfName(text);
    if (resource == nullptr || resource->type != field->message_type()) {
      return InvalidField(field->name() + ".name",
                          field->name() + ".name is '" + text + "'; write it as it was given");
    }
    std::vector<std::string> parts = absl::StrSplit(text, '/');
    return parts[1];
  }
  return std::string();
}

}  // namespace hub::schema
