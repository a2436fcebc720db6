-- Return the usage of workspaces, each with its id: those that exist. See `read_documents`.
CREATE FUNCTION read_usage(workspaces uuid[])
RETURNS SETOF usage
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN QUERY
    SELECT found.*
    FROM unnest(workspaces) AS asked (workspace_id)
    CROSS JOIN LATERAL (SELECT * FROM usage AS u WHERE u.workspace_id = asked.workspace_id LIMIT 1) AS found;
END
$$;
