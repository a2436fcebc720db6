-- Return the id of a folder, null if it does not exist. The id of the root ('') is that of the workspace.
CREATE FUNCTION find_folder(workspace uuid, path text) RETURNS uuid
LANGUAGE plpgsql STABLE STRICT
AS $$
DECLARE
    found uuid := workspace;
    level text;
BEGIN
    FOREACH level IN ARRAY (string_to_array(path, '/'))[2:] LOOP
        SELECT id INTO found FROM folder_tree
        WHERE workspace_id = workspace AND coalesce(parent_id, workspace_id) = found AND name = level;
    END LOOP;
    RETURN found;
END
$$;
