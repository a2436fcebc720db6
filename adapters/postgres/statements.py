"""The statements of the paths that every request takes, each with its reasons."""

# One function call is one transaction and one round trip; the function itself is in migrations, beside the tables.
RECORD_DOCUMENTS = "SELECT outcome, facts FROM record_documents_v2($1, $2)"

RECEIPT = "SELECT operation, fingerprint, facts FROM receipts WHERE workspace_id = $1 AND key = $2 AND expires_at > $3"

# The same members as the facts of a receipt, so that one function reads both.
DOCUMENT = """
SELECT jsonb_build_object(
    'id', d.id, 'workspace_id', d.workspace_id, 'name', d.name, 'description', d.description,
    'mime_type', d.mime_type, 'storage_path', d.storage_path, 'size_bytes', o.size_bytes, 'etag', o.etag,
    'sha256', encode(o.sha256, 'hex'), 'version_id', o.version_id, 'folder', f.path, 'tags', d.tags,
    'revision', d.revision, 'created_by', d.created_by, 'created_by_key', d.created_by_key,
    'created_at', d.created_at, 'updated_at', d.updated_at
) AS facts
FROM documents d
JOIN objects o ON o.workspace_id = d.workspace_id AND o.storage_path = d.storage_path
LEFT JOIN folders f ON f.workspace_id = d.workspace_id AND f.id = d.folder_id
WHERE d.workspace_id = $1 AND d.id = $2
"""

USAGE = "SELECT used_bytes, quota_bytes, documents FROM usage WHERE workspace_id = $1"

# By an index that is not unique: a unique key must begin with the workspace, which is not known yet. Two SHA-256
# digests do not collide.
FIND_KEY = """
SELECT k.*, w.plan
FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id
WHERE k.digest = $1
"""

ADD_WORKSPACE = """
WITH workspace AS (
    INSERT INTO workspaces (id, name, owner_id, plan, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
)
INSERT INTO usage (workspace_id, quota_bytes) SELECT id, $6 FROM workspace
"""

WORKSPACES = """
SELECT w.*, u.quota_bytes
FROM workspaces w JOIN usage u ON u.workspace_id = w.id
WHERE $1::uuid IS NULL OR w.id = $1
ORDER BY w.id
"""

UPDATE_WORKSPACE = """
WITH quota AS (
    UPDATE usage SET quota_bytes = coalesce($3, quota_bytes) WHERE workspace_id = $1 RETURNING quota_bytes
), workspace AS (
    UPDATE workspaces SET plan = coalesce($2, plan) WHERE id = $1 RETURNING *
)
SELECT workspace.*, quota.quota_bytes FROM workspace, quota
"""
