-- Refuse to delete a folder that has documents: called once for each statement that deletes folders. A foreign key would
-- run a query for each folder. With it, a tree of 90,000 empty folders took longer than a statement may take.
CREATE FUNCTION keep_used_folders() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    workspace uuid;
BEGIN
    FOR workspace IN SELECT DISTINCT workspace_id FROM changed LOOP
        IF have_documents(workspace, ARRAY(SELECT id FROM changed WHERE workspace_id = workspace)) THEN
            RAISE foreign_key_violation USING MESSAGE = 'a folder of documents cannot be deleted';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
