-- Place folders in the tree that a function of an earlier version has inserted or moved, by their paths. Only for the time
-- until the tree replaces the paths.
CREATE FUNCTION place_folders() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    workspace uuid;
BEGIN
    UPDATE folders SET parent_id = place.parent_id, name = place.name
    FROM (
        SELECT changed.workspace_id, changed.id, (
            SELECT above.id FROM folders AS above
            WHERE above.workspace_id = changed.workspace_id AND above.path_digest
                = sha256(convert_to(left(changed.path, -strpos(reverse(changed.path), '/')), 'UTF8'))
            LIMIT 1
        ) AS parent_id, right(changed.path, strpos(reverse(changed.path), '/') - 1) AS name
        FROM changed
    ) AS place
    WHERE folders.workspace_id = place.workspace_id AND folders.id = place.id
        AND (folders.parent_id IS DISTINCT FROM place.parent_id OR folders.name <> place.name);
    FOR workspace IN SELECT DISTINCT workspace_id FROM changed LOOP
        PERFORM settle_heights(workspace, ARRAY(
            SELECT parent_id FROM changed WHERE workspace_id = workspace
            UNION
            SELECT folders.parent_id FROM folders JOIN changed USING (workspace_id, id) WHERE workspace_id = workspace
        ));
    END LOOP;
    RETURN NULL;
END
$$;
