-- Finds a folder by its name, and the folders of a level in the order of their names. At the top, the id of the workspace
-- takes the place of a parent: a unique key does not compare nulls. Lists count a level from the index alone, for which
-- it includes the column of its expression.
CREATE UNIQUE INDEX CONCURRENTLY folder_tree_name
ON folders (workspace_id, coalesce(parent_id, workspace_id), name) INCLUDE (parent_id);
