-- Keep `usage.folders`: called once for each statement that inserts or deletes folders. As a trigger, it also counts for the
-- functions of an earlier version, and no new function can forget it. All of them hold the workspace lock.
CREATE FUNCTION count_folders() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    change record;
BEGIN
    FOR change IN
        SELECT workspace_id, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END AS folders
        FROM changed GROUP BY workspace_id
    LOOP
        UPDATE usage SET folders = usage.folders + change.folders WHERE workspace_id = change.workspace_id;
    END LOOP;
    RETURN NULL;
END
$$;
