-- Return one page of the documents that match a filter, newest first, with `total` as the port defines it. `wanted`
-- holds the conditions of the filter that are set, of {folder, recursive, tags, mime_type, pattern | piece,
-- created_after, not_before}. `pattern` is for LIKE. `piece` is a search that no index supports: it reads only the
-- `newest` documents. `not_before` is the least id that a document of `created_after` can have. At most `count_max`
-- matches are counted.
--
-- If there are at most `count_max` matches, all are read by the best index, which gives the total and every page. If
-- there are more, the total is not exact, and a page is found by walking from the newest document: with so many
-- matches, the walk soon meets enough of them.
--
-- The conditions of the filter are EXECUTEd, so that they are planned each time, with their values: one plan for all
-- filters would take seconds for some.
CREATE FUNCTION find_documents(
    workspace uuid, wanted jsonb, after uuid, skip bigint, size integer, count_max integer, newest integer,
    OUT total bigint, OUT total_is_exact boolean, OUT more boolean, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    bounds record;
    oldest uuid;
    inside uuid[];
    labels text[];
    conditions text := 'workspace_id = $1';
    matches uuid[];
    page uuid[];
BEGIN
    IF wanted = '{}' THEN
        SELECT documents INTO total FROM usage WHERE workspace_id = workspace;
        total := coalesce(total, 0);
        total_is_exact := true;
    ELSE
        IF wanted ? 'folder' THEN
            IF wanted ->> 'folder' IS NULL THEN
                conditions := conditions || ' AND folder_id IS NULL';
            ELSIF (wanted ->> 'recursive')::boolean THEN
                SELECT * INTO bounds FROM subtree_bounds(wanted ->> 'folder');
                EXECUTE 'SELECT array_agg(id) FROM folders '
                    'WHERE workspace_id = $1 AND left(path, 600) BETWEEN $2 AND $3 AND is_within(path, $4)'
                INTO inside USING workspace, bounds.lowest, bounds.highest, wanted ->> 'folder';
                conditions := conditions || ' AND folder_id = ANY ($2)';
            ELSE
                inside := ARRAY(
                    SELECT id FROM folders
                    WHERE workspace_id = workspace AND path_digest = sha256(convert_to(wanted ->> 'folder', 'UTF8'))
                );
                conditions := conditions || ' AND folder_id = ANY ($2)';
            END IF;
        END IF;
        IF wanted ? 'tags' THEN
            labels := workspace_tags(workspace, ARRAY(SELECT jsonb_array_elements_text(wanted -> 'tags')));
            conditions := conditions || ' AND workspace_tags(workspace_id, tags) @> $3';
        END IF;
        IF wanted ? 'mime_type' THEN
            conditions := conditions || ' AND mime_type = $4';
        END IF;
        IF wanted ? 'pattern' THEN
            conditions := conditions || ' AND search_text LIKE $5';
        END IF;
        IF wanted ? 'piece' THEN
            SELECT id INTO oldest FROM documents WHERE workspace_id = workspace
            ORDER BY id DESC OFFSET newest - 1 LIMIT 1;
            conditions := conditions || ' AND strpos(search_text, $6) > 0';
            IF oldest IS NOT NULL THEN
                conditions := conditions || ' AND id >= $7';
            END IF;
        END IF;
        IF wanted ? 'created_after' THEN
            conditions := conditions || ' AND id >= $8 AND created_at >= $9';
        END IF;
        EXECUTE format(
            'SELECT array_agg(id) FROM (SELECT id FROM documents WHERE %s LIMIT $10 + 1) AS counted', conditions
        )
        INTO matches
        USING workspace, inside, labels, wanted ->> 'mime_type', wanted ->> 'pattern', wanted ->> 'piece', oldest,
            (wanted ->> 'not_before')::uuid, (wanted ->> 'created_after')::timestamptz, count_max;
        total := coalesce(cardinality(matches), 0);
        total_is_exact := total <= count_max;
        total := least(total, count_max);
    END IF;

    IF total_is_exact AND skip >= total THEN
        page := '{}';
    ELSIF total_is_exact AND wanted <> '{}' THEN
        page := ARRAY(
            SELECT id FROM unnest(matches) AS id WHERE after IS NULL OR id < after
            ORDER BY id DESC OFFSET skip LIMIT size + 1
        );
    ELSE
        IF after IS NOT NULL THEN
            conditions := conditions || ' AND id < $11';
        END IF;
        EXECUTE format(
            'SELECT ARRAY(SELECT id FROM documents WHERE %s ORDER BY id DESC OFFSET $12 LIMIT $13 + 1)',
            conditions
        )
        INTO page
        USING workspace, inside, labels, wanted ->> 'mime_type', wanted ->> 'pattern', wanted ->> 'piece', oldest,
            (wanted ->> 'not_before')::uuid, (wanted ->> 'created_after')::timestamptz, count_max, after, skip, size;
    END IF;

    more := cardinality(page) > size;
    SELECT coalesce(jsonb_agg(document.facts ORDER BY sought.position), '[]') INTO rows
    FROM unnest(page[1:size]) WITH ORDINALITY AS sought (id, position)
    CROSS JOIN LATERAL (
        SELECT facts FROM document_facts WHERE workspace_id = workspace AND id = sought.id LIMIT 1
    ) document;
END
$$;
