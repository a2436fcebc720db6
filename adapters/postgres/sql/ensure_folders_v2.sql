-- Record these folders and every folder above them. A null is ignored. Called under the workspace lock.
CREATE FUNCTION ensure_folders_v2(workspace uuid, paths text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- A new folder is as high as the longest of the paths below it. So the trigger has to raise existing folders only.
    WITH new AS MATERIALIZED (
        SELECT level.path, max(cardinality(missing) - level.place) AS height, gen_random_uuid() AS id,
            left(level.path, -strpos(reverse(level.path), '/')) AS above
        FROM unnest(paths) AS folder
        CROSS JOIN LATERAL missing_folders(workspace, folder) AS missing
        CROSS JOIN LATERAL unnest(missing) WITH ORDINALITY AS level (path, place)
        GROUP BY level.path
    )
    INSERT INTO folder_tree (workspace_id, id, parent_id, name, height)
    SELECT
        workspace, new.id, coalesce(parent.id, nullif(find_folder(workspace, new.above), workspace)),
        substr(new.path, length(new.above) + 2), new.height
    FROM new LEFT JOIN new AS parent ON parent.path = new.above;
END
$$;
