-- The partner that facilitates a session. Readable by every version from 0.1.0.
ALTER TABLE sessions ADD COLUMN facilitator_id {text};
