CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    owner_id uuid NOT NULL,
    plan text NOT NULL,
    created_at timestamptz NOT NULL
);

-- Every change of a workspace locks its row here first. Every create updates it: half of each page stays free, so that
-- the new version of a row fits beside the old one (a HOT update, which writes no index).
CREATE TABLE usage (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces (id),
    quota_bytes bigint NOT NULL CHECK (quota_bytes >= 0),
    used_bytes bigint NOT NULL DEFAULT 0 CHECK (used_bytes >= 0),
    documents bigint NOT NULL DEFAULT 0 CHECK (documents >= 0),
    next_seq bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50);

-- `search_text` is the name as the domain folds it, because no database folds text as Python does.
CREATE TABLE api_keys (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    search_text text NOT NULL DEFAULT '',
    prefix text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    permissions text[] NOT NULL,
    tier text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);

-- Not unique: a unique key must begin with the workspace, and authentication does not know the workspace yet.
CREATE INDEX api_keys_digest ON api_keys (digest);

-- A path can have 20,000 bytes, far more than an index entry holds. So the SHA-256 of the path is unique.
CREATE TABLE folders (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    path_digest bytea NOT NULL CHECK (octet_length(path_digest) = 32),
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, path_digest)
);

CREATE INDEX folders_path ON folders (workspace_id, left(path, 600));

-- The one ledger of storage paths: a path is recorded at most once, ever. Before any process deletes an object, it
-- condemns the path here. A path that was condemned without a record has no document.
CREATE TABLE objects (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    storage_path text COLLATE "C" NOT NULL,
    store text NOT NULL DEFAULT 'default',
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    sha256 bytea CHECK (octet_length(sha256) = 32),
    etag text NOT NULL,
    version_id text,
    document_id uuid,
    state text NOT NULL CHECK (state IN ('recorded', 'condemned', 'gone')),
    condemned_at timestamptz,
    PRIMARY KEY (workspace_id, storage_path)
);

-- Holds only the few paths whose objects are being deleted; a create does not write to this index.
CREATE INDEX objects_condemned ON objects (workspace_id, storage_path) WHERE state = 'condemned';

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
);

-- A search reads every text that the index reports as a match. Long texts are read faster without compression.
ALTER TABLE documents ALTER COLUMN search_text SET STORAGE EXTERNAL;

CREATE INDEX documents_folder ON documents (workspace_id, folder_id, id);

CREATE INDEX documents_mime_type ON documents (workspace_id, mime_type, id);

-- New entries of a GIN index wait in a pending list, which every search reads from end to end. The write that fills the
-- list (1024 KiB) moves its entries into the index.
CREATE INDEX documents_tags ON documents USING gin (workspace_tags(workspace_id, tags))
WITH (gin_pending_list_limit = 1024);

CREATE INDEX documents_search ON documents USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 1024);

-- A document has at most one link to an entity. Deleting the document deletes its links.
CREATE TABLE entity_links (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    role text COLLATE "C",
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, document_id, entity_type, entity_id),
    FOREIGN KEY (workspace_id, document_id) REFERENCES documents (workspace_id, id) ON DELETE CASCADE
);

CREATE INDEX entity_links_entity ON entity_links (workspace_id, entity_type, entity_id, id);

-- Only a hash of the idempotency key is stored: `facts` may hold a secret that is encrypted under that key.
CREATE TABLE receipts (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    key_hash uuid NOT NULL,
    operation text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    facts jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key_hash)
);

-- `seq` is taken under the workspace lock: its order is the order of commits, which times and ids do not give. An event
-- of an API key has no document, and an event of the operator has neither user nor API key.
CREATE TABLE events (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    document_id uuid,
    user_id uuid,
    key_id uuid,
    request_id text NOT NULL,
    data jsonb,
    PRIMARY KEY (workspace_id, seq)
);

-- A single row that identifies this database. A dump restored elsewhere keeps the id, but its generation soon differs
-- from that of the store.
CREATE TABLE deployment (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    claimed_at timestamptz,
    generation text NOT NULL DEFAULT gen_random_uuid(),
    next_generation text,
    swept_at timestamptz
);

INSERT INTO deployment DEFAULT VALUES;
