-- A copy from scheduling: whom and what the places of reps are about, for the interests that they
-- declare later. Readable by every version from 0.1.0.
CREATE TABLE places(
  forum {text} NOT NULL, allocation {text} NOT NULL, party {text} NOT NULL,
  rep_id {text} NOT NULL, session_date {text} NOT NULL,
  PRIMARY KEY (forum, allocation, party),
  FOREIGN KEY (forum, rep_id) REFERENCES reps(forum, id)) {strict};
CREATE INDEX places_rep ON places(forum, rep_id, session_date);
CREATE TABLE conflicts(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL, allocation_id {text} NOT NULL, found_on {text} NOT NULL,
  PRIMARY KEY (forum, id), UNIQUE (forum, allocation_id),
  FOREIGN KEY (forum, rep_id) REFERENCES reps(forum, id)) {strict};
