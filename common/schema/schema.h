// The schema as the engine reads it: everything the proto options say, checked once at start and at
// build time, then looked up by descriptor. No other room reads options.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coproduction/options/v1/options.pb.h"
#include "coproduction/options/v1/visibility.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hub::schema {

namespace options = ::coproduction::options::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

struct Column {
  enum Kind { kText, kInteger, kBool, kEnum, kTime, kReference, kValue };
  const FieldDescriptor* field;
  std::string name;
  Kind kind;
  bool nullable;
};

// A stored message.
struct Resource {
  const Descriptor* type;
  const options::Resource* option;
  std::string service;     // 'scheduling', from the package
  std::string collection;  // 'requests'; empty for the forum itself
  bool singleton;          // 'forums/{forum}/schedulingSettings': its id is 'settings'
  std::vector<Column> columns;
  const FieldDescriptor* name;
  const FieldDescriptor* etag;
  const FieldDescriptor* state;  // or null
  bool sealed() const { return !option->subject_key().empty(); }
  bool about_person() const { return !option->own().empty() || option->through_size() > 0; }
};

struct Method {
  const MethodDescriptor* descriptor;
  const options::Method* option;
  std::string path;     // '/coproduction.membership.v1.Members/CreateMember'
  std::string service;  // 'membership'
};

// All of the generated pool under 'coproduction'. The first call builds the tables.
const Resource* FindResource(const Descriptor* type);
const Resource* FindResource(const std::string& full_name);
const Resource* ResourceOfName(const std::string& name);   // by the pattern; null if none fits
const Method* FindMethod(const std::string& full_name);    // 'coproduction.x.v1.Members.GetMember'
const Method* MethodOfRequest(const Descriptor* request);  // every method has a request of its own
std::vector<const Resource*> Resources(const std::string& service);
std::vector<const Method*> Methods();
// Those that hold records about persons.
std::set<std::string> ServicesWithPersons();
std::vector<const Descriptor*> Events();

std::string MakeName(const Resource& resource, const std::string& forum, const std::string& id);
bool ParseName(const Resource& resource, const std::string& name, std::string* forum,
               std::string* id);

const options::Field& FieldOption(const FieldDescriptor* field);
// What a record or an event is called in the sharing agreement: the data item of its SHARED fields;
// empty where it has none. And all that there are.
const std::string& DataItemOf(const Descriptor* type);
const std::set<std::string>& DataItems();
// Whether a record about a person loses the field when the person is erased: it is personal or
// above, in whatever part, and neither says whom the record is about nor has a `retention`.
bool IsErased(const Resource& resource, const FieldDescriptor* field);
// Years of a `retention`; 0 where it is not of the form 'P6Y'.
int YearsOf(const std::string& retention);
// The years of all the retentions in a record, in whatever part.
std::set<int> RetentionsOf(const Descriptor* type);
// Empties what is kept for so many years, in whatever part, but for numbers, references and
// identifiers, which lead to nobody and which sums need.
void EndRetention(int years, Message* record);
// One of the ten standard AIP fields, which need no mark, or a message whose own fields have
// theirs.
bool IsStandard(const FieldDescriptor* field);
bool IsClassifiedMessage(const FieldDescriptor* field);
std::string GetName(const Message& record);  // its field 'name'
int64_t VersionOf(const Message& record);    // from its etag; 0 where it has none
void SetVersion(Message* record, int64_t version);
std::string Etag(int64_t version);

// The text of a reference or own/partner field, by name; 'name' for the record's own.
std::string TextOf(const Message& record, const std::string& field);

// Every mistake in the schema: an unmarked field, SHARED without an agreement, a method without a
// policy, an event with a personal field ... Empty when all is well.
std::vector<std::string> Mistakes();

// The limits of a request's fields (length, range, format, references, and `required` where the
// request has no update mask), with the field's path. Clears what a caller cannot set. A reference
// to a record of another forum than `forum` is refused (empty: not judged).
Status Validate(Message* request, const std::string& forum);
// `required`, for a record as a whole, before it is stored. `above` is the way to it in the
// request, as 'member.'.
Status ValidateRecord(const Message& record, const std::string& above);

// The forum that a request is about, from its name, parent, or the name of the record in it.
StatusOr<std::string> ForumOfRequest(const Message& request);

}  // namespace hub::schema
