-- Requests and the items that they become; what their teams owe.
CREATE TABLE requests(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  partner_id {text} NOT NULL,
  title {text} NOT NULL,
  state {text} NOT NULL,
  workstream {text} NOT NULL,
  purpose {text} NOT NULL,
  decision_stage {text} NOT NULL,
  can_change {text} NOT NULL,
  cannot_change {text} NOT NULL,
  who_decides {text} NOT NULL,
  requestor {text} NOT NULL,
  requestor_person {text} NOT NULL,
  team {text} NOT NULL,
  supplier {text} NOT NULL,
  matter {text} NOT NULL,
  minutes_wanted {int64} NOT NULL,
  needed_by {text},
  session_id {text},
  papers {text} NOT NULL,
  attendees {text} NOT NULL,
  activity_kind {text} NOT NULL,
  submit_date {text},
  review_date {text},
  review_overdue_date {text},
  acceptance {bytes},
  question {text} NOT NULL,
  waiver_reason {text} NOT NULL,
  decline_reason {text} NOT NULL,
  withdraw_reason {text} NOT NULL,
  -- An item. No foreign key: items refer to requests, and neither is ever deleted.
  follow_up_of_id {text},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, session_id) REFERENCES sessions(forum, id),
  CHECK (partner_id <> ''),
  CHECK (state <> 'DECLINED' OR decline_reason <> ''),
  -- Comment on a decision already made is no coproduction.
  CHECK (state IN ('DRAFT', 'NEEDS_INFORMATION', 'DECLINED', 'WITHDRAWN')
         OR decision_stage <> 'DECIDED' OR purpose = 'UPDATE')
) {strict};
CREATE INDEX requests_partner ON requests(forum, partner_id, id);
CREATE INDEX requests_state ON requests(forum, state, id);
CREATE INDEX requests_workstream ON requests(forum, workstream, id);
CREATE INDEX requests_team ON requests(forum, team, id);
CREATE INDEX requests_session ON requests(forum, session_id);
-- One follow-up an item.
CREATE UNIQUE INDEX requests_follow_up_of ON requests(forum, follow_up_of_id)
  WHERE follow_up_of_id IS NOT NULL;
CREATE INDEX requests_review_overdue ON requests(review_overdue_date)
  WHERE review_overdue_date IS NOT NULL;

CREATE TABLE items(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  request_id {text} NOT NULL,
  session_id {text} NOT NULL,
  partner_id {text} NOT NULL,
  state {text} NOT NULL,
  position {int64} NOT NULL,
  minutes_planned {int64} NOT NULL,
  minutes_actual {int64} NOT NULL,
  title {text} NOT NULL,
  team {text} NOT NULL,
  workstream {text} NOT NULL,
  purpose {text} NOT NULL,
  stage_claimed {text} NOT NULL,
  stage_felt {text} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, request_id) REFERENCES requests(forum, id),
  FOREIGN KEY (forum, session_id) REFERENCES sessions(forum, id),
  CHECK (minutes_planned > 0),
  CHECK (state <> 'PRESENTED' OR minutes_actual > 0)
) {strict};
CREATE INDEX items_request ON items(forum, request_id);
CREATE INDEX items_session ON items(forum, session_id, position);
CREATE INDEX items_partner ON items(forum, partner_id, id);
CREATE INDEX items_state ON items(forum, state, id);
-- A request stands once on the agenda of a session.
CREATE UNIQUE INDEX items_once ON items(forum, request_id, session_id) WHERE state <> 'DROPPED';

-- A copy from engagement: the influence feedback that teams owe and are late with.
CREATE TABLE overdue_feedback(
  forum {text} NOT NULL, influence_account {text} NOT NULL,
  partner {text} NOT NULL, team {text} NOT NULL,
  PRIMARY KEY (forum, influence_account)
) {strict};
CREATE INDEX overdue_feedback_team ON overdue_feedback(forum, partner, team);
