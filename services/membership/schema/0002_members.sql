-- Members, the facts behind their counts, and their sealed characteristics.
CREATE TABLE members(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL, given_name {text} NOT NULL, family_name {text} NOT NULL,
  email {text} NOT NULL, phone {text} NOT NULL, postcode_district {text} NOT NULL,
  residence {text} NOT NULL, reach_by {text} NOT NULL, format {text} NOT NULL,
  joined_on {text} NOT NULL, left_on {text} NOT NULL, source_key {text} NOT NULL,
  consents {bytes},
  CHECK (left_on = '' OR left_on >= joined_on),
  PRIMARY KEY (forum, id)) {strict};
CREATE INDEX members_state ON members(forum, state, id);
CREATE UNIQUE INDEX members_source ON members(forum, source_key) WHERE source_key <> '';
CREATE TABLE history(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  member_id {text} NOT NULL, kind {text} NOT NULL, on_date {text} NOT NULL,
  recorded_time {int64} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, member_id) REFERENCES members(forum, id)) {strict};
CREATE INDEX history_date ON history(forum, on_date);
CREATE TABLE characteristics(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  subject {text} NOT NULL, body {bytes} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, id) REFERENCES members(forum, id)) {strict};
CREATE TABLE membership_settings(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  declaration_months {int64}, acceptance_days {int64},
  PRIMARY KEY (forum, id)) {strict};
