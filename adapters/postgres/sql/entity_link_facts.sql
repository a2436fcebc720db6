-- Each entity link as one JSON object, beside the columns by which links are found.
CREATE VIEW entity_link_facts AS
SELECT workspace_id, id, document_id, entity_type, entity_id, role, jsonb_build_object(
    'id', id, 'document_id', document_id, 'entity_type', entity_type, 'entity_id', entity_id, 'role', role,
    'created_at', created_at
) AS facts
FROM entity_links;
