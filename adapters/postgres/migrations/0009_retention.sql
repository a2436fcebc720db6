-- When the object of a condemned path is deleted again; null before it was deleted once.
ALTER TABLE objects ADD COLUMN delete_again_at timestamptz;

-- So that of many processes, one deletes what is due.
ALTER TABLE deployment ADD COLUMN sweep_began_at timestamptz;

-- The paths that no document was ever recorded at, in the order in which they are forgotten. No create writes to it.
CREATE INDEX CONCURRENTLY objects_unused ON objects (condemned_at) WHERE state = 'gone' AND document_id IS NULL;

-- A partition key must be in the primary key: with `at` in it, the table can become partitioned by time without being
-- rewritten. `seq` stays before it, because events are read in the order of commits.
CREATE UNIQUE INDEX CONCURRENTLY events_number ON events (workspace_id, seq, at);

ALTER TABLE events
    DROP CONSTRAINT events_pkey,
    ADD CONSTRAINT events_pkey PRIMARY KEY USING INDEX events_number;
