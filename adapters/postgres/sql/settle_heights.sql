-- Compute the heights of these folders again, and those of the folders above them as far as they change. A null is
-- ignored. Called under the workspace lock, after folders have come to these folders or have left them.
CREATE FUNCTION settle_heights(workspace uuid, folders uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
AS $$
BEGIN
    WHILE folders IS NOT NULL LOOP
        WITH settled AS (
            UPDATE folder_tree SET height = present.height
            FROM (
                SELECT folder.id, coalesce((
                    SELECT below.height + 1 FROM folder_tree AS below
                    WHERE below.workspace_id = workspace AND below.parent_id = folder.id
                    ORDER BY below.height DESC LIMIT 1
                ), 0) AS height
                FROM unnest(folders) AS folder (id)
            ) AS present
            WHERE folder_tree.workspace_id = workspace AND folder_tree.id = present.id
                AND folder_tree.height <> present.height
            RETURNING folder_tree.parent_id
        )
        SELECT array_agg(DISTINCT parent_id) INTO folders FROM settled WHERE parent_id IS NOT NULL;
    END LOOP;
END
$$;
