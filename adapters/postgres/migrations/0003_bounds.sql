-- The part of the quota that issued uploads may still use, and the number of folders. A create compares the number with the limit,
-- instead of counting rows.
ALTER TABLE usage
    ADD COLUMN reserved_bytes bigint NOT NULL DEFAULT 0,
    ADD COLUMN folders bigint NOT NULL DEFAULT 0;

ALTER TABLE usage ADD CONSTRAINT usage_reserved_bytes_check CHECK (reserved_bytes >= 0) NOT VALID;

ALTER TABLE usage VALIDATE CONSTRAINT usage_reserved_bytes_check;

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

CREATE TRIGGER folders_inserted AFTER INSERT ON folders
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_folders();

CREATE TRIGGER folders_deleted AFTER DELETE ON folders
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_folders();
