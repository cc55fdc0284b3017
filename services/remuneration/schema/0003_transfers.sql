-- The ledger: append only; an end of a promise, a line and a claim each move money once.
CREATE TABLE accounts(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  kind {text} NOT NULL,
  rep_id {text},
  PRIMARY KEY (forum, id),
  CHECK ((kind = 'REP') = (rep_id IS NOT NULL))
) {strict};
CREATE INDEX accounts_kind ON accounts(forum, kind);
CREATE INDEX accounts_rep ON accounts(forum, rep_id);

CREATE TABLE transfers(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  kind {text} NOT NULL,
  debit_id {text} NOT NULL,
  credit_id {text} NOT NULL,
  amount_pence {int64} NOT NULL,
  date {text} NOT NULL,
  pending_id {text},
  commitment_id {text},
  claim_line_id {text},
  claim_id {text},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, debit_id) REFERENCES accounts(forum, id),
  FOREIGN KEY (forum, credit_id) REFERENCES accounts(forum, id),
  FOREIGN KEY (forum, pending_id) REFERENCES transfers(forum, id),
  FOREIGN KEY (forum, commitment_id) REFERENCES commitments(forum, id),
  FOREIGN KEY (forum, claim_line_id) REFERENCES claim_lines(forum, id),
  FOREIGN KEY (forum, claim_id) REFERENCES claims(forum, id),
  UNIQUE (forum, pending_id),
  UNIQUE (forum, commitment_id),
  UNIQUE (forum, claim_line_id),
  UNIQUE (forum, claim_id),
  CHECK (amount_pence > 0),
  CHECK (debit_id <> credit_id),
  CHECK ((kind IN ('POSTED', 'VOIDED')) = (pending_id IS NOT NULL)),
  CHECK ((kind = 'PENDING') = (commitment_id IS NOT NULL)),
  CHECK ((kind = 'APPROVED') = (claim_line_id IS NOT NULL)),
  CHECK ((kind = 'PAID') = (claim_id IS NOT NULL))
) {strict};
{append_only:transfers}
CREATE INDEX transfers_debit ON transfers(forum, debit_id);
CREATE INDEX transfers_credit ON transfers(forum, credit_id);
