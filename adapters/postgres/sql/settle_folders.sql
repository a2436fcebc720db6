-- Keep the heights of folders: called once for each statement that inserts or deletes folders. A trigger cannot be
-- forgotten by a new function.
CREATE FUNCTION settle_folders() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    workspace uuid;
BEGIN
    FOR workspace IN SELECT DISTINCT workspace_id FROM changed LOOP
        PERFORM settle_heights(workspace, ARRAY(
            SELECT parent_id FROM changed WHERE workspace_id = workspace
            EXCEPT
            SELECT id FROM changed WHERE workspace_id = workspace
        ));
    END LOOP;
    RETURN NULL;
END
$$;
