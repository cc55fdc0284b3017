// The engine's own tables, the same in every service's database, before the service's migrations.
//   keys         one row per command done: (source, principal, request_id); claimed first, kept for
//   ever journal      one row per command, inserted last, never changed payloads     what a command
//   produced: receiver '' is the answer as sent (sealed), every other
//                receiver's row is its projection of the event, unsent while sent_at is NULL;
//                id = seq * 256 + part, so ids are in time order and the journal row is found from
//                it
//   counters     dense sequence per (receiver, aggregate) for receivers who do not get every change
//   positions    per consumed aggregate the last sequence applied here
//   dead_letters consumed events that were refused too often
//   leases       who relays to a receiver now
//   meta         'epoch': raised by restore and by promotion of a replica
#pragma once

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

}  // namespace hub::journal
