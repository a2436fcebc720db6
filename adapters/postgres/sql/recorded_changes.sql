-- How many changes all workspaces have recorded. Each change of a workspace takes the next number of its events.
CREATE FUNCTION recorded_changes() RETURNS bigint
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(sum(next_seq), 0)::bigint FROM usage
$$;
