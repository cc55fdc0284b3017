// Who sees what, from the schema's table of visibility and the fields' classes: redaction of
// answers by caller, projection of events by audience. An audience is a viewer without roles or
// relations: the same code.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/schema/schema.h"

namespace hub::privacy {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
namespace options = ::coproduction::options::v1;

// What a partner may be given at this moment: by data item the entry of the sharing agreement that
// covers it. What is not here is not shared with it, whatever its class.
using Shares = std::map<std::string, std::string>;
// What a partner was given: data items, each with the person it was about, or nobody ('').
using Crossed = std::set<std::pair<std::string, std::string>>;

struct Viewer {
  options::Side side = options::HUB;
  std::set<int> roles;  // options::Role
  std::string person;
  std::string partner;
  Shares shares;  // of a partner's
};

// Relations of a viewer to one record, beyond its class: options::Field::Reader values.
using Relations = std::set<int>;
// Says whether the viewer attends the record's session; asked only where a field names ATTENDEE.
using Attends = std::function<bool(const Message& record)>;

bool Visible(const FieldDescriptor& field, const Viewer& viewer, const Relations& relations);
// Clears every field that the viewer may not see, in all records and values of `message`. What is
// left of the other controller's is added to `crossed`, if the viewer is a partner's. `also` are
// relations that the viewer has to every record of it.
void Redact(Message* message, const Viewer& viewer, const Attends& attends,
            Crossed* crossed = nullptr, const Relations& also = {});
// An event's body as an audience sees it; `shares` are those of a partner.
std::string Project(const Message& event, options::Audience audience, const Shares& shares = {});

}  // namespace hub::privacy
