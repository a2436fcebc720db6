-- Return one page of the tags of the `newest` documents, the most frequent first. The documents are counted one by one,
-- because the index holds no counts.
CREATE FUNCTION list_tags(
    workspace uuid, newest integer, skip bigint, size integer, OUT total bigint, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    WITH counted AS MATERIALIZED (
        SELECT tag COLLATE "C" AS tag, count(*) AS documents
        FROM (SELECT tags FROM documents WHERE workspace_id = workspace ORDER BY id DESC LIMIT newest) looked_at
        CROSS JOIN LATERAL unnest(tags) AS tag
        GROUP BY 1
    )
    SELECT (SELECT count(*) FROM counted), (
        SELECT coalesce(
            jsonb_agg(jsonb_build_object('tag', tag, 'documents', documents) ORDER BY documents DESC, tag), '[]'
        )
        FROM (SELECT * FROM counted ORDER BY documents DESC, tag OFFSET skip LIMIT size) page
    )
    INTO total, rows;
END
$$;
