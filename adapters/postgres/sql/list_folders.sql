-- Return one page of the folders one level below `parent` ('' for the root), each with the number of documents in and
-- below it.
CREATE FUNCTION list_folders(
    workspace uuid, parent text, skip bigint, size integer, OUT total bigint, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    bounds record;
    children text[];
BEGIN
    SELECT * INTO bounds FROM subtree_bounds(parent);
    children := ARRAY(
        SELECT path FROM folders
        WHERE workspace_id = workspace AND left(path, 600) BETWEEN bounds.lowest AND bounds.highest
            AND starts_with(path, parent || '/') AND strpos(substr(path, length(parent) + 2), '/') = 0
    );
    total := cardinality(children);
    SELECT coalesce(
        jsonb_agg(
            jsonb_build_object('folder', child.path, 'documents', counted.documents) ORDER BY child.path COLLATE "C"
        ),
        '[]'
    )
    INTO rows
    FROM (SELECT path FROM unnest(children) AS path ORDER BY path COLLATE "C" OFFSET skip LIMIT size) child
    CROSS JOIN LATERAL subtree_bounds(child.path) inside
    CROSS JOIN LATERAL (
        SELECT count(*) AS documents
        FROM folders f
        JOIN documents d ON d.workspace_id = f.workspace_id AND d.folder_id = f.id
        WHERE f.workspace_id = workspace AND left(f.path, 600) BETWEEN inside.lowest AND inside.highest
            AND is_within(f.path, child.path)
    ) counted;
END
$$;
