-- Record documents of one workspace, in the order given, each wholly or not at all; one outcome a row, in that order.
--
-- Locked first, looked second: whoever holds the usage row sees everything the workspace has committed, because every
-- statement in here takes a snapshot of its own (READ COMMITTED, which the pool sets) and every change to a workspace
-- takes that row before anything else. So an outcome is final, no unique key is ever violated (within a call, because no
-- two rows of it have one key or one path), and there is nothing to deadlock on.
--
-- `batch` is an array of {document, search_text, key, operation, fingerprint, receipt_expires_at, request_id};
-- `document` is what a receipt keeps.
-- Outcomes: created | replayed (facts: the document) | key_reused | path_taken (facts: document_id) |
-- over_quota (facts: limit_bytes, used_bytes, requested_bytes).
CREATE OR REPLACE FUNCTION record_documents_v2(workspace uuid, batch jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
-- Plans are kept for the session: one made while the tables were empty must not scan them when they are full. So tables
-- are only ever looked into by a whole key (LIMIT 1 keeps the planner from making a join of it), and nothing is planned
-- anew, which would take longer than a lone create itself.
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    account usage%ROWTYPE;
    item record;
    taken bigint[] := '{}';
BEGIN
    SELECT * INTO account FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % does not exist', workspace;
    END IF;

    FOR item IN
        SELECT
            sent.ordinality, sent.operation, decode(sent.fingerprint, 'hex') AS fingerprint,
            (sent.document ->> 'id')::uuid AS id, (sent.document ->> 'size_bytes')::bigint AS size_bytes,
            -- A receipt answers first, even for a document deleted since; after 24 hours the key is free again.
            coalesce(receipt.expires_at > (sent.document ->> 'created_at')::timestamptz, false) AS is_answered,
            receipt.operation AS answered_operation, receipt.fingerprint AS answered_fingerprint,
            receipt.facts AS answer, object.document_id AS holder, object.state
        FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (document jsonb, key uuid, operation text, fingerprint text)
        ) WITH ORDINALITY AS sent
        LEFT JOIN LATERAL (
            SELECT * FROM receipts WHERE workspace_id = workspace AND key = sent.key LIMIT 1
        ) receipt ON true
        LEFT JOIN LATERAL (
            SELECT * FROM objects WHERE workspace_id = workspace AND storage_path = sent.document ->> 'storage_path' LIMIT 1
        ) object ON true
        ORDER BY sent.ordinality
    LOOP
        facts := NULL;
        IF item.is_answered THEN
            IF item.answered_operation <> item.operation OR item.answered_fingerprint <> item.fingerprint THEN
                outcome := 'key_reused';
            ELSIF (item.answer ->> 'id')::uuid = item.id THEN
                -- Our own earlier try, whose answer was lost on the way.
                outcome := 'created';
            ELSE
                outcome := 'replayed';
                facts := item.answer;
            END IF;
        ELSIF item.holder = item.id THEN
            outcome := 'created';
        ELSIF item.state IS NOT NULL THEN
            outcome := 'path_taken';
            facts := jsonb_build_object('document_id', CASE WHEN item.state = 'recorded' THEN item.holder END);
        -- Subtracted, not added: a sum could be more than a bigint holds.
        ELSIF item.size_bytes > account.quota_bytes - account.used_bytes THEN
            outcome := 'over_quota';
            facts := jsonb_build_object(
                'limit_bytes', account.quota_bytes, 'used_bytes', account.used_bytes, 'requested_bytes', item.size_bytes
            );
        ELSE
            outcome := 'created';
            taken := taken || item.ordinality;
            account.used_bytes := account.used_bytes + item.size_bytes;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF taken = '{}' THEN
        RETURN;
    END IF;

    -- Every folder of a taken document, and every folder above it: '/a/b' is split into '', 'a', 'b'.
    INSERT INTO folders (workspace_id, id, path, path_digest)
    SELECT DISTINCT ON (path) workspace, gen_random_uuid(), path, sha256(convert_to(path, 'UTF8'))
    FROM (
        SELECT DISTINCT string_to_array(batch -> (ordinality - 1)::integer -> 'document' ->> 'folder', '/') AS parts
        FROM unnest(taken) AS ordinality
    ) folder
    CROSS JOIN LATERAL generate_series(2, cardinality(parts)) AS depth
    CROSS JOIN LATERAL array_to_string(parts[1:depth], '/') AS path
    ON CONFLICT (workspace_id, path_digest) DO NOTHING;

    WITH new AS MATERIALIZED (
        SELECT document.*, sent.*, row_number() OVER (ORDER BY sent.ordinality) - 1 AS position
        FROM ROWS FROM (
            jsonb_to_recordset(batch) AS (
                document jsonb, search_text text, key uuid, operation text, fingerprint text,
                receipt_expires_at timestamptz, request_id text
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
            workspace, id, name, description, mime_type, storage_path,
            (
                SELECT folders.id FROM folders
                WHERE workspace_id = workspace AND path_digest = sha256(convert_to(new.folder, 'UTF8'))
            ),
            tags, search_text, revision, created_by, created_by_key, created_at, updated_at
        FROM new
    ), answers AS (
        INSERT INTO receipts (workspace_id, key, operation, fingerprint, facts, expires_at)
        SELECT workspace, key, operation, decode(fingerprint, 'hex'), document, receipt_expires_at
        FROM new WHERE key IS NOT NULL
        -- One that is there has expired, or it had answered.
        ON CONFLICT (workspace_id, key) DO UPDATE SET
            operation = excluded.operation, fingerprint = excluded.fingerprint, facts = excluded.facts,
            expires_at = excluded.expires_at
    )
    INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id)
    SELECT
        workspace, account.next_seq + position, created_at, 'document.created', id, created_by, created_by_key,
        request_id
    FROM new;

    UPDATE usage
    SET used_bytes = account.used_bytes,
        documents = account.documents + cardinality(taken),
        next_seq = account.next_seq + cardinality(taken)
    WHERE workspace_id = workspace;
END
$$
