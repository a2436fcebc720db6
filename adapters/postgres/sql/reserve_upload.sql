-- Replace the reservation of an upload, and issue the path if it is free. Only a larger reservation must fit the quota.
-- Outcomes: issued | path_taken (facts: document_id) | over_quota (facts: limit_bytes, used_bytes, requested_bytes).
CREATE FUNCTION reserve_upload(
    workspace uuid, path text, wanted bigint, until timestamptz, OUT outcome text, OUT facts jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    account usage%ROWTYPE;
    taken objects%ROWTYPE;
    own bigint;
    is_issued boolean;
BEGIN
    SELECT * INTO account FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % does not exist', workspace;
    END IF;
    SELECT * INTO taken FROM objects WHERE workspace_id = workspace AND storage_path = path;
    IF FOUND THEN
        outcome := 'path_taken';
        facts := jsonb_build_object('document_id', CASE WHEN taken.state = 'recorded' THEN taken.document_id END);
        RETURN;
    END IF;

    SELECT reserved_bytes INTO own FROM uploads WHERE workspace_id = workspace AND storage_path = path;
    is_issued := FOUND;
    own := coalesce(own, 0);
    IF (wanted > own OR NOT is_issued)
        AND wanted > greatest(account.quota_bytes - account.used_bytes - account.reserved_bytes + own, 0)
    THEN
        outcome := 'over_quota';
        facts := jsonb_build_object(
            'limit_bytes', account.quota_bytes, 'used_bytes', account.used_bytes + account.reserved_bytes - own,
            'requested_bytes', wanted
        );
        RETURN;
    END IF;

    INSERT INTO uploads (workspace_id, storage_path, reserved_bytes, held_until)
    VALUES (workspace, path, wanted, until)
    ON CONFLICT (workspace_id, storage_path) DO UPDATE
    SET reserved_bytes = excluded.reserved_bytes, held_until = excluded.held_until;
    IF wanted <> own THEN
        UPDATE usage SET reserved_bytes = reserved_bytes - own + wanted WHERE workspace_id = workspace;
    END IF;
    outcome := 'issued';
END
$$;
