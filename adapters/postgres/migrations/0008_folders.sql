-- A folder has a name and the folder above it (null: it is at the top). So a move changes one row, however much is below
-- it. `height` is the number of levels below the folder, which says whether a move would exceed the limit of levels.
-- No folder has the name '': until all rows are filled, it stands for a missing one.
ALTER TABLE folders
    ADD COLUMN parent_id uuid,
    ADD COLUMN name text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN height smallint NOT NULL DEFAULT 0;

-- Finds the folders directly below a folder, the highest one last. There is no foreign key to the parent: it would double
-- the time in which a large tree of empty folders is deleted, and the functions that delete look below first.
-- Before the rows are filled, because the heights of a workspace are computed with it.
CREATE INDEX CONCURRENTLY folder_tree_below ON folders (workspace_id, parent_id, height) INCLUDE (id);

-- The name that the table has from the swap on.
CREATE VIEW folder_tree AS SELECT workspace_id, id, parent_id, name, height FROM folders;

-- Servers write between these steps, so their order matters. No folder is placed before the trigger of moves exists: a
-- placed folder is not filled again. No folder gets the name of `folders_unplaced` before it is placed at once: only an
-- empty name is filled. The trigger of moves is not for what it updates itself.
CREATE TRIGGER folders_moved AFTER UPDATE ON folders
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION place_folders();

CREATE TRIGGER folders_placed AFTER INSERT ON folders
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION place_folders();

-- A new row has a name of its own until it is placed.
CREATE TRIGGER folders_unplaced BEFORE INSERT ON folders
FOR EACH ROW EXECUTE FUNCTION name_unplaced_folder();

CREATE TRIGGER folders_left AFTER DELETE ON folders
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION settle_folders();
