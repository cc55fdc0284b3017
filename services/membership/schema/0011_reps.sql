-- The steps of an induction, and new versions of documents: who has not accepted one loses good standing on
-- its day, and is reminded before. No older program runs on it: it knows no such day.
ALTER TABLE membership_settings ADD COLUMN acceptance_notice_days {int64};
ALTER TABLE membership_settings ADD COLUMN induction_steps {bytes};
ALTER TABLE reps ADD COLUMN induction_steps {bytes};
ALTER TABLE reps ADD COLUMN reminded_on {text} NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN required_from {text} NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN remind_on {text} NOT NULL DEFAULT '';
CREATE VIEW not_accepted AS
  SELECT r.forum, r.id, r.standing_lapsed_on, r.reminded_on, d.required_from, d.remind_on
  FROM reps r JOIN documents d ON d.forum = r.forum
  WHERE r.state IN ('ACTIVE', 'PAUSED') AND d.required_from <> ''
    AND d.number = (SELECT MAX(l.number) FROM documents l WHERE l.forum = d.forum AND l.kind = d.kind)
    AND NOT EXISTS (SELECT 1 FROM acceptances a
                    WHERE a.forum = r.forum AND a.rep_id = r.id AND a.document_id = d.id);
CREATE VIEW due_documents(name, forum, resource, due_on) AS
  SELECT 'GoodStandingLapsed', n.forum, 'forums/' || n.forum || '/reps/' || n.id, MIN(n.required_from)
  FROM not_accepted n WHERE n.standing_lapsed_on = '' GROUP BY n.forum, n.id
  UNION ALL
  SELECT 'AcceptanceDue', n.forum, 'forums/' || n.forum || '/reps/' || n.id, MIN(n.remind_on)
  FROM not_accepted n WHERE n.remind_on > n.reminded_on GROUP BY n.forum, n.id;
