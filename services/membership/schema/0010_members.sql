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
-- The unique index leaves out who has no key, so it serves no question that does not say so: sheets ask.
CREATE INDEX members_source_key ON members(forum, source_key, id);
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
CREATE VIEW due_members(name, forum, resource, due_on) AS
  SELECT 'ApplicationLapsed', a.forum, 'forums/' || a.forum || '/members/' || a.member_id, a.lapses_on
  FROM confirmations a
  UNION ALL
  SELECT 'MergeFinal', m.forum, 'forums/' || m.forum || '/duplicates/' || m.id, m.final_on
  FROM duplicates m WHERE m.state = 'MERGED';
