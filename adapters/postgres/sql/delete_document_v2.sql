-- Delete a document and its entity links, return its size to the quota, and condemn its storage path.
-- Outcomes: done (facts: storage_path) | replayed | key_reused | unknown | other_state.
CREATE FUNCTION delete_document_v2(
    workspace uuid, sought uuid, allowed text[], refused text[], at timestamptz, intent jsonb,
    OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    begun record;
    old documents%ROWTYPE;
    size bigint;
BEGIN
    SELECT * INTO begun FROM begin_document_change_v2(workspace, sought, allowed, refused, at, intent);
    outcome := begun.outcome;
    facts := begun.facts;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    old := begun.document;

    DELETE FROM documents WHERE workspace_id = workspace AND id = sought;
    -- The quota gets back the size it was charged, and only for a path that is still recorded: never twice.
    UPDATE objects SET state = 'condemned', condemned_at = at
    WHERE workspace_id = workspace AND storage_path = old.storage_path AND state = 'recorded'
    RETURNING size_bytes INTO STRICT size;
    UPDATE usage SET used_bytes = used_bytes - size, documents = documents - 1 WHERE workspace_id = workspace;

    outcome := 'done';
    facts := jsonb_build_object('storage_path', old.storage_path, 'attempt', intent -> 'attempt');
    PERFORM finish_change(
        workspace, intent, at, facts, 'document.deleted', sought,
        jsonb_build_object('storage_path', old.storage_path, 'size_bytes', size)
    );
END
$$;
