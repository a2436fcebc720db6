CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    owner_id uuid NOT NULL,
    plan text NOT NULL,
    created_at timestamptz NOT NULL
)
---
-- The row that every change to a workspace locks first. Updated at every create: half of each page stays free, so that
-- the new version of a row fits beside the old one (a HOT update, which writes no index).
CREATE TABLE usage (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces (id),
    quota_bytes bigint NOT NULL CHECK (quota_bytes >= 0),
    used_bytes bigint NOT NULL DEFAULT 0 CHECK (used_bytes >= 0),
    documents bigint NOT NULL DEFAULT 0 CHECK (documents >= 0),
    next_seq bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50)
---
CREATE TABLE api_keys (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    permissions text[] NOT NULL,
    tier text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (workspace_id, id)
)
---
CREATE INDEX api_keys_digest ON api_keys (digest)
---
-- A path can have 20,000 bytes, far more than an index entry holds: so its SHA-256 is what is unique.
CREATE TABLE folders (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    path_digest bytea NOT NULL CHECK (octet_length(path_digest) = 32),
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, path_digest)
)
---
-- The one ledger of paths: a path is recorded at most once, ever. Who deletes bytes first condemns the path here.
CREATE TABLE objects (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    storage_path text COLLATE "C" NOT NULL,
    store text NOT NULL DEFAULT 'default',
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    sha256 bytea CHECK (octet_length(sha256) = 32),
    etag text NOT NULL,
    version_id text,
    document_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('recorded', 'condemned', 'gone')),
    PRIMARY KEY (workspace_id, storage_path)
)
---
CREATE TABLE documents (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    mime_type text NOT NULL,
    storage_path text COLLATE "C" NOT NULL,
    folder_id uuid,
    tags text[] COLLATE "C" NOT NULL,
    search_text text NOT NULL,
    revision integer NOT NULL,
    created_by uuid NOT NULL,
    created_by_key uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, storage_path) REFERENCES objects (workspace_id, storage_path),
    FOREIGN KEY (workspace_id, folder_id) REFERENCES folders (workspace_id, id)
)
---
CREATE TABLE receipts (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    key uuid NOT NULL,
    operation text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    facts jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key)
)
---
-- seq is taken under the workspace's lock: its order is the order of commits, which times and ids are not.
CREATE TABLE events (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    document_id uuid NOT NULL,
    user_id uuid NOT NULL,
    key_id uuid NOT NULL,
    request_id text NOT NULL,
    data jsonb,
    PRIMARY KEY (workspace_id, seq)
)
