// The hub's API as its descriptors tell it: services, methods, messages and their comments,
// embedded at build time. Nothing here knows one of them by name, so a new RPC needs no code.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor_database.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"

namespace hub::ctl {

class Api {
 public:
  struct Noun {
    std::string service;  // full name
    std::string comment;
  };

  static const Api& Embedded();
  // `descriptors` is a serialized FileDescriptorSet with source info.
  explicit Api(const std::string& descriptors);

  // By name: 'requests'. Cheap: no descriptor is built for it.
  const std::map<std::string, Noun>& nouns() const { return nouns_; }
  // Builds the descriptors of that service's file and what it imports.
  const google::protobuf::ServiceDescriptor* Service(const Noun& noun) const;
  std::unique_ptr<google::protobuf::Message> New(const google::protobuf::Descriptor* type) const;

 private:
  google::protobuf::SimpleDescriptorDatabase files_;
  mutable google::protobuf::DescriptorPool pool_{&files_};
  mutable google::protobuf::DynamicMessageFactory factory_{&pool_};
  std::map<std::string, Noun> nouns_;
};

// 'EngagementRequests' -> 'engagement-requests'; 'minutes_wanted' -> 'minutes-wanted'.
std::string Kebab(const std::string& name);

// The leading comment in the .proto file as one line of text.
std::string OneLine(const std::string& comment);
template <class Descriptor>
std::string CommentOf(const Descriptor* descriptor) {
  google::protobuf::SourceLocation location;
  return descriptor->GetSourceLocation(&location) ? OneLine(location.leading_comments) : "";
}

}  // namespace hub::ctl
