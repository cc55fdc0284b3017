#include "common/privacy/keys.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/privacy/seal.h"

namespace hub::privacy {
namespace {

constexpr size_t kMaxCached = 10000;

// Kinds are our own words, services are names without a slash: no two keys have the same place.
std::string PlaceOf(const std::string& kind, const std::string& service, const std::string& name) {
  return absl::StrCat("keys/", kind, "/", service, "/", name);
}

const std::vector<db::Migration>& Migrations() {
  static const auto& migrations = *new std::vector<db::Migration>{{1, "0001_keys.sql", R"(
CREATE TABLE keys (
  kind      {text} NOT NULL CHECK (kind IN ('check', 'subject', 'named', 'day')),
  service   {text} NOT NULL,
  name      {text} NOT NULL,
  wrapped   {bytes},
  erased_at {int64},
  PRIMARY KEY (kind, service, name),
  CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
) {strict};
)"}};
  return migrations;
}

Status CannotKeep(const std::string& file) {
  return Refuse(errors::TEMPORARILY_UNAVAILABLE,
                absl::StrCat("the list of erasures '", file, "' cannot be written (",
                             std::strerror(errno), "), so nothing is erased; try again"));
}

// Adds a whole line or nothing, durably. Several processes may keep one list.
Status AppendLine(const std::string& file, const std::string& line) {
  const Fd list(open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const int fd = list.get();
  if (fd < 0 || flock(fd, LOCK_EX) != 0) return CannotKeep(file);
  off_t end = lseek(fd, 0, SEEK_END);
  // A line that a power cut left without its end was never an erasure.
  for (char last = 0; end > 0; --end) {
    if (pread(fd, &last, 1, end - 1) != 1) return CannotKeep(file);
    if (last == '\n') break;
  }
  if (ftruncate(fd, end) != 0) return CannotKeep(file);
  if (write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && fsync(fd) == 0) {
    return absl::OkStatus();
  }
  const Status failed = CannotKeep(file);
  return ftruncate(fd, end) == 0 ? failed : CannotKeep(file);
}

bool IsWord(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 127;
  });
}

}  // namespace

std::string LineOf(const Erasure& erasure) {
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMicros(erasure.at), absl::UTCTimeZone()),
      " ", erasure.service, " ", erasure.person);
}

StatusOr<std::vector<Erasure>> ReadErasures(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("erasures", file));
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  lines.pop_back();
  std::vector<Erasure> erasures;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string> words = absl::StrSplit(lines[i], ' ');
    absl::Time at;
    if (words.size() != 3 || !absl::ParseTime(absl::RFC3339_full, words[0], &at, nullptr) ||
        !IsWord(words[1]) || !IsWord(words[2])) {
      return InvalidField("erasures",
                          absl::StrCat("line ", i + 1, " of '", file,
                                       "' is not an erasure: a time, a service and a person, as in "
                                       "'2022-06-14T10:00:00Z membership 0190b5c2'"));
    }
    erasures.push_back({absl::ToUnixMicros(at), words[1], words[2]});
  }
  return erasures;
}

StatusOr<std::vector<Erasure>> ReadErasures(db::Store& store) {
  std::vector<Erasure> erasures;
  RETURN_IF_ERROR(store.ReadAndWait([&](db::Conn& conn) {
    erasures.clear();
    return conn.Query(
        "SELECT erased_at, service, name FROM keys WHERE kind = 'subject'"
        " AND erased_at IS NOT NULL ORDER BY erased_at, service, name",
        {}, [&](const db::Row& row) {
          erasures.push_back({row.Int(0), std::string(row.Text(1)), std::string(row.Text(2))});
          return absl::OkStatus();
        });
  }));
  return erasures;
}

KeyStore::KeyStore(std::unique_ptr<db::Store> store, MasterKeys masters, Micros cache_life)
    : store_(std::move(store)), masters_(std::move(masters)), cache_life_(cache_life) {}

StatusOr<std::unique_ptr<KeyStore>> KeyStore::Open(std::unique_ptr<db::Store> store,
                                                   MasterKeys masters, Micros cache_life) {
  RETURN_IF_ERROR(store->Migrate(Migrations()));
  std::unique_ptr<KeyStore> keys(new KeyStore(std::move(store), std::move(masters), cache_life));
  // A key that nobody uses: whoever comes first wraps it, everyone after must be able to open it.
  ASSIGN_OR_RETURN(const std::string wrapped, keys->WrappedKey("check", "hub", "master"));
  if (!keys->masters_.Unwrap(wrapped, PlaceOf("check", "hub", "master")).ok()) {
    return InvalidField("master_key",
                        "the master key is not the one that this key store was made with, so that "
                        "none of its keys can be opened; start with that one");
  }
  return keys;
}

StatusOr<std::string> KeyStore::SubjectKey(const std::string& service, const std::string& person) {
  return Key("subject", service, person);
}

StatusOr<std::string> KeyStore::NamedKey(const std::string& service, const std::string& name) {
  return Key("named", service, name);
}

StatusOr<std::string> KeyStore::DayKey(const std::string& service, const std::string& date) {
  if (!IsDate(date)) return InvalidField("date", absl::StrCat("'", date, "' is not a date"));
  return Key("day", service, date);
}

StatusOr<std::string> KeyStore::Key(const std::string& kind, const std::string& service,
                                    const std::string& name) {
  const std::string place = PlaceOf(kind, service, name);
  int64_t erasures;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const Micros now = MachineNow();
    if (cache_.size() >= kMaxCached || now >= cache_began_ + cache_life_) {
      cache_.clear();
      cache_began_ = now;
    }
    if (auto it = cache_.find(place); it != cache_.end()) return it->second;
    erasures = erasures_;
  }
  ASSIGN_OR_RETURN(const std::string wrapped, WrappedKey(kind, service, name));
  ASSIGN_OR_RETURN(std::string key, masters_.Unwrap(wrapped, place));
  std::lock_guard<std::mutex> lock(mutex_);
  if (erasures == erasures_) cache_.emplace(place, key);
  return key;
}

// As it is stored; made and stored if this is its first use.
StatusOr<std::string> KeyStore::WrappedKey(const std::string& kind, const std::string& service,
                                           const std::string& name) {
  bool known = false;
  std::optional<std::string> wrapped;
  const auto look = [&](db::Conn& conn) {
    known = false;
    wrapped.reset();
    return conn.Query("SELECT wrapped FROM keys WHERE kind = $1 AND service = $2 AND name = $3",
                      {kind, service, name}, [&](const db::Row& row) {
                        known = true;
                        if (!row.IsNull(0)) wrapped.emplace(row.Blob(0));
                        return absl::OkStatus();
                      });
  };
  RETURN_IF_ERROR(store_->ReadAndWait(look));
  if (!known) {
    const db::Bytes made{masters_.Wrap(RandomBytes(kKeyBytes), PlaceOf(kind, service, name))};
    RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) -> Status {
      RETURN_IF_ERROR(conn.Exec("INSERT INTO keys (kind, service, name, wrapped)"
                                " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                                {kind, service, name, made})
                          .status());
      return look(conn);  // another thread or replica may have been first: its key is the key
    }));
  }
  if (!wrapped.has_value()) {
    return Refuse(errors::RESOURCE_NOT_FOUND,
                  absl::StrCat("the ", kind, " key was erased, and with it all that it sealed"));
  }
  return *std::move(wrapped);
}

Status KeyStore::KeepErasures(const std::string& file) {
  RETURN_IF_ERROR(AppendLine(file, ""));
  ASSIGN_OR_RETURN(const std::vector<Erasure> list, ReadErasures(file));
  ASSIGN_OR_RETURN(const std::vector<Erasure> done, Erasures());
  std::set<std::pair<std::string, std::string>> erased;
  for (const Erasure& erasure : done) erased.insert({erasure.service, erasure.person});
  std::vector<Erasure> missing;
  for (const Erasure& erasure : list) {
    if (erased.insert({erasure.service, erasure.person}).second) missing.push_back(erasure);
  }
  if (!missing.empty()) RETURN_IF_ERROR(Erase(missing));
  list_ = file;
  return absl::OkStatus();
}

Status KeyStore::EraseSubjectKey(const std::string& service, const std::string& person) {
  const Erasure erasure{MachineNow(), service, person};
  if (!IsWord(service) || !IsWord(person)) {
    return InvalidField("person", absl::StrCat("'", service, " ", person,
                                               "' is not a service and the id of a person"));
  }
  if (!list_.empty()) RETURN_IF_ERROR(AppendLine(list_, LineOf(erasure) + "\n"));
  return Erase({erasure});
}

Status KeyStore::Erase(const std::vector<Erasure>& erasures) {
  RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) -> Status {
    for (const auto& [at, service, person] : erasures) {
      conn.Post(
          "INSERT INTO keys (kind, service, name, erased_at)"
          " VALUES ('subject', $1, $2, $3) ON CONFLICT DO NOTHING",
          {service, person, at});
      conn.Post(
          "UPDATE keys SET wrapped = NULL, erased_at = $1 WHERE kind = 'subject'"
          " AND service = $2 AND name = $3 AND wrapped IS NOT NULL",
          {at, service, person});
    }
    return absl::OkStatus();
  }));
  return Forget();
}

StatusOr<int64_t> KeyStore::EraseDayKeysBefore(const std::string& service,
                                               const std::string& date) {
  if (!IsDate(date)) return InvalidField("date", absl::StrCat("'", date, "' is not a date"));
  int64_t erased = 0;
  RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) -> Status {
    ASSIGN_OR_RETURN(erased, conn.Exec("UPDATE keys SET wrapped = NULL, erased_at = $1"
                                       " WHERE kind = 'day' AND service = $2 AND name < $3"
                                       " AND wrapped IS NOT NULL",
                                       {MachineNow(), service, date}));
    return absl::OkStatus();
  }));
  if (erased > 0) RETURN_IF_ERROR(Forget());
  return erased;
}

StatusOr<int64_t> KeyStore::WrapAnew() {
  int64_t count = 0;
  RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) -> Status {
    struct Row {
      std::string kind, service, name, wrapped;
    };
    std::vector<Row> rows;
    RETURN_IF_ERROR(
        conn.Query("SELECT kind, service, name, wrapped FROM keys WHERE wrapped IS NOT NULL", {},
                   [&](const db::Row& row) {
                     rows.push_back({std::string(row.Text(0)), std::string(row.Text(1)),
                                     std::string(row.Text(2)), std::string(row.Blob(3))});
                     return absl::OkStatus();
                   }));
    count = 0;
    for (const auto& [kind, service, name, wrapped] : rows) {
      const std::string place = PlaceOf(kind, service, name);
      bool current = false;
      ASSIGN_OR_RETURN(const std::string key, masters_.Unwrap(wrapped, place, &current));
      if (current) continue;
      ++count;
      // One that is erased meanwhile stays so.
      conn.Post(
          "UPDATE keys SET wrapped = $1 WHERE kind = $2 AND service = $3 AND name = $4"
          " AND wrapped = $5",
          {db::Bytes{masters_.Wrap(key, place)}, kind, service, name, db::Bytes{wrapped}});
    }
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(store_->Scrub("keys"));
  return count;
}

Status KeyStore::Forget() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    cache_.clear();
    ++erasures_;
  }
  return store_->Scrub("keys");
}

}  // namespace hub::privacy
