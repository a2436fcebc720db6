-- Issue new storage paths of any workspaces, in the order given, and let each reserve a part of the quota. Return one
-- outcome a row, in that order: issued | over_quota (facts: limit_bytes, used_bytes, requested_bytes) | busy.
--
-- `workspaces` names every workspace of the batch once. `batch` is an array of {workspace_id, storage_path,
-- reserved_bytes, held_until, durable}. Lock first, read second: see `record_documents_v2`, with which this function
-- shares `waits`, the meaning of busy, and its settings.
CREATE FUNCTION issue_uploads(workspaces uuid[], batch jsonb, waits boolean)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    -- The locked workspaces and their accounts, in the same order.
    locked uuid[];
    accounts usage[];
    -- The account of the row that is decided, at this place.
    account usage%ROWTYPE;
    place integer := 1;
    item record;
    changed uuid[] := '{}';
BEGIN
    -- Where Dossier receives the upload, `reserve_upload` makes the row durable before a byte is stored. So a crash of
    -- Postgres loses only a reservation, and the request need not wait for the disk.
    IF NOT EXISTS (SELECT FROM jsonb_array_elements(batch) AS item WHERE (item ->> 'durable')::boolean) THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;

    IF waits THEN
        SELECT ARRAY[workspace_id], ARRAY[usage] INTO locked, accounts
        FROM usage WHERE workspace_id = workspaces[1] FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'workspace % does not exist', workspaces[1];
        END IF;
    ELSE
        SELECT array_agg(workspace_id), array_agg(free) INTO locked, accounts
        FROM (
            SELECT * FROM usage WHERE workspace_id = ANY (workspaces) FOR NO KEY UPDATE SKIP LOCKED
        ) AS free;
    END IF;

    account := accounts[place];
    FOR item IN
        SELECT sent.*, array_position(locked, workspace_id) AS place
        FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (
                workspace_id uuid, storage_path text, reserved_bytes bigint, held_until timestamptz
            )
        ) WITH ORDINALITY AS sent
        ORDER BY ordinality
    LOOP
        facts := NULL;
        IF item.place IS NULL THEN
            outcome := 'busy';
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF item.place <> place THEN
            accounts[place] := account;
            place := item.place;
            account := accounts[place];
        END IF;
        -- A difference, because a sum could exceed a bigint. Nothing always fits, even if the quota is exceeded.
        IF item.reserved_bytes > greatest(account.quota_bytes - account.used_bytes - account.reserved_bytes, 0) THEN
            -- An earlier attempt of the same call may have issued the path, and its outcome was lost.
            IF EXISTS (
                SELECT FROM uploads WHERE workspace_id = item.workspace_id AND storage_path = item.storage_path
            ) THEN
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
            VALUES (item.workspace_id, item.storage_path, item.reserved_bytes, item.held_until)
            ON CONFLICT (workspace_id, storage_path) DO NOTHING;
            IF FOUND AND item.reserved_bytes > 0 THEN
                account.reserved_bytes := account.reserved_bytes + item.reserved_bytes;
                changed := changed || item.workspace_id;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF changed <> '{}' THEN
        accounts[place] := account;
        UPDATE usage SET reserved_bytes = (accounts[array_position(locked, workspace_id)]).reserved_bytes
        WHERE workspace_id = ANY (changed);
    END IF;
END
$$;
