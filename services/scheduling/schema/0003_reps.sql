-- Who is asked to a session, and who has a place in it.
CREATE TABLE invitations(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL,
  session_id {text} NOT NULL,
  reply {text} NOT NULL,
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, session_id) REFERENCES sessions(forum, id),
  UNIQUE (forum, rep_id, session_id)
) {strict};
CREATE INDEX invitations_session ON invitations(forum, session_id);

CREATE TABLE allocations(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  rep_id {text} NOT NULL,
  session_id {text} NOT NULL,
  item_id {text},
  state {text} NOT NULL,
  end_reason {text} NOT NULL,
  commitment_id {text},
  PRIMARY KEY (forum, id),
  FOREIGN KEY (forum, session_id) REFERENCES sessions(forum, id),
  FOREIGN KEY (forum, item_id) REFERENCES items(forum, id)
) {strict};
-- One place per rep and unit: an item, or a session as a whole.
CREATE UNIQUE INDEX allocations_item_once ON allocations(forum, rep_id, item_id)
  WHERE state = 'ALLOCATED' AND item_id IS NOT NULL;
CREATE UNIQUE INDEX allocations_session_once ON allocations(forum, rep_id, session_id)
  WHERE state = 'ALLOCATED' AND item_id IS NULL;
CREATE INDEX allocations_rep ON allocations(forum, rep_id);
CREATE INDEX allocations_session ON allocations(forum, session_id);
CREATE INDEX allocations_item ON allocations(forum, item_id);
CREATE INDEX allocations_state ON allocations(forum, state);
