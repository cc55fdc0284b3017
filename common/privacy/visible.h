// Who sees what, from the schema's table of visibility and the fields' classes: redaction of
// answers by caller, projection of events by audience. An audience is a viewer without roles or
// relations: the same code.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "common/schema/schema.h"

namespace hub::privacy {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
namespace options = ::coproduction::options::v1;

struct Viewer {
  options::Side side = options::HUB;
  std::set<int> roles;  // options::Role
  std::string person;
  std::string partner;
};

// Relations of a viewer to one record, beyond its class: options::Field::Reader values.
using Relations = std::set<int>;
// Says whether the viewer attends the record's session; asked only where a field names ATTENDEE.
using Attends = std::function<bool(const Message& record)>;

bool Visible(const FieldDescriptor& field, const Viewer& viewer, const Relations& relations);
// Clears every field that the viewer may not see, in all records and values of `message`.
void Redact(Message* message, const Viewer& viewer, const Attends& attends);
// An event's body as an audience sees it.
std::string Project(const Message& event, options::Audience audience);

}  // namespace hub::privacy
