-- readable since: 7
-- Groups, who was in them when, and the accounts of members in outside systems.
CREATE TABLE groups(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  display_name {text} NOT NULL, kind {text} NOT NULL, eligibility {bytes}, system {text} NOT NULL,
  PRIMARY KEY (forum, id)) {strict};
CREATE INDEX groups_kind ON groups(forum, kind, id);
CREATE TABLE group_memberships(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  group_id {text} NOT NULL, member_id {text} NOT NULL, from_on {text} NOT NULL,
  until_on {text} NOT NULL,
  CHECK (until_on = '' OR until_on >= from_on),
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, group_id) REFERENCES groups(forum, id),
  FOREIGN KEY (forum, member_id) REFERENCES members(forum, id)) {strict};
CREATE INDEX group_memberships_from ON group_memberships(forum, from_on, id);
CREATE INDEX group_memberships_group ON group_memberships(forum, group_id, from_on, id);
CREATE INDEX group_memberships_member ON group_memberships(forum, member_id, from_on, id);
CREATE UNIQUE INDEX group_memberships_open ON group_memberships(forum, group_id, member_id)
  WHERE until_on = '';
CREATE TABLE group_checks(
  forum {text} NOT NULL, group_id {text} NOT NULL, next_on {text} NOT NULL,
  PRIMARY KEY (forum, group_id),
  FOREIGN KEY (forum, group_id) REFERENCES groups(forum, id)) {strict};
CREATE TABLE outside_accounts(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  member_id {text} NOT NULL, system {text} NOT NULL, outside_key {text} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, member_id) REFERENCES members(forum, id)) {strict};
CREATE INDEX outside_accounts_member ON outside_accounts(forum, member_id, id);
CREATE INDEX outside_accounts_system ON outside_accounts(forum, system, id);
CREATE UNIQUE INDEX outside_accounts_key ON outside_accounts(forum, system, outside_key)
  WHERE outside_key <> '';
-- Who is no active member, or may have the own data stored alone, leaves at once; who is not eligible
-- any more (a rule that SQL does not know) by the next day.
CREATE VIEW due_groups(name, forum, resource, due_on) AS
  SELECT 'GroupMembershipEnds', g.forum,
         'forums/' || g.forum || '/groupMemberships/' || g.id, g.from_on
  FROM group_memberships g JOIN members m ON m.forum = g.forum AND m.id = g.member_id
  WHERE g.until_on = '' AND (m.state <> 'ACTIVE' OR LENGTH(COALESCE(m.restriction, '')) > 0)
  UNION ALL
  SELECT 'GroupCheckDue', g.forum, 'forums/' || g.forum || '/groups/' || g.id,
         COALESCE(c.next_on, '')
  FROM groups g LEFT JOIN group_checks c ON c.forum = g.forum AND c.group_id = g.id
  WHERE EXISTS (SELECT 1 FROM group_memberships o
                WHERE o.forum = g.forum AND o.group_id = g.id AND o.until_on = '');
