-- The part of the quota that issued uploads may still use.
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

-- Every folder is found from the one above it, in the order of names, without reading the folders of other levels. An index
-- of the paths cannot do this: it holds only their first 600 characters, and a level is spread over it. A generated
-- column, so that functions of an earlier version fill it too, and so that the index alone can count a level.
ALTER TABLE folders
    ADD COLUMN parent_digest bytea NOT NULL GENERATED ALWAYS AS (folder_parent_digest(path)) STORED;

CREATE INDEX folders_level ON folders (workspace_id, parent_digest, right(path, strpos(reverse(path), '/') - 1))
INCLUDE (path_digest, id);

-- The number of folders of a workspace. A create compares it with the limit, instead of counting rows.
ALTER TABLE usage ADD COLUMN folders bigint NOT NULL DEFAULT 0 CHECK (folders >= 0);

CREATE TRIGGER folders_inserted AFTER INSERT ON folders
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_folders();

CREATE TRIGGER folders_deleted AFTER DELETE ON folders
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_folders();

UPDATE usage SET folders = counted.folders
FROM (SELECT workspace_id, count(*) AS folders FROM folders GROUP BY workspace_id) AS counted
WHERE counted.workspace_id = usage.workspace_id;
