-- Condemn the storage paths of these objects ({key, size_bytes, etag}), except paths that are recorded. Return those
-- that are condemned now. The reservation of an issued path is released. The lock is taken before anything is
-- read, as in a create. So if a create and a sweep meet at one path, the second sees the decision of the first.
CREATE FUNCTION condemn_objects_v2(workspace uuid, batch jsonb, at timestamptz) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE
AS $$
#variable_conflict use_column
DECLARE
    keys text[] := ARRAY(SELECT value ->> 'key' FROM jsonb_array_elements(batch));
    released bigint;
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;

    INSERT INTO objects (workspace_id, storage_path, size_bytes, etag, state, condemned_at)
    SELECT workspace, key, size_bytes, etag, 'condemned', at
    FROM jsonb_to_recordset(batch) AS listed (key text, size_bytes bigint, etag text)
    ON CONFLICT (workspace_id, storage_path) DO UPDATE SET state = 'condemned', condemned_at = at
    WHERE objects.state = 'gone';

    WITH issued AS (
        DELETE FROM uploads WHERE workspace_id = workspace AND storage_path = ANY (keys) RETURNING reserved_bytes
    )
    SELECT sum(reserved_bytes) INTO released FROM issued;
    UPDATE usage SET reserved_bytes = reserved_bytes - released WHERE workspace_id = workspace AND released > 0;

    RETURN QUERY
    SELECT storage_path FROM objects
    WHERE workspace_id = workspace AND state = 'condemned' AND storage_path = ANY (keys);
END
$$;
