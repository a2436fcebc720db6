-- Return the ids of a folder and of all folders below it; an empty array if there is no such folder (null). Each level
-- is one scan of an index.
CREATE FUNCTION folders_within_v2(workspace uuid, folder uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
DECLARE
    level uuid[] := array_remove(ARRAY[folder], NULL);
    inside uuid[] := level;
BEGIN
    WHILE level <> '{}' LOOP
        level := ARRAY(SELECT id FROM folder_tree WHERE workspace_id = workspace AND parent_id = ANY (level));
        inside := inside || level;
    END LOOP;
    RETURN inside;
END
$$;
