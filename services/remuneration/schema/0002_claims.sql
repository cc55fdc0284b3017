-- What funds promised, what attendance earned, what was claimed.
CREATE TABLE commitments(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  state {text} NOT NULL,
  fund_id {text} NOT NULL,
  rep_id {text} NOT NULL,
  session_id {text} NOT NULL,
  session_date {text} NOT NULL,
  activity_kind {text} NOT NULL,
  partner_id {text},
  minutes {int64} NOT NULL,
  amount_pence {int64} NOT NULL,
  expires_on {text} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, fund_id) REFERENCES funds(forum, id),
  CHECK (amount_pence >= 0)
) {strict};
-- One promise stands per rep and session.
CREATE UNIQUE INDEX commitments_standing ON commitments(forum, rep_id, session_id)
  WHERE state IN ('RESERVED', 'CONFIRMED', 'EARNED', 'CLAIMED');
CREATE INDEX commitments_state ON commitments(forum, state);
CREATE INDEX commitments_fund ON commitments(forum, fund_id);
CREATE INDEX commitments_rep ON commitments(forum, rep_id);
CREATE INDEX commitments_session ON commitments(forum, session_id);
CREATE INDEX commitments_expiry ON commitments(expires_on)
  WHERE state IN ('RESERVED', 'CONFIRMED', 'EARNED');

CREATE TABLE entitlements(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL,
  session_id {text} NOT NULL,
  session_date {text} NOT NULL,
  activity_kind {text} NOT NULL,
  minutes {int64} NOT NULL,
  partner_id {text},
  commitment_id {text},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, commitment_id) REFERENCES commitments(forum, id),
  UNIQUE (forum, rep_id, session_id)
) {strict};
{append_only:entitlements}
CREATE INDEX entitlements_rep ON entitlements(forum, rep_id, session_date);
CREATE INDEX entitlements_session ON entitlements(forum, session_id);
CREATE INDEX entitlements_session_date ON entitlements(forum, session_date);

CREATE TABLE claims(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL,
  state {text} NOT NULL,
  from_date {text} NOT NULL,
  to_date {text} NOT NULL,
  lines {int64} NOT NULL,
  submitted_on {text},
  approved_on {text},
  paid_on {text},
  approver {text},
  payer {text},
  reason {text},
  PRIMARY KEY (forum, id),
  -- Claimant, approver and payer are three people.
  CHECK (approver IS NULL OR approver <> rep_id),
  CHECK (payer IS NULL OR (payer <> rep_id AND payer <> approver)),
  CHECK (state NOT IN ('APPROVED', 'PAID') OR approver IS NOT NULL),
  CHECK (state <> 'PAID' OR payer IS NOT NULL)
) {strict};
CREATE INDEX claims_rep ON claims(forum, rep_id);
CREATE INDEX claims_state ON claims(forum, state);

CREATE TABLE claim_lines(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  claim_id {text} NOT NULL,
  position {int64} NOT NULL,
  rep_id {text} NOT NULL,
  state {text} NOT NULL,
  kind {text} NOT NULL,
  payment_class {text} NOT NULL,
  date {text} NOT NULL,
  entitlement_id {text},
  minutes {int64} NOT NULL,
  vehicle {text} NOT NULL,
  tenths_of_miles {int64} NOT NULL,
  passengers {int64} NOT NULL,
  evidence {text} NOT NULL,
  amount_pence {int64} NOT NULL,
  fund_id {text},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, claim_id) REFERENCES claims(forum, id),
  FOREIGN KEY (forum, entitlement_id) REFERENCES entitlements(forum, id),
  FOREIGN KEY (forum, fund_id) REFERENCES funds(forum, id),
  UNIQUE (forum, claim_id, position),
  CHECK (amount_pence >= 0),
  CHECK (entitlement_id IS NOT NULL OR kind = 'OTHER')
) {strict};
-- One attendance is paid once per kind.
CREATE UNIQUE INDEX claim_lines_once ON claim_lines(forum, entitlement_id, kind)
  WHERE state = 'CLAIMED';
CREATE INDEX claim_lines_rep ON claim_lines(forum, rep_id, date);
CREATE INDEX claim_lines_fund ON claim_lines(forum, fund_id);

CREATE VIEW due(name, forum, resource, due_on) AS
  SELECT 'CommitmentExpired', forum, 'forums/' || forum || '/commitments/' || id, expires_on
  FROM commitments WHERE state IN ('RESERVED', 'CONFIRMED', 'EARNED');
