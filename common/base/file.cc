#include "common/base/file.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace hub {

std::optional<std::string> Contents(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

StatusOr<std::string> ReadFile(const std::string& field, const std::string& path) {
  auto contents = Contents(path);
  if (contents) return *std::move(contents);
  return InvalidField(field, absl::StrCat("the file '", path, "' cannot be read"));
}

Status ReplaceFile(const std::string& path, const std::string& content) {
  const std::string draft = absl::StrCat(path, ".", getpid());
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (file && std::rename(draft.c_str(), path.c_str()) == 0) return Status();
  return Internal(absl::StrCat("'", path, "' cannot be written"));
}

}  // namespace hub
