#include "services/hubctl/manifest.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/base/digest.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/version.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Struct;

constexpr int64_t kFormat = 1;  // of the folder; a reader refuses a higher one
constexpr char kFile[] = "manifest.json";

Status Spoilt(const std::string& folder, const std::string& how) {
  return Refuse(errors::CONFLICT, absl::StrCat("the backup '", folder, "' ", how,
                                               ": take another; nothing was changed"));
}

void SetNumber(Struct* json, const std::string& name, int64_t value) {
  (*json->mutable_fields())[name].set_number_value(static_cast<double>(value));
}
void SetText(Struct* json, const std::string& name, const std::string& value) {
  (*json->mutable_fields())[name].set_string_value(value);
}
const google::protobuf::Value& At(const Struct& json, const std::string& name) {
  const auto found = json.fields().find(name);
  return found == json.fields().end() ? google::protobuf::Value::default_instance() : found->second;
}
int64_t Number(const Struct& json, const std::string& name) {
  return static_cast<int64_t>(At(json, name).number_value());
}
std::string Text(const Struct& json, const std::string& name) {
  return At(json, name).string_value();
}

Struct ToJson(const Manifest& manifest) {
  Struct json;
  SetNumber(&json, "format", kFormat);
  SetText(&json, "holds", manifest.holds);
  SetText(&json, "engine", manifest.engine);
  SetText(&json, "version", manifest.version);
  SetText(&json, "takenAt",
          absl::FormatTime(absl::RFC3339_full, absl::FromUnixMicros(manifest.taken_at),
                           absl::UTCTimeZone()));
  SetNumber(&json, "epoch", manifest.epoch);
  if (manifest.demo) SetText(&json, "demo", manifest.demo_date);
  auto* files = (*json.mutable_fields())["files"].mutable_list_value();
  for (const Manifest::File& file : manifest.files) {
    Struct* entry = files->add_values()->mutable_struct_value();
    SetText(entry, "name", file.name);
    SetNumber(entry, "bytes", file.bytes);
    SetText(entry, "sha256", file.sha256);
  }
  Struct* rows = (*json.mutable_fields())["rows"].mutable_struct_value();
  for (const auto& [table, count] : manifest.rows) SetNumber(rows, table, count);
  return json;
}

Manifest FromJson(const Struct& json) {
  Manifest manifest;
  manifest.holds = Text(json, "holds");
  manifest.engine = Text(json, "engine");
  manifest.version = Text(json, "version");
  absl::Time at;
  if (absl::ParseTime(absl::RFC3339_full, Text(json, "takenAt"), &at, nullptr)) {
    manifest.taken_at = absl::ToUnixMicros(at);
  }
  manifest.epoch = Number(json, "epoch");
  manifest.demo = json.fields().count("demo") > 0;
  manifest.demo_date = Text(json, "demo");
  for (const auto& entry : At(json, "files").list_value().values()) {
    const Struct& file = entry.struct_value();
    manifest.files.push_back({Text(file, "name"), Number(file, "bytes"), Text(file, "sha256")});
  }
  for (const auto& [table, count] : At(json, "rows").struct_value().fields()) {
    manifest.rows[table] = static_cast<int64_t>(count.number_value());
  }
  return manifest;
}

bool IsLater(const std::string& version, const std::string& than) {
  const auto numbers = [](const std::string& text) {
    std::vector<int> parts;
    for (const std::string& part : std::vector<std::string>(absl::StrSplit(text, '.'))) {
      if (!absl::SimpleAtoi(part, &parts.emplace_back())) parts.back() = 0;
    }
    return parts;
  };
  return numbers(version) > numbers(than);
}

Status CannotWrite(const std::string& path) {
  return Refuse(errors::CONFLICT,
                absl::StrCat("'", path, "' cannot be written: ", std::strerror(errno)));
}

}  // namespace

int64_t Manifest::bytes() const {
  return std::accumulate(files.begin(), files.end(), int64_t{0},
                         [](int64_t sum, const File& file) { return sum + file.bytes; });
}
int64_t Manifest::row_count() const {
  return std::accumulate(rows.begin(), rows.end(), int64_t{0},
                         [](int64_t sum, const auto& table) { return sum + table.second; });
}

StatusOr<std::string> BeginFolder(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return Refuse(errors::CONFLICT, absl::StrCat("'", folder,
                                                 "' is there already and not empty: give each "
                                                 "backup a folder of its own"));
  }
  const std::string partial = folder + ".partial";
  fs::remove_all(partial, error);
  if (!fs::create_directories(partial, error)) {
    return Refuse(errors::CONFLICT,
                  absl::StrCat("the folder '", partial, "' cannot be made: ", error.message()));
  }
  fs::permissions(partial, fs::perms::owner_all, error);
  return partial;
}

Status FinishFolder(const std::string& folder, Manifest* manifest) {
  const std::string partial = folder + ".partial";
  for (const auto& entry : fs::directory_iterator(partial)) {
    fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::owner_write);
    RETURN_IF_ERROR(SyncFile(entry.path()));
    ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(entry.path()));
    manifest->files.push_back(
        {entry.path().filename(), static_cast<int64_t>(entry.file_size()), Hex(digest)});
  }
  std::sort(manifest->files.begin(), manifest->files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  const std::string path = partial + "/" + kFile;
  std::ofstream out(path);
  out << AsJson(ToJson(*manifest)) << std::flush;
  if (!out) return CannotWrite(path);
  out.close();
  RETURN_IF_ERROR(SyncFile(path));
  RETURN_IF_ERROR(SyncFile(partial));
  std::error_code error;
  fs::remove(folder, error);  // where it is there and empty
  if (std::rename(partial.c_str(), folder.c_str()) != 0) return CannotWrite(folder);
  const fs::path above = fs::absolute(folder).parent_path();
  return SyncFile(above);
}

StatusOr<Manifest> ReadManifest(const std::string& folder, const std::string& holds) {
  const auto text = Contents(folder + "/" + kFile);
  if (!text) {
    return Refuse(errors::RESOURCE_NOT_FOUND,
                  absl::StrCat("'", folder, "' is no backup: it has no ", kFile));
  }
  Struct json;
  if (!google::protobuf::util::JsonStringToMessage(*text, &json).ok()) {
    return Spoilt(folder, absl::StrCat("has a ", kFile, " that cannot be read"));
  }
  Manifest manifest = FromJson(json);
  if (Number(json, "format") > kFormat || IsLater(manifest.version, HubVersion())) {
    return Refuse(errors::CONFLICT,
                  absl::StrCat("'", folder, "' was written by version ", manifest.version,
                               " of the hub and this program is ", HubVersion(),
                               ": restore it by that version or a later one"));
  }
  if (manifest.holds != holds) {
    return Refuse(errors::CONFLICT, absl::StrCat("'", folder, "' holds ", manifest.holds,
                                                 ", where the backup of ", holds, " is wanted"));
  }
  if (manifest.files.empty()) return Spoilt(folder, absl::StrCat("has no files in its ", kFile));
  for (const Manifest::File& file : manifest.files) {
    const auto digest = Sha256OfFile(folder + "/" + file.name);
    if (!digest.ok()) return Spoilt(folder, absl::StrCat("lacks '", file.name, "'"));
    if (Hex(*digest) != file.sha256) {
      return Spoilt(folder, absl::StrCat("is not as it was written: the checksum of '", file.name,
                                         "' differs from the one in ", kFile));
    }
  }
  return manifest;
}

Status SyncFile(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.is_open() && fsync(file.get()) == 0 ? Status() : CannotWrite(path);
}

std::string Report(const std::map<std::string, std::string>& texts,
                   const std::map<std::string, double>& numbers) {
  Struct json;
  for (const auto& [name, text] : texts) SetText(&json, name, text);
  for (const auto& [name, number] : numbers) {
    (*json.mutable_fields())[name].set_number_value(number);
  }
  return AsJson(json);
}

std::string TimeOf(Micros at) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMicros(at), absl::UTCTimeZone());
}

std::string SizeOf(int64_t bytes) {
  return absl::StrFormat("%.1f MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace hub::ctl
