-- Move a folder, and all folders below it, to another path, which is not below its own: one row gets another parent and
-- name. A folder at the target is replaced if no document is in it or below it. At most `count_max` documents are
-- counted.
-- Outcomes: done (facts: documents, is_exact) | replayed | key_reused | unknown | taken | too_deep | too_many_folders.
CREATE FUNCTION move_folder_v3(
    workspace uuid, source text, target text, levels_max integer, folders_max integer, count_max integer,
    at timestamptz, intent jsonb, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    moved record;
    above text := left(target, -strpos(reverse(target), '/'));
    place uuid;
    replaced uuid[];
BEGIN
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO moved FROM folder_tree WHERE workspace_id = workspace AND id = find_folder(workspace, source);
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    replaced := folders_within_v2(workspace, find_folder(workspace, target));
    IF have_documents(workspace, replaced) THEN
        outcome := 'taken';
        RETURN;
    END IF;
    IF cardinality(string_to_array(target, '/')) - 1 + moved.height > levels_max THEN
        outcome := 'too_deep';
        RETURN;
    END IF;
    IF NOT has_room_for_folder(workspace, nullif(above, ''), folders_max) THEN
        outcome := 'too_many_folders';
        RETURN;
    END IF;

    IF moved.id = ANY (replaced) THEN
        -- The target is above the folder. While those around it are deleted, the folder is elsewhere.
        UPDATE folder_tree SET parent_id = NULL, name = gen_random_uuid()
        WHERE workspace_id = workspace AND id = moved.id;
        replaced := folders_within_v2(workspace, find_folder(workspace, target));
    END IF;
    IF replaced <> '{}' THEN
        DELETE FROM folder_tree WHERE workspace_id = workspace AND id = ANY (replaced);
    END IF;
    PERFORM ensure_folders_v2(workspace, ARRAY[above]);
    place := nullif(find_folder(workspace, above), workspace);
    UPDATE folder_tree SET parent_id = place, name = substr(target, length(above) + 2)
    WHERE workspace_id = workspace AND id = moved.id;
    PERFORM settle_heights(workspace, ARRAY[moved.parent_id, place]);
    outcome := 'done';
    SELECT jsonb_build_object('documents', documents, 'is_exact', is_exact, 'attempt', intent -> 'attempt') INTO facts
    FROM count_documents_within(workspace, moved.id, count_max);
    PERFORM finish_change(
        workspace, intent, at, facts, 'folder.moved', NULL, jsonb_build_object('from', source, 'to', target)
    );
END
$$;
