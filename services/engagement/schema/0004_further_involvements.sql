-- What happens next. Readable from version 0.1.
CREATE TABLE further_involvements(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  item_id {text} NOT NULL, request_id {text} NOT NULL, session_id {text} NOT NULL,
  partner_id {text} NOT NULL, session_date {text} NOT NULL, title {text} NOT NULL,
  influence_account_id {text} NOT NULL, decision {text} NOT NULL, wish {text} NOT NULL,
  decided_on {text} NOT NULL,
  PRIMARY KEY (forum, id),
  UNIQUE (forum, item_id),
  FOREIGN KEY (forum, influence_account_id) REFERENCES influence_accounts(forum, id)) {strict};
CREATE INDEX further_involvements_date ON further_involvements(forum, session_date, id);
