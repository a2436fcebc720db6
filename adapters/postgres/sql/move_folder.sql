-- Move a folder, and all folders below it, to another path, which is not below its own. Documents refer to folders by
-- id, so only rows of folders change.
-- Outcomes: done (facts: documents) | replayed | key_reused | unknown | taken | too_deep.
CREATE FUNCTION move_folder(
    workspace uuid, source text, target text, levels_max integer, at timestamptz, intent jsonb,
    OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    bounds record;
    deepest integer;
    parent text := regexp_replace(target, '/[^/]*$', '');
    moved uuid[];
BEGIN
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO bounds FROM subtree_bounds(source);
    SELECT array_agg(id), max(length(path) - length(replace(path, '/', ''))) INTO moved, deepest
    FROM folders
    WHERE workspace_id = workspace AND left(path, 600) BETWEEN bounds.lowest AND bounds.highest
        AND is_within(path, source);
    IF moved IS NULL THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM folders WHERE workspace_id = workspace AND path_digest = sha256(convert_to(target, 'UTF8'))
    ) THEN
        outcome := 'taken';
        RETURN;
    END IF;
    IF deepest - cardinality(string_to_array(source, '/')) + cardinality(string_to_array(target, '/')) > levels_max THEN
        outcome := 'too_deep';
        RETURN;
    END IF;

    IF parent <> '' THEN
        PERFORM ensure_folders(workspace, ARRAY[parent]);
    END IF;
    -- There is no folder at the target, so there is none below it: no new path equals an existing one.
    UPDATE folders
    SET path = target || substr(path, length(source) + 1),
        path_digest = sha256(convert_to(target || substr(path, length(source) + 1), 'UTF8'))
    WHERE workspace_id = workspace AND left(path, 600) BETWEEN bounds.lowest AND bounds.highest
        AND is_within(path, source);
    outcome := 'done';
    SELECT jsonb_build_object('documents', count(*), 'attempt', intent -> 'attempt') INTO facts
    FROM unnest(moved) AS folder
    JOIN documents d ON d.workspace_id = workspace AND d.folder_id = folder;
    PERFORM finish_change(
        workspace, intent, at, facts, 'folder.moved', NULL, jsonb_build_object('from', source, 'to', target)
    );
END
$$;
