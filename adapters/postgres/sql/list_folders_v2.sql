-- Return one page of the folders one level below `parent` ('' for the root), each with the number of documents in and
-- below it. Only the rows of this level are read, and the folders below those on the page.
CREATE FUNCTION list_folders_v2(
    workspace uuid, parent text, skip bigint, size integer, OUT total bigint, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
-- A session keeps its plans: a plan made while the tables were empty must not scan them, or join all folders, when they
-- are full.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    level bytea := sha256(convert_to(parent, 'UTF8'));
BEGIN
    SELECT count(*) INTO total FROM folders WHERE workspace_id = workspace AND parent_digest = level;

    WITH RECURSIVE page AS MATERIALIZED (
        SELECT id, path, path_digest FROM folders
        WHERE workspace_id = workspace AND parent_digest = level
        ORDER BY right(path, strpos(reverse(path), '/') - 1)
        OFFSET skip LIMIT size
    ), inside AS (
        SELECT id AS child, id, path_digest FROM page
        UNION ALL
        SELECT inside.child, below.id, below.path_digest
        FROM inside JOIN folders AS below
            ON below.workspace_id = workspace AND below.parent_digest = inside.path_digest
    ), counted AS MATERIALIZED (
        SELECT inside.child, count(*) AS documents
        FROM inside JOIN documents ON documents.workspace_id = workspace AND documents.folder_id = inside.id
        GROUP BY inside.child
    )
    SELECT coalesce(
        jsonb_agg(
            jsonb_build_object('folder', page.path, 'documents', coalesce(counted.documents, 0)) ORDER BY page.path
        ),
        '[]'
    )
    INTO rows
    FROM page LEFT JOIN counted ON counted.child = page.id;
END
$$;
