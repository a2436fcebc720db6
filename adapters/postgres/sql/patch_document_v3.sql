-- Update the columns of a document that are present in `changes`: {name, description, folder, tags, mime_type}. If
-- `name` is present, so is `search_name`; if `description` is present, so is `search_description`. The domain has folded
-- both.
-- Outcomes: done (facts: document and entities) | replayed | key_reused | unknown | other_state | too_many_folders.
--
-- The receipt stores the `attempt` of the intent, as the other change functions do. If an answer is lost and the adapter
-- retries, it recognises its own earlier attempt by this value. Without an idempotency key, no other call reads the
-- receipt, so it holds only the attempt and the revision. With one, it holds the whole answer for 24 hours.
CREATE FUNCTION patch_document_v3(
    workspace uuid, sought uuid, changes jsonb, allowed text[], refused text[], folders_max integer, at timestamptz,
    intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    begun record;
    old documents%ROWTYPE;
    new documents%ROWTYPE;
    kind text;
BEGIN
    SELECT * INTO begun FROM begin_document_change_v2(workspace, sought, allowed, refused, at, intent);
    outcome := begun.outcome;
    facts := begun.facts;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    old := begun.document;

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
    IF changes ? 'mime_type' THEN
        new.mime_type := changes ->> 'mime_type';
    END IF;
    IF changes ? 'folder' THEN
        IF NOT has_room_for_folder(workspace, changes ->> 'folder', folders_max) THEN
            outcome := 'too_many_folders';
            RETURN;
        END IF;
        PERFORM ensure_folders_v2(workspace, ARRAY[changes ->> 'folder']);
        new.folder_id := find_folder(workspace, changes ->> 'folder');
    END IF;
    IF (new.name, new.description, new.tags, new.folder_id, new.mime_type)
        IS DISTINCT FROM (old.name, old.description, old.tags, old.folder_id, old.mime_type)
    THEN
        kind := 'document.changed';
        UPDATE documents
        SET name = new.name, description = new.description, tags = new.tags, folder_id = new.folder_id,
            mime_type = new.mime_type,
            -- A name has no newline: the text after the first newline is the description.
            search_text = coalesce(changes ->> 'search_name', split_part(search_text, E'\n', 1)) || E'\n'
                || coalesce(changes ->> 'search_description', substr(search_text, strpos(search_text, E'\n') + 1)),
            revision = revision + 1, updated_at = greatest(updated_at, at)
        WHERE workspace_id = workspace AND id = sought;
    END IF;

    outcome := 'done';
    SELECT linked.facts || jsonb_build_object('attempt', intent -> 'attempt') INTO facts
    FROM document_with_entities_facts linked WHERE workspace_id = workspace AND id = sought;
    PERFORM finish_change(
        workspace, intent, at,
        CASE
            WHEN intent -> 'key_hash' = intent -> 'attempt'
            THEN jsonb_build_object('attempt', intent -> 'attempt', 'revision', facts -> 'document' -> 'revision')
            ELSE facts
        END,
        kind, sought,
        jsonb_build_object('members', (
            SELECT jsonb_agg(member ORDER BY member) FROM jsonb_object_keys(changes) AS member
            WHERE member NOT LIKE 'search\_%'
        ))
    );
END
$$;
