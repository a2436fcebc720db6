-- Finds a folder by its name, and the folders of a level in the order of their names. At the top, the id of the workspace
-- takes the place of a parent: a unique key does not compare nulls. Lists count a level from the index alone, for which
-- it includes the column of its expression.
CREATE UNIQUE INDEX CONCURRENTLY folder_tree_name
ON folders (workspace_id, coalesce(parent_id, workspace_id), name) INCLUDE (parent_id);

-- Finds the folders directly below a folder, the highest one last. There is no foreign key to the parent: it would double
-- the time in which a large tree of empty folders is deleted, and the functions that delete look below first.
CREATE INDEX CONCURRENTLY folder_tree_below ON folders (workspace_id, parent_id, height) INCLUDE (id);
