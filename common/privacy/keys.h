// The key store: one key per (service, person) and one per (service, day), wrapped under a master
// key that comes from a file or the environment and is never stored. It is a database of its own
// with its own short-lived backup: erasing a key erases what it sealed in every backup of the
// services' databases. Replicas share it (PostgreSQL) or are one process (SQLite).
//
// An erased key leaves its row behind, without the key, and no key is ever made again under that
// name. No byte of the key stays in the store's files. So that a restored store does not have it
// again, the list of erasures is kept in a file too, and replayed at every start.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/db/db.h"
#include "common/privacy/master_keys.h"

namespace hub::privacy {

// That a person's key was destroyed in a service. In the list it is a line:
// '2022-06-14T10:00:00Z membership 0190b5c2-...'.
struct Erasure {
  Micros at;
  std::string service, person;
};
std::string LineOf(const Erasure& erasure);
// Says which line is no erasure. A last line without its end is no erasure yet.
StatusOr<std::vector<Erasure>> ReadErasures(const std::string& file);
// What a key store has destroyed of persons, oldest first.
StatusOr<std::vector<Erasure>> ReadErasures(db::Store& store);

class KeyStore {
 public:
  // How long a replica may go on with a key that another one has erased.
  static constexpr Micros kCacheLife = 60'000'000;

  // Migrates its own database. INVALID_FIELD if that was made with another master key.
  static StatusOr<std::unique_ptr<KeyStore>> Open(std::unique_ptr<db::Store> store,
                                                  MasterKeys masters,
                                                  Micros cache_life = kCacheLife);

  // The key of a person in a service, made at first use. NOT_FOUND once it was erased. May wait for
  // the database: for jobs and executors, never for gRPC's own threads.
  StatusOr<std::string> SubjectKey(const std::string& service, const std::string& person);
  // A named key shared by replicas ('page', 'internal-token', 'audit'), made at first use.
  StatusOr<std::string> NamedKey(const std::string& service, const std::string& name);
  // The key of a civil date (machine time) under which answers are sealed and hashed.
  StatusOr<std::string> DayKey(const std::string& service, const std::string& date);
  // Who is on the list is erased now, and from now on an erasure is first written there. The file
  // is made where there is none; it must outlive this store and every backup of it.
  Status KeepErasures(const std::string& file);
  // Again, or of a key that was never made, it is the same: that person has no key here any more.
  // TEMPORARILY_UNAVAILABLE: no key, but perhaps bytes of it in the files yet; to be tried again.
  Status EraseSubjectKey(const std::string& service, const std::string& person);
  StatusOr<std::vector<Erasure>> Erasures() { return ReadErasures(*store_); }
  // Wraps what an older master key wraps under the current one, all or nothing, and leaves no byte
  // of the old wrapping in the store's files; how many. Every process that serves has the current
  // one by then.
  StatusOr<int64_t> WrapAnew();
  // Destroys day keys before `date`; how many.
  StatusOr<int64_t> EraseDayKeysBefore(const std::string& service, const std::string& date);

 private:
  KeyStore(std::unique_ptr<db::Store> store, MasterKeys masters, Micros cache_life);
  StatusOr<std::string> Key(const std::string& kind, const std::string& service,
                            const std::string& name);
  StatusOr<std::string> WrappedKey(const std::string& kind, const std::string& service,
                                   const std::string& name);
  Status Erase(const std::vector<Erasure>& erasures);
  // After an erasure is durable. Erasures are rare, so that all keys may leave for one.
  Status Forget();

  const std::unique_ptr<db::Store> store_;
  const MasterKeys masters_;
  const Micros cache_life_;
  std::string list_;  // the file of erasures; empty: none is kept

  std::mutex mutex_;
  std::unordered_map<std::string, std::string> cache_;
  Micros cache_began_ = 0;
  int64_t erasures_ = 0;  // a key read before the last of them does not enter the cache
};

}  // namespace hub::privacy
