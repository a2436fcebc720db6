-- Issue new storage paths of one workspace, in the order given, and let each reserve a part of the quota. Return one
-- outcome a row, in that order: issued | over_quota (facts: limit_bytes, used_bytes, requested_bytes).
--
-- `batch` is an array of {storage_path, reserved_bytes, held_until, durable}. Lock first, read second: see
-- `record_documents_v2`, with which it also shares its settings.
CREATE FUNCTION issue_uploads(workspace uuid, batch jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    account usage%ROWTYPE;
    item record;
    before bigint;
BEGIN
    -- Where Dossier receives the upload, `reserve_upload` makes the row durable before a byte is stored. So a crash of
    -- Postgres loses only a reservation, and the request need not wait for the disk.
    IF NOT EXISTS (SELECT FROM jsonb_array_elements(batch) AS item WHERE (item ->> 'durable')::boolean) THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;

    SELECT * INTO account FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % does not exist', workspace;
    END IF;
    before := account.reserved_bytes;

    FOR item IN
        SELECT * FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (storage_path text, reserved_bytes bigint, held_until timestamptz)
        ) WITH ORDINALITY AS sent
        ORDER BY ordinality
    LOOP
        facts := NULL;
        -- A difference, because a sum could exceed a bigint. Nothing always fits, even if the quota is exceeded.
        IF item.reserved_bytes > greatest(account.quota_bytes - account.used_bytes - account.reserved_bytes, 0) THEN
            -- An earlier attempt of the same call may have issued the path, and its outcome was lost.
            IF EXISTS (SELECT FROM uploads WHERE workspace_id = workspace AND storage_path = item.storage_path) THEN
                outcome := 'issued';
            ELSE
                outcome := 'over_quota';
                facts := jsonb_build_object(
                    'limit_bytes', account.quota_bytes, 'used_bytes', account.used_bytes + account.reserved_bytes,
                    'requested_bytes', item.reserved_bytes
                );
            END IF;
        ELSE
            outcome := 'issued';
            INSERT INTO uploads (workspace_id, storage_path, reserved_bytes, held_until)
            VALUES (workspace, item.storage_path, item.reserved_bytes, item.held_until)
            ON CONFLICT (workspace_id, storage_path) DO NOTHING;
            IF FOUND THEN
                account.reserved_bytes := account.reserved_bytes + item.reserved_bytes;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF account.reserved_bytes <> before THEN
        UPDATE usage SET reserved_bytes = account.reserved_bytes WHERE workspace_id = workspace;
    END IF;
END
$$;
