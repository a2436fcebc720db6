-- Return one page of the documents that match a filter, newest first, with `total` as the port defines it. `wanted`
-- has those of {folder, recursive, tags, mime_type, patterns, grams, is_windowed, created_after, not_before,
-- created_before, not_after, sha256} that the filter has. A document must match all `patterns` (for LIKE), and so has
-- all `grams` (`search_grams`). A search that no index supports is windowed: it reads only the `newest` documents.
-- `not_before` is the least id that a document of `created_after` can have. Every document before `created_before` has
-- a lesser id than `not_after`. At most `count_max` matches are counted.
--
-- Up to `count_max` matches are all read, by the best index, which gives the total and every page. Of more matches, the
-- total is not exact, and a page is found by walking from the newest document: the matches are close together.
--
-- The conditions of the filter are EXECUTEd, so that they are planned each time, with their values: one plan for all
-- filters would take seconds for some.
CREATE FUNCTION find_documents_v3(
    workspace uuid, wanted jsonb, after uuid, skip bigint, size integer, count_max integer, newest integer,
    OUT total bigint, OUT total_is_exact boolean, OUT more boolean, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    oldest uuid;
    inside uuid[];
    labels text[];
    pairs text[];
    same_bytes uuid[];
    conditions text := 'workspace_id = $1';
    lookup text := '';
    matches uuid[];
    page uuid[];
    is_counted boolean;
BEGIN
    IF wanted = '{}' THEN
        SELECT documents INTO total FROM usage WHERE workspace_id = workspace;
        total := coalesce(total, 0);
        is_counted := true;
        total_is_exact := true;
    ELSE
        IF wanted ? 'folder' THEN
            IF wanted ->> 'folder' IS NULL THEN
                conditions := conditions || ' AND folder_id IS NULL';
            ELSIF (wanted ->> 'recursive')::boolean THEN
                inside := folders_within_v2(workspace, find_folder(workspace, wanted ->> 'folder'));
                conditions := conditions || ' AND folder_id = ANY ($2)';
            ELSE
                inside := ARRAY[find_folder(workspace, wanted ->> 'folder')];
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
        IF wanted ? 'patterns' THEN
            -- As literals: an index of trigrams supports LIKE, and not LIKE ALL.
            SELECT conditions || string_agg(format(' AND search_text LIKE %L', pattern), '') INTO conditions
            FROM jsonb_array_elements_text(wanted -> 'patterns') AS pattern;
            IF wanted -> 'grams' <> '[]' THEN
                pairs := workspace_tags(workspace, ARRAY(SELECT jsonb_array_elements_text(wanted -> 'grams')));
                -- Only for finding matches: they follow from the patterns. The planner has no statistics of a partial
                -- index, so it would read all matches instead of walking.
                lookup := ' AND search_grams(workspace_id, search_text) @> $5'
                    || ' AND octet_length(search_text) > char_length(search_text)';
            END IF;
            IF (wanted ->> 'is_windowed')::boolean THEN
                SELECT id INTO oldest FROM documents WHERE workspace_id = workspace
                ORDER BY id DESC OFFSET newest LIMIT 1;
                IF oldest IS NOT NULL THEN
                    conditions := conditions || ' AND id > $6';
                END IF;
            END IF;
        END IF;
        IF wanted ? 'created_after' THEN
            conditions := conditions || ' AND id >= $7 AND created_at >= $8';
        END IF;
        IF wanted ? 'created_before' THEN
            conditions := conditions || ' AND id < $9 AND created_at < $10';
        END IF;
        IF wanted ? 'sha256' THEN
            same_bytes := ARRAY(
                SELECT document_id FROM objects
                WHERE workspace_id = workspace AND sha256 = decode(wanted ->> 'sha256', 'hex') AND state = 'recorded'
            );
            conditions := conditions || ' AND id = ANY ($11)';
        END IF;
        EXECUTE format(
            'SELECT array_agg(id) FROM (SELECT id FROM documents WHERE %s %s LIMIT $12 + 1) AS counted',
            conditions, lookup
        )
        INTO matches
        USING workspace, inside, labels, wanted ->> 'mime_type', pairs, oldest,
            (wanted ->> 'not_before')::uuid, (wanted ->> 'created_after')::timestamptz, (wanted ->> 'not_after')::uuid,
            (wanted ->> 'created_before')::timestamptz, same_bytes, count_max;
        total := coalesce(cardinality(matches), 0);
        is_counted := total <= count_max;
        total_is_exact := is_counted AND oldest IS NULL;
        total := least(total, count_max);
    END IF;

    IF is_counted AND skip >= total THEN
        page := '{}';
    ELSIF is_counted AND wanted <> '{}' THEN
        page := ARRAY(
            SELECT id FROM unnest(matches) AS id WHERE after IS NULL OR id < after
            ORDER BY id DESC OFFSET skip LIMIT size + 1
        );
    ELSE
        IF after IS NOT NULL THEN
            conditions := conditions || ' AND id < $13';
        END IF;
        EXECUTE format(
            'SELECT ARRAY(SELECT id FROM documents WHERE %s ORDER BY id DESC OFFSET $14 LIMIT $15 + 1)',
            conditions
        )
        INTO page
        USING workspace, inside, labels, wanted ->> 'mime_type', pairs, oldest,
            (wanted ->> 'not_before')::uuid, (wanted ->> 'created_after')::timestamptz, (wanted ->> 'not_after')::uuid,
            (wanted ->> 'created_before')::timestamptz, same_bytes, count_max, after, skip, size;
    END IF;

    more := cardinality(page) > size;
    SELECT coalesce(jsonb_agg(document.facts ORDER BY sought.position), '[]') INTO rows
    FROM unnest(page[1:size]) WITH ORDINALITY AS sought (id, position)
    CROSS JOIN LATERAL (
        SELECT facts FROM document_facts WHERE workspace_id = workspace AND id = sought.id LIMIT 1
    ) document;
END
$$;
