#include "tests/contract/tables.h"

#include <memory>
#include <set>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/privacy/visible.h"
#include "google/protobuf/descriptor.pb.h"

namespace hub::contract {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using options::Field;

std::string Padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

// Values of an enum after the unspecified first.
std::vector<int> ValuesOf(const EnumDescriptor* type) {
  std::vector<int> values;
  for (int i = 1; i < type->value_count(); ++i) values.push_back(type->value(i)->number());
  return values;
}

std::vector<options::Role> Roles() {
  std::vector<options::Role> roles;
  for (int value : ValuesOf(options::Role_descriptor())) {
    roles.push_back(static_cast<options::Role>(value));
  }
  return roles;
}

constexpr char kAgreed[] = "agreed";

// A field of the class, made on the spot: the question goes to the code that redacts.
class ClassifiedField {
 public:
  ClassifiedField(int sensitivity, int controller) : pool_(DescriptorPool::generated_pool()) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("contract/classified.proto");
    file.set_syntax("proto3");
    file.add_dependency("coproduction/options/v1/options.proto");
    auto* message = file.add_message_type();
    message->set_name("Classified");
    auto* field = message->add_field();
    field->set_name("field");
    field->set_number(1);
    field->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
    field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    auto* option = field->mutable_options()->MutableExtension(options::field);
    option->set_sensitivity(static_cast<Field::Sensitivity>(sensitivity));
    option->set_controller(static_cast<Field::Controller>(controller));
    if (controller == Field::SHARED) option->set_agreement(kAgreed);
    field_ = pool_.BuildFile(file)->message_type(0)->field(0);
  }
  bool SeenBy(options::Side side, const std::set<int>& roles, bool agreed = true) const {
    privacy::Viewer viewer;
    if (agreed) viewer.shares[kAgreed] = "an entry";
    viewer.side = side;
    viewer.roles = roles;
    return privacy::Visible(*field_, viewer, {});
  }

 private:
  DescriptorPool pool_;
  const FieldDescriptor* field_;
};

// 'every role', or their names.
std::string SeenBy(const ClassifiedField& field, options::Side side) {
  std::string seen;
  bool every = field.SeenBy(side, {});  // a receiver of events has no role
  for (options::Role role : Roles()) {
    if (SideOf(role) != side) continue;
    const bool visible = field.SeenBy(side, {role});
    if (visible) seen += " " + options::Role_Name(role);
    every &= visible;
  }
  return every ? " every role" : seen.empty() ? " nobody" : seen;
}

void EachMessage(const std::function<void(const google::protobuf::Descriptor*)>& visit) {
  std::set<const google::protobuf::Descriptor*> seen;
  std::function<void(const google::protobuf::Descriptor*)> walk =
      [&](const google::protobuf::Descriptor* type) {
        if (type->full_name().rfind("coproduction.", 0) != 0 || !seen.insert(type).second) return;
        visit(type);
        for (int i = 0; i < type->field_count(); ++i) {
          if (type->field(i)->message_type() != nullptr) walk(type->field(i)->message_type());
        }
      };
  for (const auto* method : schema::Methods()) walk(method->descriptor->output_type());
}

// Puts something into every field, so that what survives a projection is seen.
void FillEveryField(Message* message) {
  const Reflection* reflection = message->GetReflection();
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->field(i);
    const bool many = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        many ? reflection->AddString(message, field, "x")
             : reflection->SetString(message, field, "x");
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        many ? reflection->AddBool(message, field, true)
             : reflection->SetBool(message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        many ? reflection->AddInt32(message, field, 1) : reflection->SetInt32(message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        many ? reflection->AddInt64(message, field, 1) : reflection->SetInt64(message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        many ? reflection->AddEnumValue(message, field, 1)
             : reflection->SetEnumValue(message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        FillEveryField(many ? reflection->AddMessage(message, field)
                            : reflection->MutableMessage(message, field));
        break;
      default:
        break;
    }
  }
}

std::string ProjectedFields(const google::protobuf::Descriptor* type, options::Audience audience) {
  const Message* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  std::unique_ptr<Message> event(prototype->New()), seen(prototype->New());
  FillEveryField(event.get());
  privacy::Shares all;
  for (const std::string& item : schema::DataItems()) all[item] = "an entry";
  seen->ParseFromString(privacy::Project(*event, audience, all));
  std::vector<const FieldDescriptor*> fields;
  seen->GetReflection()->ListFields(*seen, &fields);
  std::string names;
  for (const auto* field : fields) names += " " + field->name();
  return names.empty() ? " (no field)" : names;
}

}  // namespace

options::Side SideOf(options::Role role) {
  return role < options::FACILITATOR ? options::FORUM
         : role < options::OPERATOR  ? options::PARTNER
                                     : options::HUB;
}

Access AccessOf(const schema::Method& method, options::Role role) {
  Access access = Access::kNo;
  for (const auto& policy : method.option->policy()) {
    for (int entry : policy.roles()) {
      if (entry != role) continue;
      if (policy.relation() == options::Policy::IN_FORUM) return Access::kAllowed;
      access = Access::kOwn;
    }
  }
  return access;
}

std::string ShortName(const google::protobuf::MethodDescriptor& method) {
  return method.service()->name() + "." + method.name();
}

std::string Visibility() {
  std::string table =
      "Who sees a field of which class. 'every role' holds for receivers of events too, who have\n"
      "none. A partner is always the one that owns the resource, and what is SHARED it sees while "
      "an\n"
      "entry of the sharing agreement covers its data item.\n";
  for (int sensitivity : ValuesOf(Field::Sensitivity_descriptor())) {
    for (int controller : ValuesOf(Field::Controller_descriptor())) {
      const ClassifiedField field(sensitivity, controller);
      table += "\n" + Field::Sensitivity_Name(static_cast<Field::Sensitivity>(sensitivity)) + " " +
               Field::Controller_Name(static_cast<Field::Controller>(controller)) + "\n";
      for (int side : ValuesOf(options::Side_descriptor())) {
        table += "  " + Padded(options::Side_Name(static_cast<options::Side>(side)), 8) +
                 SeenBy(field, static_cast<options::Side>(side)) + "\n";
      }
    }
  }
  table += "\nRecords by data item of the sharing agreement:\n";
  for (const std::string& item : schema::DataItems()) {
    std::string records;
    for (const char* service : {"membership", "scheduling", "engagement", "remuneration"}) {
      for (const auto* resource : schema::Resources(service)) {
        if (schema::DataItemOf(resource->type) == item) records += " " + resource->type->name();
      }
    }
    table += "  " + Padded(item, 12) + records + "\n";
  }
  table += "\nWhat becomes of records about a person who is erased:\n";
  for (const char* service : {"membership", "scheduling", "engagement", "remuneration"}) {
    for (const auto* resource : schema::Resources(service)) {
      if (!resource->about_person()) continue;
      std::string emptied, kept, years;
      for (const auto& column : resource->columns) {
        const auto& option = schema::FieldOption(column.field);
        if (schema::IsErased(*resource, column.field)) emptied += " " + column.field->name();
        if (option.retention().empty()) continue;
        kept += " " + column.field->name();
        years = option.retention();
      }
      table += "  " + resource->type->name() + (resource->sealed() ? " (removed)" : "") + "\n";
      if (!emptied.empty() && !resource->sealed()) table += "    emptied:" + emptied + "\n";
      if (!kept.empty()) {
        table += "    kept " + years + " (" + resource->option->kept_because() + "):" + kept + "\n";
      }
    }
  }
  table += "\nBeyond its class, a relation to the record lets a reader see:\n";
  std::set<std::string> lines;
  EachMessage([&](const google::protobuf::Descriptor* type) {
    for (int i = 0; i < type->field_count(); ++i) {
      const Field& option = schema::FieldOption(type->field(i));
      for (int reader : option.readers()) {
        lines.insert("  " + Padded(Field::Reader_Name(static_cast<Field::Reader>(reader)), 15) +
                     " " + type->field(i)->full_name() + " (" +
                     Field::Sensitivity_Name(option.sensitivity()) + ")\n");
      }
    }
  });
  for (const auto& line : lines) table += line;
  return table;
}

std::string Methods() {
  constexpr size_t kName = 54;
  std::string head = Padded("", kName), legend;
  for (options::Role role : Roles()) {
    // A column is headed by the initials of the role's words, or by three letters of its one.
    std::string letters;
    const std::vector<std::string> words = absl::StrSplit(options::Role_Name(role), '_');
    for (const auto& word : words) letters += word.substr(0, words.size() > 1 ? 1 : 3);
    head += Padded(letters, 4);
    legend += (legend.empty()                                              ? ""
               : role == options::FACILITATOR || role == options::OPERATOR ? "\n"
                                                                           : ", ") +
              letters + " " + options::Role_Name(role);
  }
  std::string table =
      "Who may call which method: + allowed in the forum (a partner for its own),\n"
      "o only what is about the caller, . refused. The columns:\n" +
      legend + "\n";
  head.pop_back();  // no white space at the end of a line
  std::string package;
  for (const auto* method : schema::Methods()) {
    if (method->descriptor->file()->package() != package) {
      package = method->descriptor->file()->package();
      table += "\n" + Padded(package, kName) + head.substr(kName) + "\n";
    }
    std::string line = Padded("  " + ShortName(*method->descriptor), kName);
    for (options::Role role : Roles()) {
      const Access access = AccessOf(*method, role);
      line += access == Access::kAllowed ? "+   " : access == Access::kOwn ? "o   " : ".   ";
    }
    if (method->option->anonymous()) line += "anonymous ";
    if (method->option->read_logged()) line += "read_logged ";
    if (method->option->demo_only()) line += "demo_only ";
    while (line.back() == ' ') line.pop_back();
    table += line + "\n";
  }
  table += "\nRecords that are there for some only:\n";
  for (const char* service : {"membership", "scheduling", "engagement", "remuneration"}) {
    for (const auto* resource : schema::Resources(service)) {
      for (const auto& only : resource->option->only()) {
        table += "  " + resource->type->name() + ": for " + options::Side_Name(only.to()) +
                 " those that are " + (only.is() ? "" : "not ") + only.field();
        for (int role : only.but()) {
          table += "; all for " + options::Role_Name(static_cast<options::Role>(role));
        }
        table += "\n";
      }
    }
  }
  return table;
}

std::string States() {
  std::map<std::string, std::set<std::string>> diagrams;  // by resource
  for (const auto* method : schema::Methods()) {
    for (const auto& transition : method->option->transitions()) {
      auto& diagram = diagrams[method->descriptor->output_type()->full_name()];
      const std::string rest = " --> " + transition.to() + " : " + method->descriptor->name();
      if (transition.from().empty()) diagram.insert("[*]" + rest);
      for (const auto& from : transition.from()) diagram.insert(from + rest);
    }
  }
  std::string table = "Which method leads from which state to which ([*]: a new record).\n";
  for (const auto& [resource, diagram] : diagrams) {
    table += "\n" + resource + "\n";
    for (const auto& line : diagram) table += "  " + line + "\n";
    const auto* type = schema::FindResource(resource);
    if (type == nullptr || type->state == nullptr) continue;
    std::string rest;
    for (int value : ValuesOf(type->state->enum_type())) {
      const std::string& state = type->state->enum_type()->FindValueByNumber(value)->name();
      bool named = false;
      for (const auto& line : diagram) {
        const std::vector<std::string> words = absl::StrSplit(line, ' ');
        named |= words[0] == state || words[2] == state;
      }
      if (!named) rest += " " + state;
    }
    if (!rest.empty()) table += "  (by an event, a timer or nothing yet:" + rest + ")\n";
  }
  return table;
}

std::string Events() {
  std::map<std::string, const google::protobuf::Descriptor*> events;
  for (const auto* event : schema::Events()) events[event->full_name()] = event;
  std::string table =
      "What is told to whom. A change that has no event here is told to the services and the\n"
      "forum as ResourceChanged, without values.\n";
  for (const auto& [name, event] : events) {
    const auto& option = event->options().GetExtension(options::event);
    table += "\n" + name + " of " + option.aggregate() + "\n";
    for (int audience : ValuesOf(options::Audience_descriptor())) {
      const auto value = static_cast<options::Audience>(audience);
      bool told = false;
      for (int entry : option.audiences()) told |= entry == audience;
      if (told) {
        table +=
            "  " + Padded(options::Audience_Name(value), 11) + ProjectedFields(event, value) + "\n";
        const std::string& item = schema::DataItemOf(event);
        if (value == options::TO_PARTNER) {
          table += item.empty() ? "             under no agreement\n"
                                : "             while '" + item + "' is agreed to be shared\n";
        }
      }
    }
  }
  return table;
}

const std::map<std::string, std::function<std::string()>>& Tables() {
  static const std::map<std::string, std::function<std::string()>> tables = {
      {"visibility", Visibility}, {"methods", Methods}, {"states", States}, {"events", Events}};
  return tables;
}

}  // namespace hub::contract
