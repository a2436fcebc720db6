-- Revoke an API key. Outcomes: revoked | replayed | key_reused | unknown | last_admin. The operator, whose `intent` is
-- null, may also revoke the last API key that can manage API keys.
CREATE FUNCTION revoke_api_key_v2(workspace uuid, sought uuid, at timestamptz, intent jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    found_key api_keys%ROWTYPE;
    answer text;
    earlier jsonb;
BEGIN
    SELECT outcome, facts INTO answer, earlier FROM begin_change(workspace, intent, at);
    IF answer = 'replayed' AND earlier ->> 'attempt' = intent ->> 'attempt' THEN
        -- The first call of this attempt revoked the API key, and its answer was lost. For the client, it is no replay.
        RETURN 'revoked';
    END IF;
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    SELECT * INTO found_key FROM api_keys WHERE workspace_id = workspace AND id = sought;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    IF found_key.revoked_at IS NULL THEN
        IF intent IS NOT NULL AND (
            SELECT array_agg(id) FROM api_keys
            WHERE workspace_id = workspace AND 'admin:api_keys' = ANY (permissions) AND revoked_at IS NULL
                AND (expires_at IS NULL OR expires_at > at)
        ) = ARRAY[sought] THEN
            RETURN 'last_admin';
        END IF;
        UPDATE api_keys SET revoked_at = at WHERE workspace_id = workspace AND id = sought;
    END IF;
    PERFORM finish_change(
        workspace, intent, at, jsonb_build_object('attempt', intent -> 'attempt'),
        CASE WHEN found_key.revoked_at IS NULL THEN 'api_key.revoked' END, NULL,
        jsonb_build_object('api_key_id', sought)
    );
    RETURN 'revoked';
END
$$;
