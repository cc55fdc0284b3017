-- readable since: 7
-- Rows stand by their random ids alone, so that none tells when it came.
CREATE TABLE live_feedbacks_by_key(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL, text {text} NOT NULL, theme {text} NOT NULL, received_on {text} NOT NULL,
  triage_by {text} NOT NULL, triaged_on {text}, safeguarding {int64} NOT NULL,
  demand {text} NOT NULL, cleared_text {text} NOT NULL, cleared {int64} NOT NULL,
  PRIMARY KEY (forum, id),
  CHECK ((cleared = 1) = (cleared_text <> '')),
  CHECK (safeguarding = 0 OR cleared = 0)) {by_key};
INSERT INTO live_feedbacks_by_key(forum, id, version, state, text, theme, received_on, triage_by,
    triaged_on, safeguarding, demand, cleared_text, cleared)
  SELECT forum, id, version, state, text, theme, received_on, triage_by, triaged_on, safeguarding,
    demand, cleared_text, cleared FROM live_feedbacks ORDER BY forum, id;
DROP TABLE live_feedbacks;
ALTER TABLE live_feedbacks_by_key RENAME TO live_feedbacks;
CREATE INDEX live_feedbacks_received ON live_feedbacks(forum, received_on, id);
CREATE INDEX live_feedbacks_state ON live_feedbacks(forum, state);
CREATE INDEX live_feedbacks_theme ON live_feedbacks(forum, theme);
