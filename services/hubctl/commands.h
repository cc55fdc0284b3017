// A method as a command: its verb, what NAME or PARENT fills, and a flag for every field that a
// caller may set, fields of nested messages included. Pure: descriptors and texts in, a request
// out.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hub::ctl {

struct Flag {
  std::vector<const google::protobuf::FieldDescriptor*> path;  // from the request
  std::string name;  // 'title'; empty where only the long one tells it from others
  std::string full;  // 'request.title'
  bool required = false;
  const google::protobuf::FieldDescriptor* field() const { return path.back(); }
};

struct Command {
  std::string verb;
  const google::protobuf::MethodDescriptor* method;
  // What the positional argument fills: the request's `name` or `parent`, or the name of the record
  // in it. Its path is empty where there is none.
  Flag positional;
  std::vector<Flag> flags;
};

// The methods of a service. 'AcceptRequest' of the noun 'requests' is 'accept'; where the noun is
// not the method's last word, or two would be called the same, the verb is the whole name.
std::vector<Command> CommandsOf(const std::string& noun,
                                const google::protobuf::ServiceDescriptor* service);

// Names that mean the same in every command. A field of that name has its long flag only.
const std::set<std::string>& GlobalFlags();

// Sets the field to what was typed: the name of an enum's value in any case, an instant as
// 2021-12-03T11:00:00Z, a message as JSON, names within `forum` without 'forums/<forum>/'.
Status SetField(google::protobuf::Message* request, const Flag& flag,
                const std::vector<std::string>& values, const std::string& forum);

// What the positional argument is when it is not given: the forum, or the one record that a forum
// has of this kind (its settings). Empty where it must be given.
std::string DefaultName(const Command& command, const std::string& forum);

// update_mask from the flags that set fields of the record; nothing without such a field.
void FillMask(google::protobuf::Message* request, const std::vector<const Flag*>& given);
// A new request_id, where the request has one and it is not given.
void FillRequestId(google::protobuf::Message* request);

// The help of a flag: its comment, its values, its marks; and of a method: who may call it.
std::string HelpOf(const Flag& flag);
std::string PolicyOf(const google::protobuf::MethodDescriptor* method);

}  // namespace hub::ctl
