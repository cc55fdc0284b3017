-- What changed because of it. Readable from version 0.1.
CREATE TABLE influence_accounts(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL, item_id {text} NOT NULL, request_id {text} NOT NULL,
  session_id {text} NOT NULL, partner_id {text} NOT NULL, session_date {text} NOT NULL,
  title {text} NOT NULL, team {text} NOT NULL, requestor_person {text} NOT NULL,
  due_on {text} NOT NULL, overdue_from {text} NOT NULL, overdue_told {int64} NOT NULL,
  postponements {int64} NOT NULL, answer {text} NOT NULL, answered_on {text},
  recognition {text} NOT NULL, closed_on {text}, first_due_on {text} NOT NULL,
  PRIMARY KEY (forum, id),
  UNIQUE (forum, item_id),
  CHECK (state <> 'CLOSED' OR answered_on IS NOT NULL)) {strict};
CREATE INDEX influence_accounts_state ON influence_accounts(forum, state);
CREATE INDEX influence_accounts_date ON influence_accounts(forum, session_date, id);
CREATE INDEX influence_accounts_overdue ON influence_accounts(overdue_from)
  WHERE answered_on IS NULL AND overdue_told = 0;

CREATE TABLE influence_feedbacks(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  influence_account_id {text} NOT NULL, partner_id {text} NOT NULL, answer {text} NOT NULL,
  what {text} NOT NULL, link {text} NOT NULL, why {text} NOT NULL, given_on {text} NOT NULL,
  due_on {text} NOT NULL, view_answers {bytes}, recorded_at {int64},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, influence_account_id) REFERENCES influence_accounts(forum, id)) {strict};
-- One final answer per account; postponements beside it.
CREATE UNIQUE INDEX influence_feedbacks_final ON influence_feedbacks(forum, influence_account_id)
  WHERE answer <> 'NOT_YET';
CREATE INDEX influence_feedbacks_account ON influence_feedbacks(forum, influence_account_id);
CREATE INDEX influence_feedbacks_given ON influence_feedbacks(forum, given_on);
