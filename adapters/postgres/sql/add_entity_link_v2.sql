-- Link a document to an entity, and give it the next revision, unless it is linked to that entity already. `new` has
-- the columns of entity_links except the workspace. A document has at most `links_max` links.
-- Outcomes: done (facts: link, is_new) | replayed | key_reused | unknown | too_many.
CREATE FUNCTION add_entity_link_v2(
    workspace uuid, new jsonb, links_max integer, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    fresh entity_links%ROWTYPE;
    existing jsonb;
BEGIN
    fresh := jsonb_populate_record(NULL::entity_links, new);
    fresh.workspace_id := workspace;
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, fresh.created_at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM documents WHERE workspace_id = workspace AND id = fresh.document_id) THEN
        outcome := 'unknown';
        RETURN;
    END IF;

    SELECT l.facts INTO existing FROM entity_link_facts l
    WHERE workspace_id = workspace AND document_id = fresh.document_id AND entity_type = fresh.entity_type
        AND entity_id = fresh.entity_id;
    IF existing IS NULL THEN
        IF links_max <= (
            SELECT count(*) FROM entity_links WHERE workspace_id = workspace AND document_id = fresh.document_id
        ) THEN
            outcome := 'too_many';
            RETURN;
        END IF;
        INSERT INTO entity_links SELECT fresh.*;
        UPDATE documents SET revision = revision + 1 WHERE workspace_id = workspace AND id = fresh.document_id;
    END IF;
    outcome := 'done';
    facts := jsonb_build_object(
        'link', coalesce(
            existing, (SELECT l.facts FROM entity_link_facts l WHERE workspace_id = workspace AND id = fresh.id)
        ),
        'is_new', existing IS NULL, 'attempt', intent -> 'attempt'
    );
    PERFORM finish_change(
        workspace, intent, fresh.created_at, facts, CASE WHEN existing IS NULL THEN 'document.linked' END,
        fresh.document_id, facts -> 'link'
    );
END
$$;
