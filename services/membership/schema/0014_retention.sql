-- Until when the data of who left are kept. No older program runs on it: nobody who leaves would be erased.
-- Who had left before is kept for two years from the upgrade.
ALTER TABLE members ADD COLUMN kept_until {text} NOT NULL DEFAULT '';
ALTER TABLE membership_settings ADD COLUMN years_kept {int64};
UPDATE members SET kept_until = (CAST(SUBSTR(CAST(CURRENT_DATE AS TEXT), 1, 4) AS INTEGER) + 2)
                                || SUBSTR(CAST(CURRENT_DATE AS TEXT), 5, 4) || '01'
  WHERE state = 'LEFT';
CREATE INDEX members_kept_until ON members(kept_until) WHERE state = 'LEFT';
CREATE VIEW due_retention(name, forum, resource, due_on) AS
  SELECT 'RetentionEnded', m.forum, 'forums/' || m.forum || '/members/' || m.id, m.kept_until
  FROM members m WHERE m.state = 'LEFT' AND m.kept_until <> '';
