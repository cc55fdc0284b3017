#include "common/privacy/visible.h"

#include <utility>

namespace hub::privacy {
namespace {

using google::protobuf::Reflection;
using options::Field;

template <class List>
bool Holds(const List& list, int value) {
  for (int entry : list) {
    if (entry == value) return true;
  }
  return false;
}

const google::protobuf::FileOptions& Table() {
  return options::Visible::descriptor()->file()->options();
}

Relations RelationsTo(const Message& record, const schema::Resource& resource,
                      const Viewer& viewer) {
  Relations relations;
  const std::string& own = resource.option->own();
  if (!own.empty() && !viewer.person.empty()) {
    std::string name = schema::TextOf(record, own);
    if (name.substr(name.rfind('/') + 1) == viewer.person) relations.insert(Field::OWN);
  }
  if (viewer.roles.count(options::CHAIR) || viewer.roles.count(options::VICE_CHAIR)) {
    relations.insert(Field::CHAIR_OF_FORUM);
  }
  if (viewer.roles.count(options::SAFEGUARDING_LEAD)) relations.insert(Field::SAFEGUARDING);
  return relations;
}

bool AnyAttendeeField(const google::protobuf::Descriptor* type) {
  for (int i = 0; i < type->field_count(); ++i) {
    if (Holds(schema::FieldOption(type->field(i)).readers(), Field::ATTENDEE)) return true;
  }
  return false;
}

// The answer to one viewer.
struct Redaction {
  const Viewer& viewer;
  const Attends& attends;
  Crossed* crossed;
  const Relations& also;

  void AddAttendee(const Message& message, Relations* relations) const {
    if (attends && AnyAttendeeField(message.GetDescriptor()) && attends(message)) {
      relations->insert(Field::ATTENDEE);
    }
  }

  // `relations` and `person` are those of the record that the message is or stands in.
  void Apply(Message* message, Relations relations, std::string person) const {
    const Reflection* reflection = message->GetReflection();
    if (const auto* resource = schema::FindResource(message->GetDescriptor())) {
      relations = RelationsTo(*message, *resource, viewer);
      relations.insert(also.begin(), also.end());
      AddAttendee(*message, &relations);
      person = PersonShown(*message, *resource, relations);
    }
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(*message, &fields);
    for (const FieldDescriptor* field : fields) {
      if (schema::IsStandard(field)) continue;
      if (!schema::IsClassifiedMessage(field)) {
        const Field& option = schema::FieldOption(field);
        if (!Visible(*field, viewer, relations)) {
          reflection->ClearField(message, field);
        } else if (crossed != nullptr && viewer.side == options::PARTNER &&
                   option.controller() == Field::SHARED) {
          crossed->emplace(option.agreement(), person);
        }
        continue;
      }
      if (field->is_repeated()) {
        for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
          Apply(reflection->MutableRepeatedMessage(message, field, i), relations, person);
        }
      } else {
        Apply(reflection->MutableMessage(message, field), relations, person);
      }
    }
  }

  // Whom the record is about, if the viewer is told.
  std::string PersonShown(const Message& record, const schema::Resource& resource,
                          const Relations& relations) const {
    const auto* own = record.GetDescriptor()->FindFieldByName(resource.option->own());
    if (own == nullptr || (!schema::IsStandard(own) && !Visible(*own, viewer, relations))) {
      return "";
    }
    const std::string name = schema::TextOf(record, own->name());
    return name.substr(name.rfind('/') + 1);
  }
};

}  // namespace

bool Visible(const FieldDescriptor& field, const Viewer& viewer, const Relations& relations) {
  const Field& option = schema::FieldOption(&field);
  if (viewer.side == options::PARTNER && option.controller() == Field::SHARED &&
      viewer.shares.count(option.agreement()) == 0) {
    return false;
  }
  for (int reader : option.readers()) {
    if (relations.count(reader)) return true;
  }
  const auto& table = Table();
  for (int i = 0; i < table.ExtensionSize(options::visible); ++i) {
    const auto& line = table.GetExtension(options::visible, i);
    if (line.to() != viewer.side || !Holds(line.sensitivity(), option.sensitivity()) ||
        !Holds(line.controller(), option.controller())) {
      continue;
    }
    if (line.roles().empty()) return true;
    for (int role : line.roles()) {
      if (viewer.roles.count(role)) return true;
    }
  }
  return false;
}

void Redact(Message* message, const Viewer& viewer, const Attends& attends, Crossed* crossed,
            const Relations& also) {
  const Redaction redaction{viewer, attends, crossed, also};
  Relations relations;
  redaction.AddAttendee(*message, &relations);  // also of an answer that is no record
  redaction.Apply(message, std::move(relations), "");
}

std::string Project(const Message& event, options::Audience audience, const Shares& shares) {
  Viewer viewer;
  viewer.shares = shares;
  viewer.side = audience == options::TO_FORUM     ? options::FORUM
                : audience == options::TO_PARTNER ? options::PARTNER
                                                  : options::HUB;
  if (audience == options::TO_SERVICES) viewer.roles.insert(options::SERVICE);
  std::unique_ptr<Message> projection(event.New());
  projection->CopyFrom(event);
  Redact(projection.get(), viewer, nullptr);
  return projection->SerializeAsString();
}

}  // namespace hub::privacy
