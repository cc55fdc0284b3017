-- What persons ask for over their own data. No older program runs on it: it would use data that may only be
-- stored.
ALTER TABLE members ADD COLUMN restriction {bytes};
ALTER TABLE members ADD COLUMN objections {bytes};
ALTER TABLE membership_settings ADD COLUMN rights_notice_days {int64};
CREATE TABLE rights_requests(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  member_id {text} NOT NULL, kind {text} NOT NULL, state {text} NOT NULL,
  received_on {text} NOT NULL, due_on {text} NOT NULL, details {text} NOT NULL,
  purpose {text} NOT NULL, ground {text} NOT NULL,
  question {text} NOT NULL, asked_on {text} NOT NULL, answer {text} NOT NULL,
  answered_on {text} NOT NULL, days_rested {int64} NOT NULL,
  extended_months {int64} NOT NULL, extension_reason {text} NOT NULL,
  acknowledged_on {text} NOT NULL, outcome {text} NOT NULL, done_on {text} NOT NULL,
  notice_on {text} NOT NULL, overdue_from {text} NOT NULL, confirmations {bytes},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, member_id) REFERENCES members(forum, id),
  CHECK ((done_on = '') = (state NOT IN ('DONE', 'REFUSED')))) {strict};
CREATE INDEX rights_requests_received ON rights_requests(forum, received_on, id);
CREATE INDEX rights_requests_member ON rights_requests(forum, member_id);
CREATE INDEX rights_requests_state ON rights_requests(forum, state);
CREATE INDEX rights_requests_kind ON rights_requests(forum, kind);
DROP VIEW due;
CREATE VIEW due AS
  SELECT 'GoodStandingLapsed' AS name, r.forum AS forum,
         'forums/' || r.forum || '/reps/' || r.id AS resource, MAX(d.lapses_on) AS due_on
  FROM reps r JOIN declarations d ON d.forum = r.forum AND d.rep_id = r.id
  WHERE r.state IN ('ACTIVE', 'PAUSED') AND r.standing_lapsed_on = ''
  GROUP BY r.forum, r.id
  UNION ALL
  SELECT 'SharingEnded', s.forum, 'forums/' || s.forum || '/sharingEntries/' || s.id, s.ends_on
  FROM sharing_entries s WHERE s.state = 'AGREED' AND s.ends_on <> ''
  UNION ALL
  SELECT 'RightsDueSoon', q.forum, 'forums/' || q.forum || '/rightsRequests/' || q.id, q.notice_on
  FROM rights_requests q WHERE q.notice_on <> ''
  UNION ALL
  SELECT 'RightsOverdue', q.forum, 'forums/' || q.forum || '/rightsRequests/' || q.id, q.overdue_from
  FROM rights_requests q WHERE q.overdue_from <> '';
