-- What families tell without a name. Readable by every version from 0.1.0.
CREATE TABLE live_feedbacks(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL, text {text} NOT NULL, theme {text} NOT NULL, received_on {text} NOT NULL,
  triage_by {text} NOT NULL, triaged_on {text}, safeguarding {int64} NOT NULL,
  demand {text} NOT NULL, cleared_text {text} NOT NULL, cleared {int64} NOT NULL,
  PRIMARY KEY (forum, id),
  CHECK ((cleared = 1) = (cleared_text <> '')),
  CHECK (safeguarding = 0 OR cleared = 0)) {strict};
CREATE INDEX live_feedbacks_received ON live_feedbacks(forum, received_on, id);
CREATE INDEX live_feedbacks_state ON live_feedbacks(forum, state);
CREATE INDEX live_feedbacks_theme ON live_feedbacks(forum, theme);
ALTER TABLE engagement_settings ADD COLUMN triage_working_days {int64};
ALTER TABLE engagement_settings ADD COLUMN danger_notice {text};
ALTER TABLE engagement_settings ADD COLUMN danger_notice_checked_on {text};
