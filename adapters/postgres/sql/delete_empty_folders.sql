-- Delete those of the folders that have no document and no folder below them. Return how many, and the folders above
-- them, which may be empty now.
--
-- Lock first, look second: the statement after the lock sees every document that a create has recorded before it.
CREATE FUNCTION delete_empty_folders(workspace uuid, candidates uuid[], OUT deleted bigint, OUT above uuid[])
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
AS $$
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;

    -- BETWEEN, ORDER BY and LIMIT: see `have_documents`.
    WITH gone AS (
        DELETE FROM folder_tree
        WHERE workspace_id = workspace AND id = ANY (candidates)
            AND NOT have_documents(workspace, ARRAY[id])
            AND (
                SELECT below.id FROM folder_tree AS below
                WHERE below.workspace_id = workspace AND below.parent_id BETWEEN folder_tree.id AND folder_tree.id
                ORDER BY below.parent_id LIMIT 1
            ) IS NULL
        RETURNING parent_id
    )
    SELECT count(*), coalesce(array_agg(DISTINCT parent_id) FILTER (WHERE parent_id IS NOT NULL), '{}')
    INTO deleted, above FROM gone;
END
$$;
