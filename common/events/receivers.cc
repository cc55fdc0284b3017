#include "common/events/receivers.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace hub::events {
namespace {

using google::protobuf::Struct;

constexpr char kIdChars[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr Micros kDay = 86400 * 1000000ll;

bool IsName(const std::string& name) {
  if (name == "services") return true;
  std::vector<std::string> parts = absl::StrSplit(name, '/');
  auto id = [](const std::string& part) {
    return !part.empty() && part.find_first_not_of(kIdChars) == std::string::npos;
  };
  bool forum = parts.size() >= 2 && parts[0] == "forums" && id(parts[1]);
  return forum &&
         (parts.size() == 2 || (parts.size() == 4 && parts[2] == "partners" && id(parts[3])));
}

// Reads one entry key by key and remembers the first that is wrong.
class Entry {
 public:
  Entry(const Struct& json, std::string where) : json_(json), where_(std::move(where)) {}

  std::string Text(const std::string& key, bool required) {
    const auto* value = Take(key, required);
    if (value == nullptr) return "";
    if (!value->has_string_value() || (required && value->string_value().empty())) {
      Wrong(key, "is not a text, or is empty");
    }
    return value->string_value();
  }
  int64_t Number(const std::string& key, int64_t otherwise) {
    const auto* value = Take(key, false);
    if (value == nullptr) return otherwise;
    double number = value->number_value();
    if (number < 1 || number > 100000 || number != std::trunc(number)) {
      Wrong(key, "is not a whole number from 1 on");
      return otherwise;
    }
    return static_cast<int64_t>(number);
  }
  void Wrong(const std::string& key, const std::string& how) {
    if (status_.ok()) status_ = InvalidField(key, absl::StrCat(where_, ": '", key, "' ", how));
  }
  Status Finish() {
    for (const auto& [key, value] : json_.fields()) {
      if (taken_.count(key) == 0) Wrong(key, "is no key of a receiver");
    }
    return status_;
  }

 private:
  const google::protobuf::Value* Take(const std::string& key, bool required) {
    taken_.insert(key);
    auto found = json_.fields().find(key);
    if (found != json_.fields().end()) return &found->second;
    if (required) Wrong(key, "is missing");
    return nullptr;
  }

  const Struct& json_;
  const std::string where_;
  std::set<std::string> taken_;
  Status status_;
};

StatusOr<Receiver> ReadReceiver(const Struct& json, const std::string& where) {
  Entry entry(json, where);
  Receiver receiver;
  receiver.name = entry.Text("name", true);
  receiver.url = entry.Text("url", true);
  receiver.user = entry.Text("user", false);
  receiver.password = entry.Text("password", false);
  receiver.stream = entry.Text("stream", true);
  const bool services = receiver.name == "services";
  receiver.durable = entry.Text("durable", !services);
  std::string format = entry.Text("format", false);
  receiver.replicas = static_cast<int>(entry.Number("replicas", receiver.replicas));
  receiver.max_age = entry.Number("maxAgeDays", receiver.max_age / kDay) * kDay;
  receiver.json = format.empty() ? !services : format == "json";

  if (!IsName(receiver.name)) {
    entry.Wrong("name", absl::StrCat("is '", receiver.name, "', not 'services', 'forums/<forum>' ",
                                     "or 'forums/<forum>/partners/<partner>'"));
  }
  if (services && !receiver.durable.empty()) {
    entry.Wrong("durable", "is for outside receivers; each service makes one of its own");
  }
  for (const auto& [key, value] :
       {std::pair("stream", receiver.stream), std::pair("durable", receiver.durable)}) {
    if (value.find_first_of(" \t\r\n.*>/\\") != std::string::npos) {
      entry.Wrong(key, absl::StrCat("is '", value, "': NATS allows no space, . * > / or \\ there"));
    }
  }
  if (!format.empty() && format != "json" && format != "protobuf") {
    entry.Wrong("format", absl::StrCat("is '", format, "', not 'json' or 'protobuf'"));
  }
  RETURN_IF_ERROR(entry.Finish());
  return receiver;
}

}  // namespace

StatusOr<std::vector<Receiver>> ReadReceivers(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("receivers", path));
  Struct json;
  auto parsed = google::protobuf::util::JsonStringToMessage(text, &json);
  if (!parsed.ok()) {
    // Without the parser's words: they quote the text, and passwords stand in it.
    return InvalidField("receivers", absl::StrCat(path, " is not a JSON object"));
  }
  auto list = json.fields().find("receivers");
  if (json.fields().size() != 1 || list == json.fields().end() || !list->second.has_list_value()) {
    return InvalidField("receivers",
                        absl::StrCat(path, " has not exactly one key, the list 'receivers'"));
  }
  std::vector<Receiver> receivers;
  std::set<std::string> names;
  for (const auto& value : list->second.list_value().values()) {
    std::string where = absl::StrCat(path, ", entry ", receivers.size() + 1);
    if (!value.has_struct_value()) {
      return InvalidField("receivers", absl::StrCat(where, " is not an object"));
    }
    ASSIGN_OR_RETURN(Receiver receiver, ReadReceiver(value.struct_value(), where));
    if (!names.insert(receiver.name).second) {
      return InvalidField("name", absl::StrCat(where, ": '", receiver.name, "' stands twice"));
    }
    receivers.push_back(std::move(receiver));
  }
  return receivers;
}

}  // namespace hub::events
