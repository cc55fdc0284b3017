-- Who gives, what miles and hours are worth, what the forum set for itself.
CREATE TABLE funds(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  title {text} NOT NULL,
  giver {text} NOT NULL,
  partner_id {text},
  from_date {text} NOT NULL,
  to_date {text} NOT NULL,
  amount_pence {int64} NOT NULL,
  pays {bytes},
  nearly_spent_on {text},
  PRIMARY KEY (forum, id),
  CHECK (from_date <= to_date),
  CHECK (amount_pence > 0)
) {strict};
CREATE INDEX funds_partner ON funds(forum, partner_id);

CREATE TABLE rates(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  kind {text} NOT NULL,
  from_date {text} NOT NULL,
  tenth_pence {int64} NOT NULL,
  source {text} NOT NULL,
  PRIMARY KEY (forum, id),
  CHECK (tenth_pence >= 0)
) {strict};
{append_only:rates}
CREATE INDEX rates_kind ON rates(forum, kind);

CREATE TABLE remuneration_settings(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  mileage_threshold_miles {int64},
  reservation_days {int64},
  attendance_wait_days {int64},
  claim_wait_days {int64},
  nearly_spent_percent {int64},
  claim_lines_max {int64},
  PRIMARY KEY (forum, id)
) {strict};
