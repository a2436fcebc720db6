-- Return the folder and those above it that do not exist, from the top; an empty array for the root (null).
CREATE FUNCTION missing_folders(workspace uuid, folder text) RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    parts text[] := string_to_array(folder, '/');
    above uuid := workspace;
BEGIN
    FOR depth IN 2 .. coalesce(cardinality(parts), 0) LOOP
        SELECT id INTO above FROM folder_tree
        WHERE workspace_id = workspace AND coalesce(parent_id, workspace_id) = above AND name = parts[depth];
        IF above IS NULL THEN
            RETURN ARRAY(
                SELECT array_to_string(parts[1:level], '/')
                FROM generate_series(depth, cardinality(parts)) AS level ORDER BY level
            );
        END IF;
    END LOOP;
    RETURN '{}';
END
$$;
