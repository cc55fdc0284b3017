-- Reps, the documents that they accept, and their declarations of interests.
CREATE TABLE reps(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  member_id {text} NOT NULL, state {text} NOT NULL, applied_on {text} NOT NULL,
  induction_done_on {text} NOT NULL, most_hours_a_month {int64} NOT NULL,
  standing_lapsed_on {text} NOT NULL,
  PRIMARY KEY (forum, id), UNIQUE (forum, member_id),
  FOREIGN KEY (forum, member_id) REFERENCES members(forum, id)) {strict};
CREATE INDEX reps_state ON reps(forum, state, id);
CREATE TABLE documents(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  kind {text} NOT NULL, number {int64} NOT NULL, text {text} NOT NULL, text_hash {text} NOT NULL,
  published_on {text} NOT NULL,
  PRIMARY KEY (forum, id), UNIQUE (forum, kind, number)) {strict};
CREATE INDEX documents_published ON documents(forum, published_on, id);
CREATE TABLE acceptances(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL, document_id {text} NOT NULL, accepted_on {text} NOT NULL,
  PRIMARY KEY (forum, id), UNIQUE (forum, rep_id, document_id),
  FOREIGN KEY (forum, rep_id) REFERENCES reps(forum, id),
  FOREIGN KEY (forum, document_id) REFERENCES documents(forum, id)) {strict};
CREATE TABLE declarations(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL, declared_on {text} NOT NULL, lapses_on {text} NOT NULL,
  nil {int64} NOT NULL, interests {bytes},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, rep_id) REFERENCES reps(forum, id)) {strict};
CREATE INDEX declarations_rep ON declarations(forum, rep_id, declared_on);
-- Good standing lapses with the last declaration (the rule stands in reps_rules; the view only
-- knows when to ask it again).
CREATE VIEW due AS
  SELECT 'GoodStandingLapsed' AS name, r.forum AS forum,
         'forums/' || r.forum || '/reps/' || r.id AS resource, MAX(d.lapses_on) AS due_on
  FROM reps r JOIN declarations d ON d.forum = r.forum AND d.rep_id = r.id
  WHERE r.state IN ('ACTIVE', 'PAUSED') AND r.standing_lapsed_on = ''
  GROUP BY r.forum, r.id;
