#include "common/privacy/keys.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
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

}  // namespace

KeyStore::KeyStore(std::unique_ptr<db::Store> store, const std::string& master, Micros cache_life)
    : store_(std::move(store)), master_(master), cache_life_(cache_life) {}

StatusOr<std::unique_ptr<KeyStore>> KeyStore::Open(std::unique_ptr<db::Store> store,
                                                   const std::string& master, Micros cache_life) {
  if (master.size() != kKeyBytes) {
    return InvalidField("master", absl::StrCat("the master key has ", master.size(),
                                               " bytes; it must have ", kKeyBytes));
  }
  RETURN_IF_ERROR(store->Migrate(Migrations()));
  std::unique_ptr<KeyStore> keys(new KeyStore(std::move(store), master, cache_life));
  // A key that nobody uses: whoever comes first wraps it, everyone after must be able to open it.
  ASSIGN_OR_RETURN(const std::string wrapped, keys->WrappedKey("check", "hub", "master"));
  if (!privacy::Open(master, wrapped, PlaceOf("check", "hub", "master")).ok()) {
    return InvalidField("master",
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
  ASSIGN_OR_RETURN(std::string key, privacy::Open(master_, wrapped, place));
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
    const db::Bytes made{Seal(master_, RandomBytes(kKeyBytes), PlaceOf(kind, service, name))};
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

Status KeyStore::EraseSubjectKey(const std::string& service, const std::string& person) {
  RETURN_IF_ERROR(store_->WriteAndWait([&](db::Conn& conn) -> Status {
    const int64_t now = MachineNow();
    RETURN_IF_ERROR(conn.Exec("INSERT INTO keys (kind, service, name, erased_at)"
                              " VALUES ('subject', $1, $2, $3) ON CONFLICT DO NOTHING",
                              {service, person, now})
                        .status());
    return conn
        .Exec(
            "UPDATE keys SET wrapped = NULL, erased_at = $1 WHERE kind = 'subject'"
            " AND service = $2 AND name = $3 AND wrapped IS NOT NULL",
            {now, service, person})
        .status();
  }));
  Forget();
  return absl::OkStatus();
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
  Forget();
  return erased;
}

// After an erasure is durable. Erasures are rare, so that all keys may leave for one.
void KeyStore::Forget() {
  std::lock_guard<std::mutex> lock(mutex_);
  cache_.clear();
  ++erasures_;
}

}  // namespace hub::privacy
