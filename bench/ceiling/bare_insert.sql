-- Insert only the document's row, into a table without locks and foreign keys, so that commits are shared.
\set n :n + 1
\set k :first + :n * 64 + :client_id
INSERT INTO bare (
    workspace_id, id, name, mime_type, storage_path, tags, search_text, revision, created_by, created_by_key,
    created_at, updated_at
)
VALUES (
    :workspace, ('00000000-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0'))::uuid,
    'Acme-NDA-2026.pdf', 'application/pdf', 'workspaces/ws_00000000000000000000000000/documents/b' || :k::bigint,
    '{nda,confidentiality}', E'acme-nda-2026.pdf\n', 1, :workspace, :workspace, now(), now()
);
