-- For how many places of the rep a promise is made; NULL where they were not counted. Readable by
-- every version from 0.1.0.
ALTER TABLE commitments ADD COLUMN places {int64};
