CREATE EXTENSION IF NOT EXISTS pg_trgm
---
-- A document has one link to a thing; it goes with the document.
CREATE TABLE links (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    role text COLLATE "C",
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, document_id, entity_type, entity_id),
    FOREIGN KEY (workspace_id, document_id) REFERENCES documents (workspace_id, id) ON DELETE CASCADE
)
---
CREATE INDEX links_entity ON links (workspace_id, entity_type, entity_id, id)
---
-- A document as one JSON object: the same members as the facts of a receipt, so that one function reads both.
CREATE VIEW document_facts_v1 AS
SELECT d.workspace_id, d.id, jsonb_build_object(
    'id', d.id, 'workspace_id', d.workspace_id, 'name', d.name, 'description', d.description,
    'mime_type', d.mime_type, 'storage_path', d.storage_path, 'size_bytes', o.size_bytes, 'etag', o.etag,
    'sha256', encode(o.sha256, 'hex'), 'version_id', o.version_id, 'folder', f.path, 'tags', d.tags,
    'revision', d.revision, 'created_by', d.created_by, 'created_by_key', d.created_by_key,
    'created_at', d.created_at, 'updated_at', d.updated_at
) AS facts
FROM documents d
JOIN objects o ON o.workspace_id = d.workspace_id AND o.storage_path = d.storage_path
LEFT JOIN folders f ON f.workspace_id = d.workspace_id AND f.id = d.folder_id
---
CREATE VIEW link_facts_v1 AS
SELECT workspace_id, id, document_id, entity_type, entity_id, role, jsonb_build_object(
    'id', id, 'document_id', document_id, 'entity_type', entity_type, 'entity_id', entity_id, 'role', role,
    'created_at', created_at
) AS facts
FROM links
---
-- A document with its links, oldest first.
CREATE VIEW linked_facts_v1 AS
SELECT workspace_id, id, jsonb_build_object(
    'document', d.facts,
    'links', (
        SELECT coalesce(jsonb_agg(l.facts ORDER BY l.id), '[]') FROM link_facts_v1 l
        WHERE l.workspace_id = d.workspace_id AND l.document_id = d.id
    )
) AS facts
FROM document_facts_v1 d
---
-- Tags as the index has them: each with its workspace, so that no workspace reads through another's.
CREATE FUNCTION workspace_tags_v1(workspace uuid, tags text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY(SELECT workspace::text || tag FROM unnest(tags) AS tag) $$
---
-- Where the paths of a folder and of all below it lie in the index `folders_path`, which has 600 characters of each: an
-- index entry holds no more. Whoever reads there looks at the whole path too (`is_within_v1`).
CREATE FUNCTION subtree_v1(folder text, OUT lowest text, OUT highest text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- '0' is what follows '/' in the order of bytes.
AS $$ SELECT left(folder, 600), left(folder || '0', 600) $$
---
CREATE FUNCTION is_within_v1(path text, folder text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT path = folder OR starts_with(path, folder || '/') $$
---
-- Make a folder and every folder above it: '/a/b' is split into '', 'a', 'b'. The id of the folder; null for the root.
CREATE FUNCTION ensure_folder_v1(workspace uuid, folder text) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    parts text[] := string_to_array(folder, '/');
BEGIN
    INSERT INTO folders (workspace_id, id, path, path_digest)
    SELECT workspace, gen_random_uuid(), path, sha256(convert_to(path, 'UTF8'))
    FROM generate_series(2, cardinality(parts)) AS depth
    CROSS JOIN LATERAL array_to_string(parts[1:depth], '/') AS path
    ON CONFLICT (workspace_id, path_digest) DO NOTHING;
    RETURN (
        SELECT id FROM folders WHERE workspace_id = workspace AND path_digest = sha256(convert_to(folder, 'UTF8'))
    );
END
$$
---
-- How every change begins: locked first, looked second, as a create does. What was answered to this intent before, if it
-- was: `answered_v1`, under the workspace's lock, which is held from here on.
CREATE FUNCTION begin_change_v1(workspace uuid, intent jsonb, at timestamptz, OUT outcome text, OUT facts jsonb)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    SELECT * INTO outcome, facts FROM answered_v1(workspace, intent, at);
END
$$
---
-- Change what `changes` names of a document: {name, description, folder, tags} and, where name or description are, what
-- is searched of them, {search_name, search_description}. Nothing, unless `only_if` is null or has its revision.
-- Outcomes: done (facts: document and links) | replayed | key_reused | unknown | other_revision. Here and in what follows,
-- the `attempt` of an intent names this call in its receipt.
CREATE FUNCTION patch_document_v1(
    workspace uuid, sought uuid, changes jsonb, only_if integer[], at timestamptz, intent jsonb,
    OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    old documents%ROWTYPE;
    new documents%ROWTYPE;
    kind text;
BEGIN
    SELECT * INTO outcome, facts FROM begin_change_v1(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO old FROM documents WHERE workspace_id = workspace AND id = sought;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    IF old.revision <> ALL (only_if) THEN
        outcome := 'other_revision';
        RETURN;
    END IF;

    new := old;
    IF changes ? 'name' THEN
        new.name := changes ->> 'name';
    END IF;
    IF changes ? 'description' THEN
        new.description := changes ->> 'description';
    END IF;
    IF changes ? 'tags' THEN
        new.tags := ARRAY(SELECT jsonb_array_elements_text(changes -> 'tags'));
    END IF;
    IF changes ? 'folder' THEN
        new.folder_id := ensure_folder_v1(workspace, changes ->> 'folder');
    END IF;
    IF (new.name, new.description, new.tags, new.folder_id)
        IS DISTINCT FROM (old.name, old.description, old.tags, old.folder_id)
    THEN
        kind := 'document.changed';
        UPDATE documents
        SET name = new.name, description = new.description, tags = new.tags, folder_id = new.folder_id,
            -- The name has no newline, what follows the first one is the description.
            search_text = coalesce(changes ->> 'search_name', split_part(search_text, E'\n', 1)) || E'\n'
                || coalesce(changes ->> 'search_description', substr(search_text, strpos(search_text, E'\n') + 1)),
            revision = revision + 1, updated_at = greatest(updated_at, at)
        WHERE workspace_id = workspace AND id = sought;
    END IF;

    outcome := 'done';
    SELECT linked.facts || jsonb_build_object('attempt', intent -> 'attempt') INTO facts
    FROM linked_facts_v1 linked WHERE workspace_id = workspace AND id = sought;
    PERFORM settle_change_v1(
        workspace, intent, at, facts, kind, sought,
        jsonb_build_object('members', (
            SELECT jsonb_agg(member ORDER BY member) FROM jsonb_object_keys(changes) AS member
            WHERE member NOT LIKE 'search\_%'
        ))
    );
END
$$
---
-- Delete a document and its links, give its size back, condemn its path.
-- Outcomes: done (facts: storage_path) | replayed | key_reused | unknown | other_revision.
CREATE FUNCTION delete_document_v1(
    workspace uuid, sought uuid, only_if integer[], at timestamptz, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    old documents%ROWTYPE;
    size bigint;
BEGIN
    SELECT * INTO outcome, facts FROM begin_change_v1(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO old FROM documents WHERE workspace_id = workspace AND id = sought;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    IF old.revision <> ALL (only_if) THEN
        outcome := 'other_revision';
        RETURN;
    END IF;

    DELETE FROM documents WHERE workspace_id = workspace AND id = sought;
    -- What is given back is what was charged, of a path that is still recorded: nothing is given back twice.
    UPDATE objects SET state = 'condemned', condemned_at = at
    WHERE workspace_id = workspace AND storage_path = old.storage_path AND state = 'recorded'
    RETURNING size_bytes INTO STRICT size;
    UPDATE usage SET used_bytes = used_bytes - size, documents = documents - 1 WHERE workspace_id = workspace;

    outcome := 'done';
    facts := jsonb_build_object('storage_path', old.storage_path, 'attempt', intent -> 'attempt');
    PERFORM settle_change_v1(
        workspace, intent, at, facts, 'document.deleted', sought,
        jsonb_build_object('storage_path', old.storage_path, 'size_bytes', size)
    );
END
$$
---
-- Link a document, unless it is linked to that already. `new` has the columns of links but the workspace.
-- Outcomes: done (facts: link, is_new) | replayed | key_reused | unknown.
CREATE FUNCTION add_link_v1(workspace uuid, new jsonb, intent jsonb, OUT outcome text, OUT facts jsonb)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    fresh links%ROWTYPE;
    held jsonb;
BEGIN
    fresh := jsonb_populate_record(NULL::links, new);
    fresh.workspace_id := workspace;
    SELECT * INTO outcome, facts FROM begin_change_v1(workspace, intent, fresh.created_at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM documents WHERE workspace_id = workspace AND id = fresh.document_id) THEN
        outcome := 'unknown';
        RETURN;
    END IF;

    SELECT l.facts INTO held FROM link_facts_v1 l
    WHERE workspace_id = workspace AND document_id = fresh.document_id AND entity_type = fresh.entity_type
        AND entity_id = fresh.entity_id;
    IF held IS NULL THEN
        INSERT INTO links SELECT fresh.*;
    END IF;
    outcome := 'done';
    facts := jsonb_build_object(
        'link', coalesce(held, (SELECT l.facts FROM link_facts_v1 l WHERE workspace_id = workspace AND id = fresh.id)),
        'is_new', held IS NULL, 'attempt', intent -> 'attempt'
    );
    PERFORM settle_change_v1(
        workspace, intent, fresh.created_at, facts, CASE WHEN held IS NULL THEN 'document.linked' END,
        fresh.document_id, facts -> 'link'
    );
END
$$
---
-- Remove a link of a document. Outcomes: done | replayed | key_reused | unknown.
CREATE FUNCTION remove_link_v1(
    workspace uuid, document uuid, sought uuid, at timestamptz, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    old jsonb;
BEGIN
    SELECT * INTO outcome, facts FROM begin_change_v1(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT l.facts INTO old FROM link_facts_v1 l
    WHERE workspace_id = workspace AND id = sought AND document_id = document;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;

    DELETE FROM links WHERE workspace_id = workspace AND id = sought;
    outcome := 'done';
    facts := jsonb_build_object('attempt', intent -> 'attempt');
    PERFORM settle_change_v1(workspace, intent, at, facts, 'document.unlinked', document, old);
END
$$
---
-- Give a folder and all below it another path, which is not below its own; only rows of folders are touched.
-- Outcomes: done (facts: documents) | replayed | key_reused | unknown | taken | too_deep.
CREATE FUNCTION move_folder_v1(
    workspace uuid, source text, target text, most_levels integer, at timestamptz, intent jsonb,
    OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    span record;
    deepest integer;
    parent text := regexp_replace(target, '/[^/]*$', '');
    moved uuid[];
BEGIN
    SELECT * INTO outcome, facts FROM begin_change_v1(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO span FROM subtree_v1(source);
    SELECT array_agg(id), max(length(path) - length(replace(path, '/', ''))) INTO moved, deepest
    FROM folders
    WHERE workspace_id = workspace AND left(path, 600) BETWEEN span.lowest AND span.highest AND is_within_v1(path, source);
    IF moved IS NULL THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM folders WHERE workspace_id = workspace AND path_digest = sha256(convert_to(target, 'UTF8'))
    ) THEN
        outcome := 'taken';
        RETURN;
    END IF;
    IF deepest - cardinality(string_to_array(source, '/')) + cardinality(string_to_array(target, '/')) > most_levels THEN
        outcome := 'too_deep';
        RETURN;
    END IF;

    IF parent <> '' THEN
        PERFORM ensure_folder_v1(workspace, parent);
    END IF;
    -- Nothing is at the target, so nothing is below it: no two of the new paths are equal to one that is there.
    UPDATE folders
    SET path = target || substr(path, length(source) + 1),
        path_digest = sha256(convert_to(target || substr(path, length(source) + 1), 'UTF8'))
    WHERE workspace_id = workspace AND left(path, 600) BETWEEN span.lowest AND span.highest AND is_within_v1(path, source);
    outcome := 'done';
    SELECT jsonb_build_object('documents', count(*), 'attempt', intent -> 'attempt') INTO facts
    FROM unnest(moved) AS folder
    JOIN documents d ON d.workspace_id = workspace AND d.folder_id = folder;
    PERFORM settle_change_v1(
        workspace, intent, at, facts, 'folder.moved', NULL, jsonb_build_object('from', source, 'to', target)
    );
END
$$
---
-- The documents that pass a filter, newest first, with `total` as the port tells it. `wanted` is {folder, recursive,
-- tags, mime_type, pattern | piece, created_after, not_before}, each where it is wanted: `pattern` is for LIKE, `piece`
-- is what no index finds, `not_before` is the least id that may be as old as `created_after`. At most `most_counted`
-- matches are counted; `piece` is looked for in the `newest` documents.
--
-- Few matches are all read, by whatever index is best, which gives the total and every page of them. Of many, the total
-- is not told, and a page is found by walking from the newest: they are close together. What depends on a filter is
-- EXECUTEd, and so planned each time, with its values: one plan for all of them would take seconds for some.
CREATE FUNCTION find_documents_v1(
    workspace uuid, wanted jsonb, after uuid, skip bigint, size integer, most_counted integer, newest integer,
    OUT total bigint, OUT total_is_exact boolean, OUT more boolean, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    span record;
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
                SELECT * INTO span FROM subtree_v1(wanted ->> 'folder');
                EXECUTE 'SELECT array_agg(id) FROM folders WHERE workspace_id = $1 AND left(path, 600) BETWEEN $2 AND $3 '
                    'AND is_within_v1(path, $4)'
                INTO inside USING workspace, span.lowest, span.highest, wanted ->> 'folder';
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
            labels := workspace_tags_v1(workspace, ARRAY(SELECT jsonb_array_elements_text(wanted -> 'tags')));
            conditions := conditions || ' AND workspace_tags_v1(workspace_id, tags) @> $3';
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
            (wanted ->> 'not_before')::uuid, (wanted ->> 'created_after')::timestamptz, most_counted;
        total := coalesce(cardinality(matches), 0);
        total_is_exact := total <= most_counted;
        total := least(total, most_counted);
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
            (wanted ->> 'not_before')::uuid, (wanted ->> 'created_after')::timestamptz, most_counted, after, skip, size;
    END IF;

    more := cardinality(page) > size;
    SELECT coalesce(jsonb_agg(document.facts ORDER BY sought.position), '[]') INTO rows
    FROM unnest(page[1:size]) WITH ORDINALITY AS sought (id, position)
    CROSS JOIN LATERAL (
        SELECT facts FROM document_facts_v1 WHERE workspace_id = workspace AND id = sought.id LIMIT 1
    ) document;
END
$$
---
-- The documents that belong to something, the last linked first; `sought_role` is null for every role.
CREATE FUNCTION linked_documents_v1(
    workspace uuid, sought_type text, sought_id text, sought_role text, skip bigint, size integer,
    OUT total bigint, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    SELECT count(*) INTO total FROM links
    WHERE workspace_id = workspace AND entity_type = sought_type AND entity_id = sought_id
        AND (sought_role IS NULL OR role = sought_role);
    SELECT
        coalesce(jsonb_agg(jsonb_build_object('link', link.facts, 'document', document.facts) ORDER BY link.id DESC), '[]')
    INTO rows
    FROM (
        SELECT * FROM link_facts_v1
        WHERE workspace_id = workspace AND entity_type = sought_type AND entity_id = sought_id
            AND (sought_role IS NULL OR role = sought_role)
        ORDER BY id DESC OFFSET skip LIMIT size
    ) link
    CROSS JOIN LATERAL (
        SELECT facts FROM document_facts_v1 WHERE workspace_id = workspace AND id = link.document_id LIMIT 1
    ) document;
END
$$
---
-- The folders one level below `parent`, which is '' for the root, with the documents in and below each.
CREATE FUNCTION folders_v1(
    workspace uuid, parent text, skip bigint, size integer, OUT total bigint, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    span record;
    children text[];
BEGIN
    SELECT * INTO span FROM subtree_v1(parent);
    children := ARRAY(
        SELECT path FROM folders
        WHERE workspace_id = workspace AND left(path, 600) BETWEEN span.lowest AND span.highest
            AND starts_with(path, parent || '/') AND strpos(substr(path, length(parent) + 2), '/') = 0
    );
    total := cardinality(children);
    SELECT coalesce(
        jsonb_agg(jsonb_build_object('folder', child.path, 'documents', counted.documents) ORDER BY child.path COLLATE "C"),
        '[]'
    )
    INTO rows
    FROM (SELECT path FROM unnest(children) AS path ORDER BY path COLLATE "C" OFFSET skip LIMIT size) child
    CROSS JOIN LATERAL subtree_v1(child.path) inside
    CROSS JOIN LATERAL (
        SELECT count(*) AS documents
        FROM folders f
        JOIN documents d ON d.workspace_id = f.workspace_id AND d.folder_id = f.id
        WHERE f.workspace_id = workspace AND left(f.path, 600) BETWEEN inside.lowest AND inside.highest
            AND is_within_v1(f.path, child.path)
    ) counted;
END
$$
---
-- The tags of the `newest` documents, the most frequent first. Counted one by one: the index does not tell it.
CREATE FUNCTION tags_v1(
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
        SELECT coalesce(jsonb_agg(jsonb_build_object('tag', tag, 'documents', documents) ORDER BY documents DESC, tag), '[]')
        FROM (SELECT * FROM counted ORDER BY documents DESC, tag OFFSET skip LIMIT size) page
    )
    INTO total, rows;
END
$$
---
-- A search looks into every text that the index takes for a match: long ones are read sooner as they are.
ALTER TABLE documents ALTER COLUMN search_text SET STORAGE EXTERNAL
---
-- The indexes come last: to make them takes a minute for a million documents, and creates wait for as long.
CREATE INDEX folders_path ON folders (workspace_id, left(path, 600))
---
CREATE INDEX documents_folder ON documents (workspace_id, folder_id, id)
---
CREATE INDEX documents_mime_type ON documents (workspace_id, mime_type, id)
---
-- What comes in is gathered, and put in its place by whoever fills up the pending list, in KiB: every search reads the
-- list from end to end.
CREATE INDEX documents_tags ON documents USING gin (workspace_tags_v1(workspace_id, tags))
WITH (gin_pending_list_limit = 1024)
---
CREATE INDEX documents_search ON documents USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 1024)
