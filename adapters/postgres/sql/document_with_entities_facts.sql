-- Each document as one JSON object, with the type and the id of each entity that it is linked to, the oldest link first:
-- what the answers to a read and to a patch show. The receipt of a patch holds it, so it has nothing else.
CREATE VIEW document_with_entities_facts AS
SELECT workspace_id, id, jsonb_build_object(
    'document', d.facts,
    'entities', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(l.entity_type, l.entity_id) ORDER BY l.id), '[]')
        FROM entity_links l
        WHERE l.workspace_id = d.workspace_id AND l.document_id = d.id
    )
) AS facts
FROM document_facts d;
