-- readable since: 7
-- Series of outside figures.
CREATE TABLE reach_series(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  display_name {text} NOT NULL, source {text} NOT NULL, unit {text} NOT NULL,
  period_days {int64} NOT NULL, published {int64} NOT NULL, figures {bytes},
  PRIMARY KEY (forum, id)) {strict};
