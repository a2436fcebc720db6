-- Keys are described, searched by name (folded by us, as no database folds as Python does) and known to be in use.
ALTER TABLE api_keys
    ADD COLUMN description text, ADD COLUMN search_text text NOT NULL DEFAULT '', ADD COLUMN last_used_at timestamptz
---
-- An event may be of a key, and an operator has none.
ALTER TABLE events
    ALTER COLUMN document_id DROP NOT NULL, ALTER COLUMN user_id DROP NOT NULL, ALTER COLUMN key_id DROP NOT NULL
---
-- What was answered to this intent before: 'replayed' with its facts, 'key_reused', or null. `intent` is {operation,
-- fingerprint, key, receipt_expires_at, user_id, key_id, request_id}. Called under the workspace's lock.
CREATE FUNCTION answered_v1(workspace uuid, intent jsonb, at timestamptz, OUT outcome text, OUT facts jsonb)
LANGUAGE plpgsql VOLATILE
-- A plan made while a table was small must not scan it when it is large.
SET enable_seqscan = off
AS $$
DECLARE
    receipt receipts%ROWTYPE;
BEGIN
    SELECT * INTO receipt FROM receipts
    WHERE workspace_id = workspace AND key = (intent ->> 'key')::uuid AND expires_at > at;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF receipt.operation = intent ->> 'operation' AND receipt.fingerprint = decode(intent ->> 'fingerprint', 'hex') THEN
        outcome := 'replayed';
        facts := receipt.facts;
    ELSE
        outcome := 'key_reused';
    END IF;
END
$$
---
-- What a change leaves behind: its receipt, if the intent has a key, and its event, if something changed (else `kind` is
-- null). Called under the workspace's lock, so that the order of `seq` is the order of commits.
CREATE FUNCTION settle_change_v1(
    workspace uuid, intent jsonb, at timestamptz, answer jsonb, kind text, document uuid, data jsonb
)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
AS $$
DECLARE
    number bigint;
BEGIN
    IF intent ->> 'key' IS NOT NULL THEN
        INSERT INTO receipts (workspace_id, key, operation, fingerprint, facts, expires_at)
        VALUES (
            workspace, (intent ->> 'key')::uuid, intent ->> 'operation', decode(intent ->> 'fingerprint', 'hex'), answer,
            (intent ->> 'receipt_expires_at')::timestamptz
        )
        -- One that is there has expired, or it had answered.
        ON CONFLICT (workspace_id, key) DO UPDATE SET
            operation = excluded.operation, fingerprint = excluded.fingerprint, facts = excluded.facts,
            expires_at = excluded.expires_at;
    END IF;
    IF kind IS NULL THEN
        RETURN;
    END IF;
    UPDATE usage SET next_seq = next_seq + 1 WHERE workspace_id = workspace RETURNING next_seq - 1 INTO number;
    INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id, data)
    VALUES (
        workspace, number, at, kind, document, (intent ->> 'user_id')::uuid, (intent ->> 'key_id')::uuid,
        coalesce(intent ->> 'request_id', ''), data
    );
END
$$
---
-- Keep a new API key, or say why not: created | replayed (facts: what the receipt keeps) | key_reused | name_taken.
-- `new` has the columns of api_keys, `intent` is null for an operator. Locked first, looked second, as a create of
-- documents does.
CREATE FUNCTION add_api_key_v1(workspace uuid, new jsonb, intent jsonb, answer jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
AS $$
DECLARE
    fresh api_keys%ROWTYPE;
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % does not exist', workspace;
    END IF;
    fresh := jsonb_populate_record(NULL::api_keys, new);

    -- Our own earlier try, whose answer was lost on the way.
    IF EXISTS (SELECT FROM api_keys WHERE workspace_id = workspace AND id = fresh.id) THEN
        RETURN QUERY SELECT 'created', NULL::jsonb;
        RETURN;
    END IF;
    SELECT * INTO outcome, facts FROM answered_v1(workspace, intent, fresh.created_at);
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
    PERFORM settle_change_v1(
        workspace, intent, fresh.created_at, answer, 'api_key.created', NULL, jsonb_build_object('api_key_id', fresh.id)
    );
    RETURN QUERY SELECT 'created', NULL::jsonb;
END
$$
---
-- End the life of an API key, or say why not: revoked | replayed | key_reused | unknown | last_admin. An operator, whose
-- `intent` is null, may end the last one too.
CREATE FUNCTION revoke_api_key_v1(workspace uuid, sought uuid, at timestamptz, intent jsonb)
RETURNS text
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
AS $$
DECLARE
    found_key api_keys%ROWTYPE;
    answer text;
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;

    SELECT outcome INTO answer FROM answered_v1(workspace, intent, at);
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
    PERFORM settle_change_v1(
        workspace, intent, at, '{}', CASE WHEN found_key.revoked_at IS NULL THEN 'api_key.revoked' END, NULL,
        jsonb_build_object('api_key_id', sought)
    );
    RETURN 'revoked';
END
$$
---
-- Of an Idempotency-Key, only a hash is kept: a receipt may hold what is encrypted under that key. Last, because from
-- here on creates wait until all of this is committed.
UPDATE receipts SET key = substring(encode(sha256(convert_to('dossier receipt ' || key, 'UTF8')), 'hex') for 32)::uuid
