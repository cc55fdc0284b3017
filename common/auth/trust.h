// Whose tokens count, by which keys: the organisations' issuers and the services of this hub. What
// stands in files counts a second after it was changed, without a restart; what cannot be read is
// said, and what was read before it still counts. A key set at an address is asked for every few
// minutes, and at once for a key that it did not have; its last answer is kept in a file, and
// counts for a day while the address is away.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/auth/fetch.h"
#include "common/auth/token.h"

namespace hub::auth {

inline constexpr char kInsideIssuer[] = "hub";  // of the services' own tokens

struct Issuer {
  std::string issuer;
  std::string organisation;
  std::shared_ptr<const KeySet> keys;  // null: its address has not answered yet
  Micros until = 0;  // so long its keys count; 0: always, since they stand in a file of ours
};

// At one moment.
struct Trusted {
  std::vector<Issuer> issuers;
  std::shared_ptr<const KeySet> services;  // null: whoever has the services' one key
};

class Trust {
 public:
  struct Options {
    // {"issuers": [{"issuer": "https://login.example", "organisation": "forums/warwickshire",
    //   "jwks": "forum.jwks" or "https://login.example/keys", "authority": "login-ca.pem",
    //   "refresh_seconds": 300, "development": false}]}; paths are relative to the file. The
    // organisation is a forum, a partner ('forums/warwickshire/partners/wcc') or 'operator'. The
    // last three may be left out. A development issuer is refused in production.
    std::string issuers;
    // A key set with the key of each service that may call another: its kid is the service's name,
    // as 'scheduling' or 'scheduling.2', or 'hub' for a process of all four. Empty: no such list.
    std::string services;
    std::string kept;  // folder for what addresses answered
    bool production = false;
    std::function<StatusOr<Fetched>(const std::string& url, const std::string& authority,
                                    const std::string& etag)>
        fetch = Fetch;
  };
  // Asks all addresses once; one that is away only makes its own tokens wait.
  static StatusOr<std::unique_ptr<Trust>> Open(Options options);
  explicit Trust(std::vector<Issuer> issuers);  // these for ever
  ~Trust();

  std::shared_ptr<const Trusted> Now() const;
  // Counted up with each change: what was decided before one is decided anew.
  int64_t changes() const { return changes_; }
  // For a token whose key the issuer's set does not have: true if the set was asked for again
  // since. May wait, for one caller at a time; others are TEMPORARILY_UNAVAILABLE meanwhile. An
  // address is asked every 10 seconds at most, however many such tokens come.
  StatusOr<bool> AskAgain(const std::string& issuer);

 private:
  using Steady = std::chrono::steady_clock;
  struct Listed {
    Issuer issuer;
    std::string file;  // of its keys
    std::string url;   // empty: the file is theirs, not a kept answer
    std::string authority;
    std::chrono::seconds every;
  };
  struct Address {
    std::string etag;
    Steady::time_point next;
    bool away = false;
  };

  explicit Trust(Options options) : options_(std::move(options)) {}
  StatusOr<std::vector<Listed>> ReadList() const;
  Status ReadKeys(Listed* listed) const;
  std::string Stamps() const;
  Status Read();
  bool Ask(const Listed& listed);
  Status Look();
  void Loop();

  const Options options_;
  // The looking thread's own.
  std::vector<Listed> listed_;
  std::string stamps_;                        // of the files when they were read
  std::map<std::string, Address> addresses_;  // by issuer
  std::set<std::string> asking_;              // issuers whose address is asked out of turn

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const Trusted> now_;
  std::atomic<int64_t> changes_ = 0;
  std::set<std::string> with_address_;
  std::map<std::string, Steady::time_point> asked_again_;
  std::set<std::string> wanted_;
  int64_t begun_ = 0, ended_ = 0;  // looks
  bool waiting_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hub::auth
