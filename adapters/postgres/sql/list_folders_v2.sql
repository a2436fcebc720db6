-- Return one page of the folders one level below `parent` ('' for the root), each with the number of documents in and
-- below it. Only the rows of this level are read, and the folders below those on the page.
CREATE FUNCTION list_folders_v2(
    workspace uuid, parent text, skip bigint, size integer, OUT total bigint, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
-- A session keeps its plans: a plan made while the tables were empty must not scan them when they are full.
SET enable_seqscan = off
AS $$
DECLARE
    level uuid := find_folder(workspace, parent);
BEGIN
    SELECT count(*) INTO total FROM folder_tree
    WHERE workspace_id = workspace AND coalesce(parent_id, workspace_id) = level;

    WITH RECURSIVE page AS MATERIALIZED (
        SELECT id, name FROM folder_tree
        WHERE workspace_id = workspace AND coalesce(parent_id, workspace_id) = level
        ORDER BY name OFFSET skip LIMIT size
    ), inside AS (
        SELECT id AS child, id FROM page
        UNION ALL
        SELECT inside.child, below.id
        FROM inside CROSS JOIN LATERAL (
            SELECT id FROM folder_tree WHERE workspace_id = workspace AND parent_id = inside.id
            -- Keeps the planner from a join, which would read all folders of the workspace if most are in one level.
            OFFSET 0
        ) AS below
    ), counted AS MATERIALIZED (
        SELECT inside.child, sum(held.documents)::bigint AS documents
        FROM inside CROSS JOIN LATERAL (
            SELECT count(*) AS documents FROM documents WHERE workspace_id = workspace AND folder_id = inside.id
        ) AS held
        GROUP BY inside.child
    )
    SELECT coalesce(
        jsonb_agg(
            jsonb_build_object('folder', parent || '/' || page.name, 'documents', coalesce(counted.documents, 0))
            ORDER BY page.name
        ),
        '[]'
    )
    INTO rows
    FROM page LEFT JOIN counted ON counted.child = page.id;
END
$$;
