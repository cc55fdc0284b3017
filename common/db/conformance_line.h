// A line to a PostgreSQL server that a test can cut: a socket of its own in a folder, whose bytes
// go to the server's and back, until what comes next in one direction is lost, and the connection
// with it. The server then knows what the client does not, or the other way round.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace hub::db {

class Line {
 public:
  enum Loss { kNothing, kRequest, kAnswer };

  // `conninfo` is MiniPostgres's ('host=<folder> ...'); the line's own socket lies in `folder`.
  Line(const std::string& conninfo, const std::string& folder)
      : server_(conninfo.substr(5, conninfo.find(' ') - 5)),
        conninfo_("host=" + folder + conninfo.substr(conninfo.find(' '))),
        listening_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = Address(folder);
    EXPECT_EQ(bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listening_, 64), 0);
    accepting_ = std::thread([this] { Accept(); });
  }
  ~Line() {
    ending_ = true;
    shutdown(listening_, SHUT_RDWR);
    accepting_.join();
    for (auto& carrier : carriers_) carrier.join();
    close(listening_);
  }

  const std::string& conninfo() const { return conninfo_; }
  // The next bytes in that direction, on whichever connection they come, are lost; or the next in
  // which `words` stand, as 'COMMIT' in the answer to one.
  void Lose(Loss loss, const std::string& words = "") {
    std::lock_guard<std::mutex> lock(mutex_);
    next_ = loss;
    words_ = words;
  }

 private:
  static sockaddr_un Address(const std::string& folder) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (folder + "/.s.PGSQL.5432").c_str(),
                 sizeof address.sun_path - 1);
    return address;
  }

  void Accept() {
    while (true) {
      const int client = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_un address = Address(server_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        close(client);
        close(server);
        continue;
      }
      carriers_.emplace_back([this, client, server] {
        Carry(client, server);
        close(client);
        close(server);
      });
    }
  }

  void Carry(int client, int server) {
    while (!ending_) {
      pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (poll(ends, 2, 50) < 0) return;
      if (ends[0].revents != 0 && !Pass(client, server, kRequest)) return;
      if (ends[1].revents != 0 && !Pass(server, client, kAnswer)) return;
    }
  }

  bool IsLost(Loss direction, std::string_view bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (next_ != direction || bytes.find(words_) == std::string_view::npos) return false;
    next_ = kNothing;
    return true;
  }

  bool Pass(int from, int to, Loss direction) {
    char bytes[65536];
    const ssize_t length = read(from, bytes, sizeof bytes);
    if (length > 0 && IsLost(direction, std::string_view(bytes, length))) return false;
    for (ssize_t sent = 0; sent < length;) {
      const ssize_t some = send(to, bytes + sent, length - sent, MSG_NOSIGNAL);
      if (some < 0) return false;
      sent += some;
    }
    return length > 0;
  }

  const std::string server_;
  const std::string conninfo_;
  const int listening_;
  std::mutex mutex_;
  Loss next_ = kNothing;
  std::string words_;
  std::atomic<bool> ending_{false};
  std::thread accepting_;
  std::vector<std::thread> carriers_;
};

}  // namespace hub::db
