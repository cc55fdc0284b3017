-- Members who apply, and members who were entered twice. No older program runs on it: it would count
-- who was merged. Names and numbers of before are compared as far as SQL can tell until they change.
ALTER TABLE members ADD COLUMN reach_when {text} NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN merged_into_id {text} NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN name_key {text} NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN phone_key {text} NOT NULL DEFAULT '';
UPDATE members SET name_key = LOWER(REPLACE(given_name || family_name, ' ', '')),
  phone_key = CASE WHEN phone LIKE '0%' THEN '+44' || SUBSTR(REPLACE(phone, ' ', ''), 2)
              ELSE REPLACE(phone, ' ', '') END;
CREATE INDEX members_merged ON members(forum, merged_into_id) WHERE merged_into_id <> '';
CREATE INDEX members_name_key ON members(forum, name_key) WHERE name_key <> '';
CREATE INDEX members_phone_key ON members(forum, phone_key) WHERE phone_key <> '';
CREATE INDEX members_email ON members(forum, LOWER(email)) WHERE email <> '';
CREATE INDEX history_member ON history(forum, member_id);
ALTER TABLE membership_settings ADD COLUMN application_days {int64};
ALTER TABLE membership_settings ADD COLUMN merge_days {int64};
ALTER TABLE membership_settings ADD COLUMN postcode_districts {bytes};
CREATE TABLE confirmations(
  forum {text} NOT NULL, member_id {text} NOT NULL, token_hash {text} NOT NULL,
  lapses_on {text} NOT NULL,
  PRIMARY KEY (forum, member_id),
  FOREIGN KEY (forum, member_id) REFERENCES members(forum, id)) {strict};
CREATE TABLE duplicates(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL, kept_id {text} NOT NULL, member_id {text} NOT NULL,
  decided_on {text} NOT NULL, final_on {text} NOT NULL, merge {bytes},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, kept_id) REFERENCES members(forum, id),
  FOREIGN KEY (forum, member_id) REFERENCES members(forum, id),
  CHECK ((final_on = '') = (state <> 'MERGED'))) {strict};
CREATE INDEX duplicates_state ON duplicates(forum, state, id);
CREATE INDEX duplicates_kept ON duplicates(forum, kept_id, id);
CREATE INDEX duplicates_member ON duplicates(forum, member_id, id);
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
                     LEFT JOIN counting c ON c.forum = f.forum WHERE f.forum <> 'national')
  UNION ALL
  SELECT 'ApplicationLapsed', a.forum, 'forums/' || a.forum || '/members/' || a.member_id, a.lapses_on
  FROM confirmations a
  UNION ALL
  SELECT 'MergeFinal', m.forum, 'forums/' || m.forum || '/duplicates/' || m.id, m.final_on
  FROM duplicates m WHERE m.state = 'MERGED';
