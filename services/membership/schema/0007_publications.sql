-- readable since: 6
-- Figures on what members say of themselves. Who was counted in which row of a question, not what
-- anybody said; and how many who are gone were.
CREATE TABLE publications(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  question {text} NOT NULL, date {text} NOT NULL, figure {int64} NOT NULL, base {int64} NOT NULL,
  percent {int64} NOT NULL, text {text} NOT NULL, number {int64} NOT NULL,
  answered {int64} NOT NULL, low {int64} NOT NULL, high {int64} NOT NULL, floor {int64} NOT NULL,
  ceiling {int64} NOT NULL, hash {text} NOT NULL,
  PRIMARY KEY (forum, id), UNIQUE (forum, question, number)) {strict};
CREATE INDEX publications_date ON publications(forum, date, id);
CREATE INDEX publications_question ON publications(forum, question, date, id);
CREATE TABLE counting(
  forum {text} NOT NULL, question {text} NOT NULL, next_on {text} NOT NULL,
  PRIMARY KEY (forum, question)) {strict};
CREATE TABLE counted(
  forum {text} NOT NULL, question {text} NOT NULL, member {text} NOT NULL,
  first_row {int64} NOT NULL,
  PRIMARY KEY (forum, question, member)) {strict};
CREATE TABLE departed(
  forum {text} NOT NULL, question {text} NOT NULL, first_row {int64} NOT NULL,
  last_row {int64} NOT NULL, people {int64} NOT NULL,
  PRIMARY KEY (forum, question, first_row, last_row)) {strict};
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
  FROM rights_requests q WHERE q.overdue_from <> ''
  UNION ALL
  SELECT 'FigureDue', f.forum, 'forums/' || f.forum || '/questions/' || q.question,
         COALESCE(c.next_on, '')
  FROM forums f CROSS JOIN (
    SELECT 'DISABILITY' AS question UNION ALL SELECT 'LONE_PARENT'
    UNION ALL SELECT 'FREE_SCHOOL_MEALS' UNION ALL SELECT 'GENDER' UNION ALL SELECT 'ETHNICITY') q
  LEFT JOIN counting c ON c.forum = f.forum AND c.question = q.question;
