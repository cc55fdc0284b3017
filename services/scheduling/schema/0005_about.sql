-- What a request brings, in plain words. Readable by every version from 0.1.0.
ALTER TABLE requests ADD COLUMN about {text} NOT NULL DEFAULT '';
