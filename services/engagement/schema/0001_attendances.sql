-- Who attended what. Readable from version 0.1.
CREATE TABLE attendances(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL, capacity {text} NOT NULL,
  item_id {text} NOT NULL, session_id {text} NOT NULL, partner_id {text} NOT NULL,
  session_date {text} NOT NULL, series {text} NOT NULL, activity_kind {text} NOT NULL,
  session_minutes {int64} NOT NULL, came_anyway {int64} NOT NULL, recorded_at {int64},
  PRIMARY KEY (forum, id),
  -- An engagement is counted once: one rep in one unit, an item or (item_id = '') a session.
  UNIQUE (forum, session_id, item_id, rep_id)) {strict};
CREATE INDEX attendances_rep ON attendances(forum, rep_id, session_date);
CREATE INDEX attendances_item ON attendances(forum, item_id);
CREATE INDEX attendances_date ON attendances(forum, session_date, id);
