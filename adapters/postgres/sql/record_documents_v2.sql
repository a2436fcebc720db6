-- Record documents of any workspaces, in the order given, each completely or not at all. Return one outcome a row, in
-- that order.
--
-- Lock first, read second. Every statement in here takes a snapshot of its own (READ COMMITTED, which the pool sets),
-- and every change of a workspace locks the usage row before it does anything else. So the statements after the lock
-- see everything that the workspace has committed, an outcome is final, and nothing can deadlock. No unique key is ever
-- violated: within a call, the caller never sends two rows of a workspace with one idempotency key or one storage path.
--
-- A call of several workspaces waits for no lock, so a workspace whose lock is held delays no other one: the rows of
-- that workspace come back as busy, and nothing is written for them. A call that `waits` for the lock names one workspace.
--
-- `workspaces` names every workspace of the batch once. `batch` is an array of {document, search_text} and the members
-- of an intent (see `begin_change`). `document` becomes the facts of the receipt.
-- Outcomes: created | replayed (facts: the document) | key_reused | path_taken (facts: document_id) |
-- over_quota (facts: limit_bytes, used_bytes, requested_bytes) | too_many_folders | busy.
CREATE FUNCTION record_documents_v2(
    workspaces uuid[], batch jsonb, waits boolean, levels_max integer, folders_max integer
)
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
    -- The locked workspaces and their accounts, in the same order.
    locked uuid[];
    accounts usage[];
    -- The account of the row that is decided, at this place.
    account usage%ROWTYPE;
    place integer := 1;
    item record;
    -- The sequence number of the event of each row that is recorded; null for the other rows.
    seqs bigint[] := array_fill(NULL::bigint, ARRAY[jsonb_array_length(batch)]);
    changed uuid[] := '{}';
    -- The rows of `uploads` whose paths are recorded. Under the workspace lock, no other transaction moves them.
    issued tid[] := '{}';
    -- Far below the limit of folders, every row has room for all its folders. Only near it are the missing ones counted.
    scarce_above integer := folders_max - levels_max * jsonb_array_length(batch);
    missing text[];
    -- Folders that the rows so far add, each after the id of its workspace.
    added text[] := '{}';
    -- The folders of the rows that are recorded: each with its workspace, with a text of both, and with its id.
    homes uuid[];
    paths text[];
    used text[];
    used_ids uuid[];
BEGIN
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
        SELECT
            sent.ordinality, home.workspace_id, array_position(locked, home.workspace_id) AS place,
            (sent.document ->> 'id')::uuid AS id, sent.document ->> 'folder' AS folder,
            (sent.document ->> 'size_bytes')::bigint AS size_bytes,
            receipt.outcome AS receipt_outcome, receipt.facts AS receipt_facts,
            object.document_id AS holder, object.state,
            upload.ctid AS issued, coalesce(upload.reserved_bytes, 0) AS own_reserved
        FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (document jsonb, key_hash uuid, operation text, fingerprint text)
        ) WITH ORDINALITY AS sent
        CROSS JOIN LATERAL (SELECT (sent.document ->> 'workspace_id')::uuid AS workspace_id) AS home
        LEFT JOIN LATERAL find_receipt(
            home.workspace_id, sent.key_hash, sent.operation, sent.fingerprint,
            (sent.document ->> 'created_at')::timestamptz
        ) AS receipt ON true
        LEFT JOIN LATERAL (
            SELECT * FROM objects
            WHERE workspace_id = home.workspace_id AND storage_path = sent.document ->> 'storage_path'
            LIMIT 1
        ) AS object ON true
        LEFT JOIN LATERAL (
            SELECT ctid, reserved_bytes FROM uploads
            WHERE workspace_id = home.workspace_id AND storage_path = sent.document ->> 'storage_path'
            LIMIT 1
        ) AS upload ON true
        ORDER BY sent.ordinality
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
        missing := NULL;
        IF account.folders > scarce_above THEN
            missing := ARRAY(
                SELECT path FROM unnest(missing_folders(item.workspace_id, item.folder)) AS path
                WHERE item.workspace_id || path <> ALL (added)
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
        ELSIF missing <> '{}' AND account.folders + cardinality(missing) > folders_max THEN
            outcome := 'too_many_folders';
        ELSE
            outcome := 'created';
            seqs[item.ordinality] := account.next_seq;
            changed := changed || item.workspace_id;
            account.next_seq := account.next_seq + 1;
            account.documents := account.documents + 1;
            account.used_bytes := account.used_bytes + item.size_bytes;
            IF missing <> '{}' THEN
                -- `ensure_folders` counts them in the table.
                account.folders := account.folders + cardinality(missing);
                added := added || ARRAY(SELECT item.workspace_id || path FROM unnest(missing) AS path);
            END IF;
            IF item.issued IS NOT NULL THEN
                issued := issued || item.issued;
                account.reserved_bytes := account.reserved_bytes - item.own_reserved;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF changed = '{}' THEN
        RETURN;
    END IF;
    accounts[place] := account;

    IF issued <> '{}' THEN
        DELETE FROM uploads WHERE ctid = ANY (issued);
    END IF;

    -- Each folder is looked up once. Most documents are recorded in folders that exist, and then so do all folders above.
    WITH RECURSIVE sought AS (
        SELECT workspace_id, folder, string_to_array(folder, '/') AS levels, 2 AS level, workspace_id AS id
        FROM (
            SELECT DISTINCT (document ->> 'workspace_id')::uuid AS workspace_id, document ->> 'folder' AS folder
            FROM unnest(seqs) WITH ORDINALITY AS recorded (seq, ordinality)
            CROSS JOIN LATERAL (SELECT batch -> (ordinality - 1)::integer -> 'document' AS document) AS item
            WHERE seq IS NOT NULL
        ) AS sent
        WHERE folder IS NOT NULL
        UNION ALL
        SELECT sought.workspace_id, folder, levels, level + 1, below.id
        FROM sought LEFT JOIN LATERAL (
            SELECT id FROM folder_tree
            WHERE workspace_id = sought.workspace_id AND coalesce(parent_id, workspace_id) = sought.id
                AND name = sought.levels[sought.level]
            LIMIT 1
        ) AS below ON true
        WHERE level <= cardinality(levels)
    )
    SELECT array_agg(workspace_id), array_agg(folder), array_agg(workspace_id || folder), array_agg(id)
    INTO homes, paths, used, used_ids
    FROM sought WHERE level > cardinality(levels);
    IF array_position(used_ids, NULL) > 0 THEN
        PERFORM ensure_folders_v2(workspace_id, array_agg(folder))
        FROM unnest(homes, paths) AS sent (workspace_id, folder)
        GROUP BY workspace_id;
        used_ids := ARRAY(
            SELECT find_folder(workspace_id, folder)
            FROM unnest(homes, paths) WITH ORDINALITY AS sent (workspace_id, folder, place)
            ORDER BY place
        );
    END IF;

    -- One statement for all rows. `finish_change` writes the same receipt and event for a single change; called for
    -- each row, it would run three more statements a row.
    WITH new AS MATERIALIZED (
        SELECT document.*, sent.*, seqs[sent.ordinality] AS seq
        FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (
                document jsonb, search_text text, key_hash uuid, operation text, fingerprint text,
                receipt_expires_at timestamptz, user_id uuid, key_id uuid, request_id text
            )
        ) WITH ORDINALITY AS sent,
        jsonb_to_record(sent.document) AS document (
            workspace_id uuid, id uuid, name text, description text, mime_type text, storage_path text,
            size_bytes bigint, etag text, sha256 text, version_id text, folder text, tags text[], revision integer,
            created_by uuid, created_by_key uuid, created_at timestamptz, updated_at timestamptz
        )
        WHERE seqs[sent.ordinality] IS NOT NULL
    ), ledger AS (
        INSERT INTO objects (workspace_id, storage_path, size_bytes, sha256, etag, version_id, document_id, state)
        SELECT workspace_id, storage_path, size_bytes, decode(sha256, 'hex'), etag, version_id, id, 'recorded' FROM new
    ), records AS (
        INSERT INTO documents (
            workspace_id, id, name, description, mime_type, storage_path, folder_id, tags, search_text,
            revision, created_by, created_by_key, created_at, updated_at
        )
        SELECT
            workspace_id, id, name, description, mime_type, storage_path,
            used_ids[array_position(used, workspace_id || folder)],
            tags, search_text, revision, created_by, created_by_key, created_at, updated_at
        FROM new
    ), answered AS (
        INSERT INTO receipts (workspace_id, key_hash, operation, fingerprint, facts, expires_at)
        SELECT workspace_id, key_hash, operation, decode(fingerprint, 'hex'), document, receipt_expires_at
        FROM new WHERE key_hash IS NOT NULL
        -- An existing receipt has expired: a valid one would have answered above.
        ON CONFLICT (workspace_id, key_hash) DO UPDATE SET
            operation = excluded.operation, fingerprint = excluded.fingerprint, facts = excluded.facts,
            expires_at = excluded.expires_at
    )
    INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id)
    SELECT workspace_id, seq, created_at, 'document.created', id, user_id, key_id, request_id
    FROM new;

    -- By the whole key alone: for a join with `accounts`, the planner could read the whole table.
    UPDATE usage
    SET used_bytes = (accounts[array_position(locked, workspace_id)]).used_bytes,
        reserved_bytes = (accounts[array_position(locked, workspace_id)]).reserved_bytes,
        documents = (accounts[array_position(locked, workspace_id)]).documents,
        next_seq = (accounts[array_position(locked, workspace_id)]).next_seq
    WHERE workspace_id = ANY (changed);
END
$$;
