// Files of this machine: a handle of the kernel, and whole files at once.
#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "common/base/status.h"

namespace hub {

// A file or socket of the kernel, closed when its holder goes.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

// All bytes of a file; none where it cannot be read.
std::optional<std::string> Contents(const std::string& path);
// INVALID_FIELD, in the name of `field`, where it cannot be read.
StatusOr<std::string> ReadFile(const std::string& field, const std::string& path);
// The file has these bytes or those that it had, whoever else writes it or reads it.
Status ReplaceFile(const std::string& path, const std::string& content);

}  // namespace hub
