-- Each document with its entity links, oldest first, as one JSON object.
CREATE VIEW document_with_links_facts AS
SELECT workspace_id, id, jsonb_build_object(
    'document', d.facts,
    'links', (
        SELECT coalesce(jsonb_agg(l.facts ORDER BY l.id), '[]') FROM entity_link_facts l
        WHERE l.workspace_id = d.workspace_id AND l.document_id = d.id
    )
) AS facts
FROM document_facts d;
