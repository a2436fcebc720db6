-- Record a new API key. Outcomes: created | replayed (facts: what the receipt holds) | key_reused | name_taken.
-- `new` has the columns of api_keys; `answer` becomes the facts of the receipt. For the operator, `intent` is null.
CREATE FUNCTION add_api_key(workspace uuid, new jsonb, intent jsonb, answer jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    fresh api_keys%ROWTYPE;
BEGIN
    -- As in `begin_change`, the lock comes before every read.
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % does not exist', workspace;
    END IF;
    fresh := jsonb_populate_record(NULL::api_keys, new);

    -- An earlier attempt of the same call has recorded the API key, and its answer was lost.
    IF EXISTS (SELECT FROM api_keys WHERE workspace_id = workspace AND id = fresh.id) THEN
        RETURN QUERY SELECT 'created', NULL::jsonb;
        RETURN;
    END IF;
    SELECT * INTO outcome, facts FROM find_receipt(
        workspace, (intent ->> 'key_hash')::uuid, intent ->> 'operation', intent ->> 'fingerprint', fresh.created_at
    );
    IF outcome IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM api_keys
        WHERE workspace_id = workspace AND name = fresh.name AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > fresh.created_at)
    ) THEN
        RETURN QUERY SELECT 'name_taken', NULL::jsonb;
        RETURN;
    END IF;

    INSERT INTO api_keys SELECT fresh.*;
    PERFORM finish_change(
        workspace, intent, fresh.created_at, answer, 'api_key.created', NULL, jsonb_build_object('api_key_id', fresh.id)
    );
    RETURN QUERY SELECT 'created', NULL::jsonb;
END
$$;
