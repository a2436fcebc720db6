-- Each document as one JSON object. It has the members of a receipt's facts, so that one function of the adapter reads
-- both.
CREATE VIEW document_facts AS
SELECT d.workspace_id, d.id, jsonb_build_object(
    'id', d.id, 'workspace_id', d.workspace_id, 'name', d.name, 'description', d.description,
    'mime_type', d.mime_type, 'storage_path', d.storage_path, 'size_bytes', o.size_bytes, 'etag', o.etag,
    'sha256', encode(o.sha256, 'hex'), 'version_id', o.version_id, 'folder', f.path, 'tags', d.tags,
    'revision', d.revision, 'created_by', d.created_by, 'created_by_key', d.created_by_key,
    'created_at', d.created_at, 'updated_at', d.updated_at
) AS facts
FROM documents d
JOIN objects o ON o.workspace_id = d.workspace_id AND o.storage_path = d.storage_path
LEFT JOIN folders f ON f.workspace_id = d.workspace_id AND f.id = d.folder_id;
