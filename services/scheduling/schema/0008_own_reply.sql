-- readable since: 7
-- Who gave the reply to an invitation. Of a reply of before it is not known, so it is not the rep's own.
ALTER TABLE invitations ADD COLUMN own_reply {int64} NOT NULL DEFAULT 0;
