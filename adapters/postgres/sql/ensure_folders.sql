-- Record these folders and every folder above them: '/a/b' is split into '', 'a', 'b'. A null is ignored. Called under
-- the workspace lock.
--
-- `record_documents`, `patch_document` and `find_documents` each look up a folder's id by its digest. Postgres does not
-- inline a function that reads a table: a shared one took 14 instead of 7 microseconds for each row of a batch.
CREATE FUNCTION ensure_folders(workspace uuid, paths text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    INSERT INTO folders (workspace_id, id, path, path_digest)
    SELECT DISTINCT ON (path) workspace, gen_random_uuid(), path, sha256(convert_to(path, 'UTF8'))
    FROM (SELECT string_to_array(folder, '/') AS parts FROM unnest(paths) AS folder) AS split
    CROSS JOIN LATERAL generate_series(2, cardinality(parts)) AS depth
    CROSS JOIN LATERAL array_to_string(parts[1:depth], '/') AS path
    ON CONFLICT (workspace_id, path_digest) DO NOTHING;
END
$$;
