-- Settle issued paths ({path, size_bytes}; size_bytes is null if the store has no object there): release the reservation
-- and condemn the path, or reserve the size of the object until `look_again_at`. A path whose reservation was extended
-- beyond `at` stays as it is.
CREATE FUNCTION settle_uploads(workspace uuid, batch jsonb, at timestamptz, look_again_at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
#variable_conflict use_column
DECLARE
    difference bigint;
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;

    WITH found AS MATERIALIZED (
        SELECT upload.storage_path, upload.reserved_bytes, looked.size_bytes, object.state IS NOT NULL AS is_taken
        FROM jsonb_to_recordset(batch) AS looked (path text, size_bytes bigint)
        JOIN uploads AS upload
            ON upload.workspace_id = workspace AND upload.storage_path = looked.path AND upload.held_until <= at
        -- A server of an earlier version records and condemns paths without touching their uploads.
        LEFT JOIN objects AS object ON object.workspace_id = workspace AND object.storage_path = looked.path
    ), condemned AS (
        INSERT INTO objects (workspace_id, storage_path, size_bytes, etag, state, condemned_at)
        SELECT workspace, storage_path, 0, '', 'condemned', at FROM found WHERE size_bytes IS NULL AND NOT is_taken
    ), released AS (
        DELETE FROM uploads USING found
        WHERE workspace_id = workspace AND uploads.storage_path = found.storage_path
            AND (found.size_bytes IS NULL OR found.is_taken)
    ), kept AS (
        UPDATE uploads SET reserved_bytes = found.size_bytes, held_until = look_again_at FROM found
        WHERE workspace_id = workspace AND uploads.storage_path = found.storage_path
            AND found.size_bytes IS NOT NULL AND NOT found.is_taken
    )
    SELECT sum(CASE WHEN is_taken THEN 0 ELSE coalesce(size_bytes, 0) END - reserved_bytes) INTO difference FROM found;

    UPDATE usage SET reserved_bytes = reserved_bytes + difference
    WHERE workspace_id = workspace AND difference <> 0;
END
$$;
