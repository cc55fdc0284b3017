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
CREATE VIEW due_interests(name, forum, resource, due_on) AS
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
