-- readable since: 13
-- Sheets ask for a member by the key of a row: the unique index leaves out who has none, so it serves no
-- question that does not say so.
CREATE INDEX members_source_key ON members(forum, source_key, id);
