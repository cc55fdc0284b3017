// The engine's own tables, the same in every service's database, numbered apart from the service's
// migrations.
//   keys         one row per command done: (source, principal, request_id); claimed first, kept for
//                ever; of an anonymous command it does not say which, seq is 0
//   journal      one row per command, inserted last, never changed
//   payloads     what a command produced: receiver '' is the answer as sent (sealed), every other
//                receiver's row is its projection of the event, unsent while sent_at is NULL, kept
//                back until held_until; id = seq * 256 + part, so ids are in time order and the
//                journal row is found from it; below 0, held_until says that an anonymous method
//                told it, and there is no way to the journal (anonymous.cc)
//   counters     dense sequence per (receiver, aggregate) for receivers who do not get every change
//   positions    per consumed aggregate the last sequence applied here
//   dead_letters consumed events that were refused too often, and the later ones of their records:
//                `error` is a reason of errors.proto, empty where it only waits behind another;
//                `given_up` says why it is not done any more, and is NULL while it waits
//   leases       which process relays to a receiver now, and which one consumes
//   meta         'epoch': raised by restore and by promotion of a replica; 'followed': the epoch
//                that has been told and after which the other services have been asked;
//                'forgotten': the last payload id below which events were let go;
//                'scrub/<table>': what was deleted there must leave the files too
//   blocks       the audit: heads of the sealed blocks of journal rows, in block_rows' order
//   access_log   reads of personal data, and refusals
//   sharing      a copy of the sharing agreements: a row for each data item of an entry
//   crossings    the register: what a partner was told or shown, of whom, under which entry
//   erasures     persons erased here (person.h): what became of their records, and how far the rest
//                is: step 0 the rows, 1 keys and files too, 2 membership knows
#pragma once

#include <string>
#include <vector>

#include "common/db/db.h"

namespace hub::journal {

inline constexpr int64_t kPartsPerCommand = 256;

inline const char kTables[] = R"SQL(
CREATE TABLE keys(
  source {int64} NOT NULL, principal {text} NOT NULL, request_id {text} NOT NULL,
  hash {bytes} NOT NULL, seq {int64} NOT NULL,
  PRIMARY KEY (source, principal, request_id)) {strict};
CREATE TABLE journal(
  seq {int64} NOT NULL PRIMARY KEY, at {int64} NOT NULL, principal {text} NOT NULL,
  method {text} NOT NULL, resource {text} NOT NULL, version {int64} NOT NULL,
  digest {bytes} NOT NULL) {strict};
{append_only:journal}
CREATE TABLE payloads(
  id {int64} NOT NULL PRIMARY KEY, receiver {text} NOT NULL, aggregate {text} NOT NULL,
  type {text} NOT NULL, version {int64} NOT NULL, n {int64} NOT NULL, at {int64} NOT NULL,
  paths {text} NOT NULL, body {bytes} NOT NULL, sent_at {int64}, stream_seq {int64}) {strict};
CREATE INDEX payloads_unsent ON payloads(receiver, id) WHERE sent_at IS NULL AND receiver <> '';
CREATE INDEX payloads_aggregate ON payloads(receiver, aggregate, n);
CREATE INDEX payloads_sent ON payloads(receiver, stream_seq) WHERE stream_seq IS NOT NULL;
CREATE TABLE counters(
  receiver {text} NOT NULL, aggregate {text} NOT NULL, n {int64} NOT NULL,
  PRIMARY KEY (receiver, aggregate)) {strict};
CREATE TABLE positions(
  aggregate {text} NOT NULL PRIMARY KEY, n {int64} NOT NULL, epoch {text} NOT NULL) {strict};
CREATE TABLE dead_letters(
  event_id {text} NOT NULL PRIMARY KEY, at {int64} NOT NULL, type {text} NOT NULL,
  aggregate {text} NOT NULL, error {text} NOT NULL, body {bytes} NOT NULL) {strict};
CREATE TABLE leases(
  name {text} NOT NULL PRIMARY KEY, holder {text} NOT NULL, until {int64} NOT NULL) {strict};
CREATE TABLE meta(name {text} NOT NULL PRIMARY KEY, value {text} NOT NULL) {strict};
INSERT INTO meta(name, value) VALUES ('epoch', '1');
)SQL";

inline const char kAuditTables[] = R"SQL(
ALTER TABLE payloads ADD COLUMN held_until {int64} NOT NULL DEFAULT 0;
CREATE TABLE blocks(
  n {int64} NOT NULL PRIMARY KEY, at {int64} NOT NULL, size {int64} NOT NULL,
  head {bytes} NOT NULL) {strict};
{append_only:blocks}
CREATE TABLE block_rows(
  block {int64} NOT NULL, position {int64} NOT NULL, seq {int64} NOT NULL UNIQUE,
  PRIMARY KEY (block, position)) {strict};
{append_only:block_rows}
CREATE TABLE access_log(
  id {int64} NOT NULL PRIMARY KEY, at {int64} NOT NULL, principal {text} NOT NULL,
  method {text} NOT NULL, resource {text} NOT NULL, outcome {text} NOT NULL) {strict};
)SQL";

inline const char kDeadLetterTables[] = R"SQL(
ALTER TABLE dead_letters ADD COLUMN about {text} NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN tries {int64} NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN version {int64} NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN n {int64} NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN epoch {text} NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN changed_at {int64} NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN given_up {text};
CREATE INDEX dead_letters_waiting ON dead_letters(aggregate, n) WHERE given_up IS NULL;
)SQL";

// Rows of keys stand by their key alone, so that none tells when a one-time token came.
inline const char kAnonymousTables[] = R"SQL(-- readable since: 3
CREATE TABLE keys_by_key(
  source {int64} NOT NULL, principal {text} NOT NULL, request_id {text} NOT NULL,
  hash {bytes} NOT NULL, seq {int64} NOT NULL,
  PRIMARY KEY (source, principal, request_id)) {by_key};
INSERT INTO keys_by_key(source, principal, request_id, hash, seq)
  SELECT source, principal, request_id, hash, CASE WHEN principal = '' THEN 0 ELSE seq END
  FROM keys ORDER BY source, principal, request_id;
DROP TABLE keys;
ALTER TABLE keys_by_key RENAME TO keys;
CREATE INDEX payloads_held ON payloads(held_until, id) WHERE sent_at IS NULL AND held_until > 0;
)SQL";

// No older program runs on it: it would go on sharing what no agreement covers.
inline const char kSharingTables[] = R"SQL(
CREATE TABLE sharing(
  entry {text} NOT NULL, item {text} NOT NULL, partner {text} NOT NULL, from_on {text} NOT NULL,
  ends_on {text} NOT NULL, PRIMARY KEY (entry, item)) {strict};
CREATE INDEX sharing_partner ON sharing(partner);
CREATE TABLE crossings(
  id {int64} NOT NULL PRIMARY KEY, at {int64} NOT NULL, partner {text} NOT NULL,
  entry {text} NOT NULL, item {text} NOT NULL, person {text} NOT NULL, via {text} NOT NULL,
  resource {text} NOT NULL, receiver {text} NOT NULL) {strict};
CREATE INDEX crossings_partner ON crossings(partner, id);
)SQL";

// No older program runs on it: it would not erase whom the list of erasures names.
inline const char kErasureTables[] = R"SQL(
CREATE TABLE erasures(
  person {text} NOT NULL PRIMARY KEY, request {text} NOT NULL, confirmation {bytes} NOT NULL,
  step {int64} NOT NULL) {strict};
)SQL";

// A row of payloads.
struct Payload {
  int64_t id;
  std::string receiver, aggregate, type;
  int64_t version, n;
  Micros at;
  std::string paths, body;
  Micros held_until = 0;
};

// What was deleted or emptied in the table is to leave the files too (Engine::Scrub).
Status NoteScrub(db::Conn& conn, const std::string& table);

// By one statement.
Status InsertPayloads(db::Conn& conn, const std::vector<Payload>& payloads);

// `insert` is 'INSERT INTO table(columns) '; all rows by one statement.
template <class R, class ValuesOf>
Status InsertRows(db::Conn& conn, const std::string& insert, const std::vector<R>& rows,
                  ValuesOf values_of) {
  if (rows.empty()) return Status();
  std::vector<db::Value> values;
  std::string sql = insert + "VALUES ";
  for (const R& row : rows) {
    sql += values.empty() ? "(" : "), (";
    const size_t first = values.size();
    for (db::Value& value : values_of(row)) {
      values.push_back(std::move(value));
      sql += (values.size() == first + 1 ? "$" : ", $") + std::to_string(values.size());
    }
  }
  return conn.Exec(sql + ")", values).status();
}

}  // namespace hub::journal
