-- The fund that both sides agreed pays for a request. Readable by every version from 0.1.0.
ALTER TABLE requests ADD COLUMN fund_id {text};
