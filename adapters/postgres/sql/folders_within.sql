-- Return the ids of a folder and of all folders below it; an empty array if there is no such folder.
CREATE FUNCTION folders_within(workspace uuid, folder text) RETURNS uuid[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    bounds record;
BEGIN
    SELECT * INTO bounds FROM subtree_bounds(folder);
    RETURN ARRAY(
        SELECT id FROM folders
        WHERE workspace_id = workspace AND left(path, 600) BETWEEN bounds.lowest AND bounds.highest
            AND is_within(path, folder)
    );
END
$$;
