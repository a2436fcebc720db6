-- Takes the table's lock. Every change begins with a row of it, so none is half done from here on.
ALTER TABLE usage ALTER COLUMN folders SET DEFAULT 0;

ALTER TABLE folders
    ALTER COLUMN path DROP NOT NULL,
    ALTER COLUMN path_digest DROP NOT NULL,
    ALTER COLUMN name DROP DEFAULT;

DROP TRIGGER folders_unplaced ON folders;

DROP TRIGGER folders_placed ON folders;

DROP TRIGGER folders_moved ON folders;

CREATE TRIGGER folders_came AFTER INSERT ON folders
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION settle_folders();

DROP VIEW folder_tree;

ALTER TABLE folders RENAME TO folder_tree;

ALTER INDEX folders_pkey RENAME TO folder_tree_pkey;

-- The folders with their paths, as the table had them. A path is computed, from a folder upwards: a condition on paths
-- reads all folders of the workspace.
CREATE VIEW folders AS
SELECT workspace_id, id, path, sha256(convert_to(path, 'UTF8')) AS path_digest
FROM (
    SELECT workspace_id, id, (
        WITH RECURSIVE upwards AS (
            SELECT folder_tree.parent_id AS above, '/' || folder_tree.name AS path
            UNION ALL
            SELECT parent.parent_id, '/' || parent.name || upwards.path
            FROM upwards JOIN folder_tree AS parent
                ON parent.workspace_id = folder_tree.workspace_id AND parent.id = upwards.above
        )
        SELECT path FROM upwards WHERE above IS NULL
    ) AS path
    FROM folder_tree
) AS composed;

-- As it was, but on the view.
CREATE OR REPLACE VIEW document_facts AS
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

-- For servers of an earlier version. The migration's .py file replaces those that look up a folder by its digest.
CREATE OR REPLACE FUNCTION ensure_folders(workspace uuid, paths text[]) RETURNS void
LANGUAGE sql VOLATILE
AS $$ SELECT ensure_folders_v2(workspace, paths) $$;

CREATE OR REPLACE FUNCTION folders_within(workspace uuid, folder text) RETURNS uuid[]
LANGUAGE sql STABLE
AS $$ SELECT folders_within_v2(workspace, find_folder(workspace, folder)) $$;

CREATE OR REPLACE FUNCTION list_folders(
    workspace uuid, parent text, skip bigint, size integer, OUT total bigint, OUT rows jsonb
)
LANGUAGE sql STABLE
AS $$ SELECT * FROM list_folders_v2(workspace, parent, skip, size) $$;

CREATE OR REPLACE FUNCTION delete_folder(
    workspace uuid, folder text, at timestamptz, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE sql VOLATILE
AS $$ SELECT * FROM delete_folder_v2(workspace, folder, at, intent) $$;

-- Without the limits that those servers do not know.
CREATE OR REPLACE FUNCTION move_folder_v2(
    workspace uuid, source text, target text, levels_max integer, at timestamptz, intent jsonb,
    OUT outcome text, OUT facts jsonb
)
LANGUAGE sql VOLATILE
AS $$
    SELECT * FROM move_folder_v3(workspace, source, target, levels_max, 2147483647, 2147483646, at, intent)
$$;
