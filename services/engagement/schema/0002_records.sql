-- What was said. Readable from version 0.1.
CREATE TABLE records(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL, item_id {text} NOT NULL, request_id {text} NOT NULL,
  session_id {text} NOT NULL, partner_id {text} NOT NULL, session_date {text} NOT NULL,
  title {text} NOT NULL, draft_due_on {text} NOT NULL, share_due_on {text} NOT NULL,
  proposed_on {text}, agreed_on {text}, shared_on {text}, agreement {bytes}, seals_on {text},
  not_disputed {int64} NOT NULL, dispute {text} NOT NULL, points {int64} NOT NULL,
  content_hash {text} NOT NULL, sealed_points {int64} NOT NULL,
  PRIMARY KEY (forum, id),
  UNIQUE (forum, item_id),
  CHECK (state NOT IN ('AGREED', 'SHARED') OR (agreed_on IS NOT NULL AND content_hash <> '')),
  CHECK (sealed_points <= points)) {strict};
CREATE INDEX records_session ON records(forum, session_id);
CREATE INDEX records_state ON records(forum, state);
CREATE INDEX records_date ON records(forum, session_date, id);
CREATE INDEX records_seals ON records(seals_on) WHERE seals_on IS NOT NULL;

CREATE TABLE points(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  record_id {text} NOT NULL, position {int64} NOT NULL, kind {text} NOT NULL,
  text {text} NOT NULL, corrects_id {text}, partner_id {text} NOT NULL, added_on {text} NOT NULL,
  PRIMARY KEY (forum, id),
  UNIQUE (forum, record_id, position),
  FOREIGN KEY (forum, record_id) REFERENCES records(forum, id),
  FOREIGN KEY (forum, corrects_id) REFERENCES points(forum, id)) {strict};
