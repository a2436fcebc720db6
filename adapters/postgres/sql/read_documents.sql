-- Return documents of any workspaces, each with its own key: those that exist of the ids asked for, which are the ids of
-- the workspaces at the same places.
--
-- A function, because a session plans a statement with arrays for every call anew. LIMIT 1 keeps the planner from turning
-- the look-ups into a join, which could read all documents of a workspace.
CREATE FUNCTION read_documents(workspaces uuid[], ids uuid[])
RETURNS TABLE (workspace_id uuid, id uuid, facts jsonb)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT found.workspace_id, found.id, found.facts
    FROM unnest(workspaces, ids) AS asked (workspace_id, id)
    CROSS JOIN LATERAL (
        SELECT * FROM document_with_entities_facts AS d
        WHERE d.workspace_id = asked.workspace_id AND d.id = asked.id
        LIMIT 1
    ) AS found;
END
$$;
