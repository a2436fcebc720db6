-- What issued uploads may still take of the quota.
ALTER TABLE usage ADD COLUMN reserved_bytes bigint NOT NULL DEFAULT 0 CHECK (reserved_bytes >= 0);

-- The issued paths of the ledger of paths. A table of its own, because a row lives for minutes: a create deletes it and
-- inserts into `objects`, which never has dead rows of an upload. And `record_documents` of an earlier version, which
-- inserts into `objects`, still works.
CREATE TABLE uploads (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    storage_path text COLLATE "C" NOT NULL,
    reserved_bytes bigint NOT NULL CHECK (reserved_bytes >= 0),
    held_until timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, storage_path)
);
