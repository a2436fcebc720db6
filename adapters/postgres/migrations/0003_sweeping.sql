-- Holds the few paths whose bytes are on their way out; a create does not touch it.
CREATE INDEX objects_condemned ON objects (workspace_id, storage_path) WHERE state = 'condemned'
---
-- Condemn the paths of these objects ({key, size_bytes, etag}), but not one that is recorded; returns those that are
-- condemned now. Locked first, looked second, as a create does: so of the two, one sees what the other has decided.
CREATE FUNCTION condemn_objects_v1(workspace uuid, batch jsonb, at timestamptz)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE
-- A plan made while the table was small must not scan it when it is large.
SET enable_seqscan = off
AS $$
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;

    INSERT INTO objects (workspace_id, storage_path, size_bytes, etag, state, condemned_at)
    SELECT workspace, key, size_bytes, etag, 'condemned', at
    FROM jsonb_to_recordset(batch) AS listed (key text, size_bytes bigint, etag text)
    ON CONFLICT (workspace_id, storage_path) DO UPDATE SET state = 'condemned', condemned_at = at
    WHERE objects.state = 'gone';

    RETURN QUERY
    SELECT storage_path FROM objects
    WHERE workspace_id = workspace AND state = 'condemned'
        AND storage_path = ANY (ARRAY(SELECT value ->> 'key' FROM jsonb_array_elements(batch)));
END
$$
---
-- One row: who this database is. A dump restored elsewhere has the same id, but soon another turn than the store.
CREATE TABLE deployment (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    claimed_at timestamptz,
    generation text NOT NULL DEFAULT gen_random_uuid(),
    next_generation text,
    swept_at timestamptz
)
---
INSERT INTO deployment DEFAULT VALUES
---
-- A path that was condemned without ever having been recorded is no document's. Last, because from here on everybody
-- waits until all of this is committed.
ALTER TABLE objects ALTER COLUMN document_id DROP NOT NULL, ADD COLUMN condemned_at timestamptz
