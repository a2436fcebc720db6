-- Move a folder, and all folders below it, to another path, which is not below its own. Documents refer to folders by
-- id, so only rows of folders change. A folder at the target is replaced if no document is in it or below it.
-- Outcomes: done (facts: documents) | replayed | key_reused | unknown | taken | too_deep | too_long | too_many_folders.
CREATE FUNCTION move_folder_v3(
    workspace uuid, source text, target text, levels_max integer, bytes_max integer, folders_max integer,
    at timestamptz, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    deepest integer;
    longest integer;
    parent text := regexp_replace(target, '/[^/]*$', '');
    moved uuid[];
    replaced uuid[];
    paths text[];
BEGIN
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    moved := folders_within(workspace, source);
    IF moved = '{}' THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    SELECT max(length(path) - length(replace(path, '/', ''))), max(octet_length(path)) INTO deepest, longest
    FROM folders WHERE workspace_id = workspace AND id = ANY (moved);
    replaced := folders_within(workspace, target);
    IF EXISTS (SELECT FROM documents WHERE workspace_id = workspace AND folder_id = ANY (replaced)) THEN
        outcome := 'taken';
        RETURN;
    END IF;
    IF deepest - cardinality(string_to_array(source, '/')) + cardinality(string_to_array(target, '/')) > levels_max THEN
        outcome := 'too_deep';
        RETURN;
    END IF;
    IF longest - octet_length(source) + octet_length(target) > bytes_max THEN
        outcome := 'too_long';
        RETURN;
    END IF;
    IF NOT has_room_for_folder(workspace, nullif(parent, ''), folders_max) THEN
        outcome := 'too_many_folders';
        RETURN;
    END IF;

    IF parent <> '' THEN
        PERFORM ensure_folders(workspace, ARRAY[parent]);
    END IF;
    IF is_within(source, target) THEN
        -- No document is in any of these folders, so new rows can take their place. An UPDATE could give a folder the
        -- path of another one that has not moved yet: '/a/b' and '/a/b/b' become '/a' and '/a/b'.
        paths := ARRAY(
            SELECT target || substr(path, length(source) + 1)
            FROM folders WHERE workspace_id = workspace AND id = ANY (moved)
        );
    END IF;
    -- Then no folder is at the target or below it: no new path equals an existing one.
    DELETE FROM folders WHERE workspace_id = workspace AND id = ANY (replaced);
    PERFORM ensure_folders(workspace, paths);
    UPDATE folders
    SET path = target || substr(path, length(source) + 1),
        path_digest = sha256(convert_to(target || substr(path, length(source) + 1), 'UTF8'))
    WHERE workspace_id = workspace AND id = ANY (moved);
    outcome := 'done';
    SELECT jsonb_build_object('documents', count(*), 'attempt', intent -> 'attempt') INTO facts
    FROM unnest(moved) AS folder
    JOIN documents d ON d.workspace_id = workspace AND d.folder_id = folder;
    PERFORM finish_change(
        workspace, intent, at, facts, 'folder.moved', NULL, jsonb_build_object('from', source, 'to', target)
    );
END
$$;
