-- Recusals, and when it is told that a declaration lapses. No older program runs on it: it would give a rep a
-- place in what the rep steps back from. Of declarations made before, it is told on the day.
CREATE TABLE recusals(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL, rep_id {text} NOT NULL, party {text} NOT NULL, made_on {text} NOT NULL,
  ends_on {text} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, rep_id) REFERENCES reps(forum, id)) {strict};
CREATE INDEX recusals_rep ON recusals(forum, rep_id, id);
CREATE INDEX recusals_state ON recusals(forum, state, id);
ALTER TABLE membership_settings ADD COLUMN declaration_notice_days {int64};
ALTER TABLE declarations ADD COLUMN notice_on {text} NOT NULL DEFAULT '';
UPDATE declarations SET notice_on = lapses_on;
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
  FROM duplicates m WHERE m.state = 'MERGED'
  UNION ALL
  SELECT 'GoodStandingLapsed', n.forum, 'forums/' || n.forum || '/reps/' || n.id, MIN(n.required_from)
  FROM not_accepted n WHERE n.standing_lapsed_on = '' GROUP BY n.forum, n.id
  UNION ALL
  SELECT 'AcceptanceDue', n.forum, 'forums/' || n.forum || '/reps/' || n.id, MIN(n.remind_on)
  FROM not_accepted n WHERE n.remind_on > n.reminded_on GROUP BY n.forum, n.id
  UNION ALL
  SELECT 'DeclarationDue', d.forum, 'forums/' || d.forum || '/declarations/' || d.id, d.notice_on
  FROM declarations d JOIN reps r ON r.forum = d.forum AND r.id = d.rep_id
  WHERE d.notice_on <> '' AND r.state <> 'STOOD_DOWN'
    AND NOT EXISTS (SELECT 1 FROM declarations l
                    WHERE l.forum = d.forum AND l.rep_id = d.rep_id
                      AND (l.declared_on > d.declared_on
                           OR (l.declared_on = d.declared_on AND l.id > d.id)))
  UNION ALL
  SELECT 'RecusalEnded', c.forum, 'forums/' || c.forum || '/recusals/' || c.id, c.ends_on
  FROM recusals c WHERE c.state = 'ACTIVE' AND c.ends_on <> '' AND c.party <> '';
