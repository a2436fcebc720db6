-- Return the folder and those above it that do not exist, from the top; an empty array for the root (null).
CREATE FUNCTION missing_folders(workspace uuid, folder text) RETURNS text[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
DECLARE
    parts text[] := string_to_array(folder, '/');
BEGIN
    RETURN ARRAY(
        SELECT level.path
        FROM generate_series(2, cardinality(parts)) AS depth
        CROSS JOIN LATERAL array_to_string(parts[1:depth], '/') AS level (path)
        -- LIMIT 1 keeps the planner from turning look-ups into a join.
        WHERE (
            SELECT id FROM folders
            WHERE workspace_id = workspace AND path_digest = sha256(convert_to(level.path, 'UTF8'))
            LIMIT 1
        ) IS NULL
        ORDER BY depth
    );
END
$$;
