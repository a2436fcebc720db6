-- Record the facts of a create in the usual six statements, between BEGIN and COMMIT. The lock comes first, as in
-- Dossier, so that no other transaction can invalidate a later decision.
\set n :n + 1
\set k :first + :n * 64 + :client_id
\set chance random(0, 4294967295)
BEGIN;
SELECT used_bytes, quota_bytes, next_seq FROM usage WHERE workspace_id = :workspace FOR NO KEY UPDATE \gset
SELECT operation, fingerprint, facts
FROM receipts
WHERE workspace_id = :workspace
    AND key_hash = (lpad(to_hex(:chance::bigint), 8, '0') || '-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0'))::uuid;
SELECT document_id, state
FROM objects
WHERE workspace_id = :workspace AND storage_path = 'workspaces/ws_00000000000000000000000000/documents/b' || :k::bigint;
SELECT ensure_folders_v2(:workspace, ARRAY['/clients/acme/ndas']);
WITH object AS (
    INSERT INTO objects (workspace_id, storage_path, size_bytes, sha256, etag, document_id, state)
    VALUES (
        :workspace, 'workspaces/ws_00000000000000000000000000/documents/b' || :k::bigint, 183204,
        sha256('bytes'), '187a2b3c4d5e6f70-2cba4',
        ('00000000-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0'))::uuid, 'recorded'
    )
)
INSERT INTO documents (
    workspace_id, id, name, mime_type, storage_path, folder_id, tags, search_text, revision, created_by,
    created_by_key, created_at, updated_at
)
VALUES (
    :workspace, ('00000000-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0'))::uuid,
    'Acme-NDA-2026.pdf', 'application/pdf', 'workspaces/ws_00000000000000000000000000/documents/b' || :k::bigint,
    find_folder(:workspace, '/clients/acme/ndas'),
    '{nda,confidentiality}', E'acme-nda-2026.pdf\n', 1, :workspace, :workspace, now(), now()
);
WITH receipt AS (
    INSERT INTO receipts (workspace_id, key_hash, operation, fingerprint, facts, expires_at)
    VALUES (
        :workspace,
        (lpad(to_hex(:chance::bigint), 8, '0') || '-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0'))::uuid,
        'create_document', sha256('request'), :facts::jsonb, now() + interval '24 hours'
    )
), event AS (
    INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id)
    VALUES (
        :workspace, :next_seq, now(), 'document.created',
        ('00000000-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0'))::uuid, :workspace, :workspace,
        'req_01M84JBZKK9MV9FYJRXH48B7MR'
    )
)
UPDATE usage
SET used_bytes = used_bytes + 183204, documents = documents + 1, next_seq = next_seq + 1
WHERE workspace_id = :workspace;
COMMIT;
