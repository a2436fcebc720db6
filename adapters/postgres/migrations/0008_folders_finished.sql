DROP FUNCTION place_folders;

DROP FUNCTION name_unplaced_folder;

-- Only servers of 0001 call it, which do not run beside 0002.
DROP FUNCTION move_folder;

-- Their indexes go with them.
ALTER TABLE folder_tree DROP COLUMN path, DROP COLUMN path_digest;

ALTER TABLE folder_tree ADD CONSTRAINT folder_tree_name_check CHECK (name <> '' AND strpos(name, '/') = 0) NOT VALID;

ALTER TABLE folder_tree VALIDATE CONSTRAINT folder_tree_name_check;

-- In the place of the foreign key: it looked for documents once for each deleted folder.
CREATE TRIGGER folders_kept AFTER DELETE ON folder_tree
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_used_folders();

ALTER TABLE documents DROP CONSTRAINT documents_workspace_id_folder_id_fkey;
