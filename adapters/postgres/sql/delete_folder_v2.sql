-- Delete a folder and all folders below it, unless a document is in one of them.
-- Outcomes: done | replayed | key_reused | unknown | in_use.
CREATE FUNCTION delete_folder_v2(
    workspace uuid, folder text, at timestamptz, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    deleted uuid[];
BEGIN
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    deleted := folders_within_v2(workspace, find_folder(workspace, folder));
    IF deleted = '{}' THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    -- The workspace lock keeps creates away until the commit, so no document can enter a folder in between.
    IF have_documents(workspace, deleted) THEN
        outcome := 'in_use';
        RETURN;
    END IF;

    DELETE FROM folder_tree WHERE workspace_id = workspace AND id = ANY (deleted);
    outcome := 'done';
    facts := jsonb_build_object('attempt', intent -> 'attempt');
    PERFORM finish_change(
        workspace, intent, at, facts, 'folder.deleted', NULL, jsonb_build_object('folder', folder)
    );
END
$$;
