-- Return one page of the documents that are linked to an entity, the last linked first. A null `sought_role` matches
-- every role.
CREATE FUNCTION linked_documents(
    workspace uuid, sought_type text, sought_id text, sought_role text, skip bigint, size integer,
    OUT total bigint, OUT rows jsonb
)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    SELECT count(*) INTO total FROM entity_links
    WHERE workspace_id = workspace AND entity_type = sought_type AND entity_id = sought_id
        AND (sought_role IS NULL OR role = sought_role);
    SELECT coalesce(
        jsonb_agg(jsonb_build_object('link', link.facts, 'document', document.facts) ORDER BY link.id DESC), '[]'
    )
    INTO rows
    FROM (
        SELECT * FROM entity_link_facts
        WHERE workspace_id = workspace AND entity_type = sought_type AND entity_id = sought_id
            AND (sought_role IS NULL OR role = sought_role)
        ORDER BY id DESC OFFSET skip LIMIT size
    ) link
    CROSS JOIN LATERAL (
        SELECT facts FROM document_facts WHERE workspace_id = workspace AND id = link.document_id LIMIT 1
    ) document;
END
$$;
