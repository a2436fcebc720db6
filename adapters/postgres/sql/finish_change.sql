-- Finish a change: record its receipt if the intent has a key hash, and its event if something changed (else `kind` is
-- null). Called under the workspace lock, so that the order of `seq` is the order of commits.
CREATE FUNCTION finish_change(
    workspace uuid, intent jsonb, at timestamptz, receipt_facts jsonb, kind text, document uuid, data jsonb
)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    number bigint;
BEGIN
    IF intent ->> 'key_hash' IS NOT NULL THEN
        INSERT INTO receipts (workspace_id, key_hash, operation, fingerprint, facts, expires_at)
        VALUES (
            workspace, (intent ->> 'key_hash')::uuid, intent ->> 'operation', decode(intent ->> 'fingerprint', 'hex'),
            receipt_facts, (intent ->> 'receipt_expires_at')::timestamptz
        )
        -- An existing receipt has expired: a valid one would have answered at the beginning of the change.
        ON CONFLICT (workspace_id, key_hash) DO UPDATE SET
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
$$;
