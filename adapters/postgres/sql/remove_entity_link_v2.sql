-- Remove an entity link of a document, and give the document the next revision.
-- Outcomes: done | replayed | key_reused | unknown.
CREATE FUNCTION remove_entity_link_v2(
    workspace uuid, document uuid, sought uuid, at timestamptz, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    old jsonb;
BEGIN
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT l.facts INTO old FROM entity_link_facts l
    WHERE workspace_id = workspace AND id = sought AND document_id = document;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;

    DELETE FROM entity_links WHERE workspace_id = workspace AND id = sought;
    UPDATE documents SET revision = revision + 1 WHERE workspace_id = workspace AND id = document;
    outcome := 'done';
    facts := jsonb_build_object('attempt', intent -> 'attempt');
    PERFORM finish_change(workspace, intent, at, facts, 'document.unlinked', document, old);
END
$$;
