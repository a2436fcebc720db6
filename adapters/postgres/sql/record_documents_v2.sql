-- Record documents of one workspace, in the order given, each completely or not at all. Return one outcome a row, in
-- that order.
--
-- Lock first, read second. Every statement in here takes a snapshot of its own (READ COMMITTED, which the pool sets),
-- and every change of a workspace locks the usage row before it does anything else. So the statements after the lock
-- see everything that the workspace has committed, an outcome is final, and nothing can deadlock. No unique key is ever
-- violated: within a call, the caller never sends two rows with one idempotency key or one storage path.
--
-- `batch` is an array of {document, search_text} and the members of an intent (see `begin_change`). `document` becomes
-- the facts of the receipt.
-- Outcomes: created | replayed (facts: the document) | key_reused | path_taken (facts: document_id) |
-- over_quota (facts: limit_bytes, used_bytes, requested_bytes) | too_many_folders.
CREATE FUNCTION record_documents_v2(workspace uuid, batch jsonb, levels_max integer, folders_max integer)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
-- A session keeps its plans: a plan made while the tables were empty must not scan them when they are full. So tables
-- are only read by a whole key (LIMIT 1 keeps the planner from turning look-ups into a join), and no statement is
-- planned again, because planning would take longer than a lone create itself.
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    account usage%ROWTYPE;
    item record;
    taken bigint[] := '{}';
    issued text[] := '{}';
    is_scarce boolean;
    missing text[];
    added text[] := '{}';
    used text[];
    used_ids uuid[];
BEGIN
    SELECT * INTO account FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % does not exist', workspace;
    END IF;
    -- Far below the limit, every row has room for all its folders. Only near it are the missing ones of each row counted.
    is_scarce := account.folders > folders_max - levels_max * jsonb_array_length(batch);

    FOR item IN
        SELECT
            sent.ordinality, (sent.document ->> 'id')::uuid AS id,
            (sent.document ->> 'size_bytes')::bigint AS size_bytes,
            receipt.outcome AS receipt_outcome, receipt.facts AS receipt_facts,
            object.document_id AS holder, object.state,
            upload.storage_path AS issued_path, coalesce(upload.reserved_bytes, 0) AS own_reserved
        FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (document jsonb, key_hash uuid, operation text, fingerprint text)
        ) WITH ORDINALITY AS sent
        LEFT JOIN LATERAL find_receipt(
            workspace, sent.key_hash, sent.operation, sent.fingerprint, (sent.document ->> 'created_at')::timestamptz
        ) AS receipt ON true
        LEFT JOIN LATERAL (
            SELECT * FROM objects
            WHERE workspace_id = workspace AND storage_path = sent.document ->> 'storage_path'
            LIMIT 1
        ) AS object ON true
        LEFT JOIN LATERAL (
            SELECT storage_path, reserved_bytes FROM uploads
            WHERE workspace_id = workspace AND storage_path = sent.document ->> 'storage_path'
            LIMIT 1
        ) AS upload ON true
        ORDER BY sent.ordinality
    LOOP
        facts := NULL;
        IF is_scarce THEN
            missing := ARRAY(
                SELECT path FROM unnest(missing_folders(
                    workspace, batch -> (item.ordinality - 1)::integer -> 'document' ->> 'folder'
                )) AS path
                WHERE path <> ALL (added)
            );
        END IF;
        -- The receipt comes before the path: it also answers for a document that was deleted since.
        IF item.receipt_outcome = 'key_reused' THEN
            outcome := 'key_reused';
        ELSIF item.receipt_outcome = 'replayed' AND (item.receipt_facts ->> 'id')::uuid <> item.id THEN
            outcome := 'replayed';
            facts := item.receipt_facts;
        ELSIF item.receipt_outcome = 'replayed' OR item.holder = item.id THEN
            -- An earlier attempt of the same call has recorded the document, and its answer was lost.
            outcome := 'created';
        ELSIF item.state IS NOT NULL THEN
            outcome := 'path_taken';
            facts := jsonb_build_object('document_id', CASE WHEN item.state = 'recorded' THEN item.holder END);
        -- Subtracted, not added: a sum could exceed a bigint. An empty file always fits, even if the quota is exceeded.
        ELSIF item.size_bytes
            > greatest(account.quota_bytes - account.used_bytes - account.reserved_bytes + item.own_reserved, 0)
        THEN
            outcome := 'over_quota';
            facts := jsonb_build_object(
                'limit_bytes', account.quota_bytes,
                'used_bytes', account.used_bytes + account.reserved_bytes - item.own_reserved,
                'requested_bytes', item.size_bytes
            );
        ELSIF is_scarce AND missing <> '{}' AND account.folders + cardinality(missing) > folders_max THEN
            outcome := 'too_many_folders';
        ELSE
            IF is_scarce THEN
                account.folders := account.folders + cardinality(missing);
                added := added || missing;
            END IF;
            outcome := 'created';
            taken := taken || item.ordinality;
            account.used_bytes := account.used_bytes + item.size_bytes;
            IF item.issued_path IS NOT NULL THEN
                issued := issued || item.issued_path;
                account.reserved_bytes := account.reserved_bytes - item.own_reserved;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF taken = '{}' THEN
        RETURN;
    END IF;

    IF issued <> '{}' THEN
        DELETE FROM uploads WHERE workspace_id = workspace AND storage_path = ANY (issued);
    END IF;

    -- Each folder is looked up once. Most documents are recorded in folders that exist, and then so do all folders above.
    WITH RECURSIVE sought AS (
        SELECT folder, string_to_array(folder, '/') AS levels, 2 AS level, workspace AS id
        FROM (
            SELECT DISTINCT batch -> (ordinality - 1)::integer -> 'document' ->> 'folder' AS folder
            FROM unnest(taken) AS ordinality
        ) AS sent
        WHERE folder IS NOT NULL
        UNION ALL
        SELECT folder, levels, level + 1, below.id
        FROM sought LEFT JOIN LATERAL (
            SELECT id FROM folder_tree
            WHERE workspace_id = workspace AND coalesce(parent_id, workspace_id) = sought.id
                AND name = sought.levels[sought.level]
            LIMIT 1
        ) AS below ON true
        WHERE level <= cardinality(levels)
    )
    SELECT array_agg(folder), array_agg(id) INTO used, used_ids FROM sought WHERE level > cardinality(levels);
    IF array_position(used_ids, NULL) > 0 THEN
        PERFORM ensure_folders_v2(workspace, used);
        used_ids := ARRAY(
            SELECT find_folder(workspace, folder) FROM unnest(used) WITH ORDINALITY AS sent (folder, place) ORDER BY place
        );
    END IF;

    -- One statement for all rows. `finish_change` writes the same receipt and event for a single change; called for
    -- each row, it would run three more statements a row.
    WITH new AS MATERIALIZED (
        SELECT
            document.*, sent.*, row_number() OVER (ORDER BY sent.ordinality) - 1 AS position
        FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (
                document jsonb, search_text text, key_hash uuid, operation text, fingerprint text,
                receipt_expires_at timestamptz, user_id uuid, key_id uuid, request_id text
            )
        ) WITH ORDINALITY AS sent,
        jsonb_to_record(sent.document) AS document (
            id uuid, name text, description text, mime_type text, storage_path text, size_bytes bigint, etag text,
            sha256 text, version_id text, folder text, tags text[], revision integer,
            created_by uuid, created_by_key uuid, created_at timestamptz, updated_at timestamptz
        )
        WHERE sent.ordinality = ANY (taken)
    ), ledger AS (
        INSERT INTO objects (workspace_id, storage_path, size_bytes, sha256, etag, version_id, document_id, state)
        SELECT workspace, storage_path, size_bytes, decode(sha256, 'hex'), etag, version_id, id, 'recorded' FROM new
    ), records AS (
        INSERT INTO documents (
            workspace_id, id, name, description, mime_type, storage_path, folder_id, tags, search_text,
            revision, created_by, created_by_key, created_at, updated_at
        )
        SELECT
            workspace, id, name, description, mime_type, storage_path, used_ids[array_position(used, folder)],
            tags, search_text, revision, created_by, created_by_key, created_at, updated_at
        FROM new
    ), answered AS (
        INSERT INTO receipts (workspace_id, key_hash, operation, fingerprint, facts, expires_at)
        SELECT workspace, key_hash, operation, decode(fingerprint, 'hex'), document, receipt_expires_at
        FROM new WHERE key_hash IS NOT NULL
        -- An existing receipt has expired: a valid one would have answered above.
        ON CONFLICT (workspace_id, key_hash) DO UPDATE SET
            operation = excluded.operation, fingerprint = excluded.fingerprint, facts = excluded.facts,
            expires_at = excluded.expires_at
    )
    INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id)
    SELECT workspace, account.next_seq + position, created_at, 'document.created', id, user_id, key_id, request_id
    FROM new;

    UPDATE usage
    SET used_bytes = account.used_bytes,
        reserved_bytes = account.reserved_bytes,
        documents = account.documents + cardinality(taken),
        next_seq = account.next_seq + cardinality(taken)
    WHERE workspace_id = workspace;
END
$$;
