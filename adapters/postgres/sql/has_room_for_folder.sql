-- Return whether a workspace may have as many folders as it has with this one and those above it (null: the root). Called
-- under the workspace lock.
CREATE FUNCTION has_room_for_folder(workspace uuid, folder text, folders_max integer) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    missing integer := cardinality(missing_folders(workspace, folder));
BEGIN
    RETURN missing = 0 OR missing <= folders_max - (SELECT folders FROM usage WHERE workspace_id = workspace);
END
$$;
