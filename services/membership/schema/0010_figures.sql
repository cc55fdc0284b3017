-- The figures of one question and date are one record; who has gone since follows from whom each row
-- counted. No release has made figures: what there is of them is made anew from the next day on.
DROP VIEW due;
DROP TABLE departed;
DROP TABLE counting;
DROP TABLE publications;
DELETE FROM counted;
CREATE TABLE publications(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  question {text} NOT NULL, date {text} NOT NULL, base {int64} NOT NULL, figures {bytes},
  members {int64} NOT NULL, text {text} NOT NULL, imported {int64} NOT NULL, number {int64} NOT NULL,
  answered {int64} NOT NULL, since {bytes}, hash {text} NOT NULL,
  PRIMARY KEY (forum, id), UNIQUE (forum, question, number)) {strict};
CREATE INDEX publications_date ON publications(forum, date, id);
CREATE INDEX publications_question ON publications(forum, question, date, id);
CREATE TABLE counting(forum {text} NOT NULL, next_on {text} NOT NULL, PRIMARY KEY (forum)) {strict};
CREATE TABLE frozen(
  forum {text} NOT NULL, question {text} NOT NULL, answer {text} NOT NULL, people {int64} NOT NULL,
  PRIMARY KEY (forum, question, answer)) {strict};
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
  SELECT 'GroupMembershipEnds', g.forum,
         'forums/' || g.forum || '/groupMemberships/' || g.id, g.from_on
  FROM group_memberships g JOIN members m ON m.forum = g.forum AND m.id = g.member_id
  WHERE g.until_on = '' AND (m.state <> 'ACTIVE' OR LENGTH(COALESCE(m.restriction, '')) > 0)
  UNION ALL
  SELECT 'GroupCheckDue', g.forum, 'forums/' || g.forum || '/groups/' || g.id,
         COALESCE(c.next_on, '')
  FROM groups g LEFT JOIN group_checks c ON c.forum = g.forum AND c.group_id = g.id
  WHERE EXISTS (SELECT 1 FROM group_memberships o
                WHERE o.forum = g.forum AND o.group_id = g.id AND o.until_on = '')
  UNION ALL
  SELECT 'FiguresDue', f.forum, 'forums/' || f.forum, COALESCE(c.next_on, '')
  FROM forums f LEFT JOIN counting c ON c.forum = f.forum WHERE f.forum <> 'national'
  UNION ALL
  -- When each forum has done its part.
  SELECT 'NationalFiguresDue', 'national', 'forums/national', n.next_on
  FROM (SELECT COALESCE(MAX(next_on), '') AS next_on FROM counting WHERE forum = 'national') n
  WHERE n.next_on < (SELECT MIN(COALESCE(c.next_on, '')) FROM forums f
                     LEFT JOIN counting c ON c.forum = f.forum WHERE f.forum <> 'national');
