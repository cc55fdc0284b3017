-- Sessions, what the forum set for itself, and the school holidays of its area.
CREATE TABLE sessions(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  series {text} NOT NULL,
  date {text} NOT NULL,
  start_time {text} NOT NULL,
  minutes {int64} NOT NULL,
  state {text} NOT NULL,
  prep_of_id {text},
  activity_kind {text} NOT NULL,
  mode {text} NOT NULL,
  face_to_face {bytes},
  joining_link {text} NOT NULL,
  agenda {bytes},
  agreement {bytes},
  reps_present {int64} NOT NULL,
  quorate {int64} NOT NULL,
  not_quorate_reason {text} NOT NULL,
  cancel_reason {text} NOT NULL,
  quorum_check_date {text},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, prep_of_id) REFERENCES sessions(forum, id),
  CHECK ((series = 'PREP') = (prep_of_id IS NOT NULL)),
  CHECK (minutes > 0)
) {strict};
CREATE INDEX sessions_series ON sessions(forum, series, date);
CREATE INDEX sessions_date ON sessions(forum, date, id);
CREATE INDEX sessions_state ON sessions(forum, state);
CREATE INDEX sessions_prep_of ON sessions(forum, prep_of_id);
CREATE INDEX sessions_quorum_check ON sessions(quorum_check_date)
  WHERE quorum_check_date IS NOT NULL;

CREATE TABLE scheduling_settings(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  lead_days {int64},
  hub_interval_days {int64},
  review_days {int64},
  session_minutes {int64},
  welcome_minutes {int64},
  close_minutes {int64},
  quorum {int64},
  most_reps {int64},
  quorum_check_days {int64},
  PRIMARY KEY (forum, id)
) {strict};

CREATE TABLE school_holidays(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  title {text} NOT NULL,
  first_date {text} NOT NULL,
  last_date {text} NOT NULL,
  PRIMARY KEY (forum, id),
  CHECK (first_date <= last_date)
) {strict};
CREATE INDEX school_holidays_first_date ON school_holidays(forum, first_date, id);
