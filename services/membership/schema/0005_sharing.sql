-- readable since: 4
-- What the forum agreed to share with its partners.
CREATE TABLE sharing_entries(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  partner_id {text} NOT NULL, clause {text} NOT NULL, purpose {text} NOT NULL, data {bytes},
  from_on {text} NOT NULL, ends_on {text} NOT NULL, state {text} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, partner_id) REFERENCES partners(forum, id)) {strict};
CREATE INDEX sharing_entries_partner ON sharing_entries(forum, partner_id, id);
CREATE INDEX sharing_entries_state ON sharing_entries(forum, state, id);
DROP VIEW due;
CREATE VIEW due AS
  SELECT 'GoodStandingLapsed' AS name, r.forum AS forum,
         'forums/' || r.forum || '/reps/' || r.id AS resource, MAX(d.lapses_on) AS due_on
  FROM reps r JOIN declarations d ON d.forum = r.forum AND d.rep_id = r.id
  WHERE r.state IN ('ACTIVE', 'PAUSED') AND r.standing_lapsed_on = ''
  GROUP BY r.forum, r.id
  UNION ALL
  SELECT 'SharingEnded', s.forum, 'forums/' || s.forum || '/sharingEntries/' || s.id, s.ends_on
  FROM sharing_entries s WHERE s.state = 'AGREED' AND s.ends_on <> '';
