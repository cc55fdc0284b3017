#include "common/auth/trust.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace hub::auth {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kLookEvery(1);
constexpr std::chrono::seconds kAskEvery(300);      // where the issuer's entry says nothing
constexpr std::chrono::seconds kAskAwayEvery(10);   // one that did not answer
constexpr std::chrono::seconds kAskAgainEvery(10);  // at most, for keys that nobody knows
constexpr std::chrono::seconds kWaitForAnswer(5);
constexpr Micros kKeptFor = 24ll * 3600 * 1000000;

// What tells one state of a file from another; empty if it is not there.
std::string StampOf(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return "";
  return absl::StrCat(found.st_ino, ":", found.st_size, ":", found.st_mtim.tv_sec, ".",
                      found.st_mtim.tv_nsec);
}

Micros ChangedAt(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return 0;
  return int64_t{found.st_mtim.tv_sec} * 1000000 + found.st_mtim.tv_nsec / 1000;
}

bool IsAddress(const std::string& jwks) { return absl::StrContains(jwks, "://"); }

}  // namespace

StatusOr<std::vector<Trust::Listed>> Trust::ReadList() const {
  const std::string& path = options_.issuers;
  ASSIGN_OR_RETURN(std::string text, ReadFile("issuers", path));
  google::protobuf::Struct file;
  if (!google::protobuf::util::JsonStringToMessage(text, &file).ok() ||
      file.fields().count("issuers") == 0) {
    return InvalidField("issuers", "'" + path + "' is no JSON of the form {\"issuers\": [...]}");
  }
  const auto beside = [&](const std::string& name) {
    return (fs::path(path).parent_path() / name).string();
  };
  std::vector<Listed> all;
  std::set<std::string> names;
  for (const auto& value : file.fields().at("issuers").list_value().values()) {
    const auto& entry = value.struct_value().fields();
    auto text_of = [&](const char* key) {
      auto it = entry.find(key);
      return it == entry.end() ? std::string() : it->second.string_value();
    };
    Listed listed;
    listed.issuer.issuer = text_of("issuer");
    listed.issuer.organisation = text_of("organisation");
    const std::string& name = listed.issuer.issuer;
    if (name.empty() || name == kInsideIssuer || listed.issuer.organisation.empty()) {
      return InvalidField("issuers", "every issuer in '" + path +
                                         "' needs an issuer (not 'hub') and an organisation");
    }
    if (!names.insert(name).second) {
      return InvalidField("issuers", "'" + name + "' stands in '" + path +
                                         "' twice; an issuer belongs to one organisation");
    }
    auto development = entry.find("development");
    if (options_.production && development != entry.end() && development->second.bool_value()) {
      return InvalidField("issuers", "'" + name + "' in '" + path +
                                         "' is a development issuer, which a production server "
                                         "refuses; name your organisations' own");
    }
    const std::string jwks = text_of("jwks");
    if (IsAddress(jwks)) {
      RETURN_IF_ERROR(CheckAddress(jwks));
      listed.url = jwks;
      listed.file = options_.kept + "/" + Hex(privacy::Sha256(name + "\n" + jwks)) + ".jwks";
      const std::string authority = text_of("authority");
      if (!authority.empty()) listed.authority = beside(authority);
      auto every = entry.find("refresh_seconds");
      const double seconds = every == entry.end() ? 0 : every->second.number_value();
      listed.every = seconds >= 1 && seconds <= 86400
                         ? std::chrono::seconds(static_cast<int64_t>(seconds))
                         : kAskEvery;
    } else {
      listed.file = beside(jwks);
    }
    all.push_back(std::move(listed));
  }
  return all;
}

Status Trust::ReadKeys(Listed* listed) const {
  if (!listed->url.empty()) {
    const Micros at = ChangedAt(listed->file);
    if (at == 0) return Status();  // not answered yet
    listed->issuer.until = at + kKeptFor;
  }
  ASSIGN_OR_RETURN(const std::string jwks, ReadFile("jwks", listed->file));
  auto keys = KeySet::FromJwks(jwks);
  if (!keys.ok()) {
    if (!listed->url.empty()) return Status();  // a spoilt copy is none; the address is asked
    return InvalidField("jwks", "'" + listed->file + "': " + MessageOf(keys.status()));
  }
  listed->issuer.keys = *keys;
  return Status();
}

std::string Trust::Stamps() const {
  std::string stamps = StampOf(options_.issuers) + "|" + StampOf(options_.services);
  for (const Listed& listed : listed_) stamps += "|" + StampOf(listed.file);
  return stamps;
}

// What changed since it was read. The two lists do not hold each other up: a mistake in one must
// not keep somebody in who was taken off the other.
Status Trust::Read() {
  std::string stamps = Stamps();
  if (stamps == stamps_) return Status();
  stamps_ = std::move(stamps);
  Trusted next;
  if (auto before = Now()) next = *before;
  const auto read_issuers = [&]() -> Status {
    ASSIGN_OR_RETURN(listed_, ReadList());
    std::vector<Issuer> issuers;
    for (Listed& listed : listed_) {
      RETURN_IF_ERROR(ReadKeys(&listed));
      issuers.push_back(listed.issuer);
    }
    next.issuers = std::move(issuers);
    return Status();
  };
  const auto read_services = [&]() -> Status {
    if (options_.services.empty()) return Status();
    ASSIGN_OR_RETURN(const std::string jwks, ReadFile("services", options_.services));
    auto keys = KeySet::FromJwks(jwks);
    if (!keys.ok()) {
      return InvalidField("services", "'" + options_.services + "': " + MessageOf(keys.status()));
    }
    next.services = *keys;
    return Status();
  };
  Status issuers = read_issuers();
  const Status services = read_services();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    now_ = std::make_shared<const Trusted>(std::move(next));
    ++changes_;
    with_address_.clear();
    for (const Listed& listed : listed_) {
      if (!listed.url.empty()) with_address_.insert(listed.issuer.issuer);
    }
  }
  return issuers.ok() ? services : issuers;
}

// True if it answered with keys.
bool Trust::Ask(const Listed& listed) {
  Address& address = addresses_[listed.issuer.issuer];
  const bool have = listed.issuer.keys != nullptr;
  const auto answer = [&]() -> Status {
    ASSIGN_OR_RETURN(const Fetched fetched,
                     options_.fetch(listed.url, listed.authority, have ? address.etag : ""));
    if (fetched.same) {
      std::error_code error;
      fs::last_write_time(listed.file, fs::file_time_type::clock::now(), error);
      return Status();
    }
    RETURN_IF_ERROR(KeySet::FromJwks(fetched.body).status());
    RETURN_IF_ERROR(ReplaceFile(listed.file, fetched.body));
    address.etag = fetched.etag;
    return Status();
  };
  const Status answered = answer();
  if (!answered.ok() && !address.away) {
    std::fprintf(
        stderr, "the keys of '%s' cannot be had: %s; %s\n", listed.issuer.issuer.c_str(),
        MessageOf(answered).c_str(),
        have ? "those of before count for a day after the last answer" : "its tokens wait");
  }
  if (answered.ok() && address.away) {
    std::fprintf(stderr, "the keys of '%s' are had again\n", listed.issuer.issuer.c_str());
  }
  address.away = !answered.ok();
  address.next =
      Steady::now() + (answered.ok() ? listed.every : std::min(listed.every, kAskAwayEvery));
  return answered.ok();
}

Status Trust::Look() {
  const Status read = Read();
  bool news = false;
  for (const Listed& listed : listed_) {
    if (listed.url.empty()) continue;
    if (asking_.count(listed.issuer.issuer) > 0 ||
        Steady::now() >= addresses_[listed.issuer.issuer].next) {
      news |= Ask(listed);
    }
  }
  asking_.clear();
  return news ? Read() : read;
}

void Trust::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    asking_.swap(wanted_);
    const int64_t look = ++begun_;
    lock.unlock();
    const Status looked = Look();
    if (!looked.ok()) {
      std::fprintf(stderr, "%s; what was read before still counts\n", MessageOf(looked).c_str());
    }
    lock.lock();
    ended_ = look;
    changed_.notify_all();
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_ || !wanted_.empty(); });
  }
}

StatusOr<std::unique_ptr<Trust>> Trust::Open(Options options) {
  std::unique_ptr<Trust> trust(new Trust(std::move(options)));
  std::error_code error;
  fs::create_directories(trust->options_.kept, error);
  RETURN_IF_ERROR(trust->Look());
  trust->thread_ = std::thread([self = trust.get()] { self->Loop(); });
  return trust;
}

Trust::Trust(std::vector<Issuer> issuers)
    : now_(std::make_shared<const Trusted>(Trusted{std::move(issuers), nullptr})) {}

Trust::~Trust() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const Trusted> Trust::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

StatusOr<bool> Trust::AskAgain(const std::string& issuer) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (with_address_.count(issuer) == 0) return false;
  if (waiting_) {
    return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                  "the issuer is being asked for its keys; try again");
  }
  const auto now = Steady::now();
  auto [last, first] = asked_again_.try_emplace(issuer, now);
  if (!first && now < last->second + kAskAgainEvery) return false;
  last->second = now;
  wanted_.insert(issuer);
  waiting_ = true;
  changed_.notify_all();
  const int64_t next = begun_ + 1;  // the look that asks for it
  changed_.wait_for(lock, kWaitForAnswer, [&] { return stopping_ || ended_ >= next; });
  waiting_ = false;
  return true;
}

}  // namespace hub::auth
