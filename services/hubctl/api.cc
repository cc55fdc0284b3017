#include "services/hubctl/api.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.pb.h"

__asm__(
    ".section .rodata\n"
    ".global hub_descriptors_begin\n"
    ".global hub_descriptors_end\n"
    "hub_descriptors_begin: .incbin \"" HUB_DESCRIPTORS
    "\"\n"
    "hub_descriptors_end:\n"
    ".previous\n");
extern "C" const char hub_descriptors_begin[];
extern "C" const char hub_descriptors_end[];

namespace hub::ctl {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

// The first sentence of the comment at a path of the file, read without building descriptors.
std::string CommentAt(const FileDescriptorProto& file, const std::vector<int>& path) {
  for (const auto& location : file.source_code_info().location()) {
    if (!std::equal(path.begin(), path.end(), location.path().begin(), location.path().end())) {
      continue;
    }
    const std::string text = OneLine(location.leading_comments());
    const size_t end = text.find(". ");
    return end == std::string::npos ? text : text.substr(0, end + 1);
  }
  return "";
}

// Services are called by what they hold; 'MembershipSettingsService' only avoids a message's name.
std::string Trimmed(std::string name) {
  constexpr char kSuffix[] = "Service";
  if (name.size() > sizeof kSuffix && name.ends_with(kSuffix)) {
    name.resize(name.size() - (sizeof kSuffix - 1));
  }
  return name;
}

}  // namespace

const Api& Api::Embedded() {
  static const Api* api =
      new Api(std::string(hub_descriptors_begin, hub_descriptors_end - hub_descriptors_begin));
  return *api;
}

Api::Api(const std::string& descriptors) {
  FileDescriptorSet set;
  if (!set.ParseFromString(descriptors)) std::abort();  // the build made it
  std::map<std::string, int> uses;
  for (const auto& file : set.file()) {
    for (const auto& service : file.service()) ++uses[Trimmed(service.name())];
  }
  for (const auto& file : set.file()) {
    for (int i = 0; i < file.service_size(); ++i) {
      const std::string name = Trimmed(file.service(i).name());
      std::string noun = Kebab(name);
      if (uses[name] > 1) {  // coproduction.scheduling.v1 Settings -> scheduling-settings
        const std::vector<std::string> package = absl::StrSplit(file.package(), '.');
        noun = package[package.size() > 1 ? 1 : 0] + "-" + noun;
      }
      std::string comment = CommentAt(file, {FileDescriptorProto::kServiceFieldNumber, i});
      if (comment.empty()) comment = CommentAt(file, {FileDescriptorProto::kSyntaxFieldNumber});
      nouns_[noun] = {file.package() + "." + file.service(i).name(), comment};
    }
  }
  for (auto& file : *set.mutable_file()) files_.AddAndOwn(new FileDescriptorProto(std::move(file)));
}

const google::protobuf::ServiceDescriptor* Api::Service(const Noun& noun) const {
  return pool_.FindServiceByName(noun.service);
}

std::unique_ptr<google::protobuf::Message> Api::New(
    const google::protobuf::Descriptor* type) const {
  return std::unique_ptr<google::protobuf::Message>(factory_.GetPrototype(type)->New());
}

std::string Kebab(const std::string& name) {
  std::string kebab;
  for (char c : name) {
    if (absl::ascii_isupper(c) && !kebab.empty() && kebab.back() != '-') kebab += '-';
    kebab += c == '_' ? '-' : absl::ascii_tolower(c);
  }
  return kebab;
}

std::string OneLine(const std::string& comment) {
  return absl::StrJoin(absl::StrSplit(comment, absl::ByAnyChar(" \n\t"), absl::SkipEmpty()), " ");
}

}  // namespace hub::ctl
