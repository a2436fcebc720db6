-- Begin a change: take the workspace lock, which the transaction holds from here on, and then look for a receipt of the
-- intent. The order matters: the read after the lock sees everything that earlier changes have committed. A change with
-- an outcome was carried out before, or is refused, and must end here.
--
-- `intent` is what `to_intent` of the adapter encodes: {operation, fingerprint, key_hash, receipt_expires_at, attempt,
-- user_id, key_id, request_id}.
CREATE FUNCTION begin_change(workspace uuid, intent jsonb, at timestamptz, OUT outcome text, OUT facts jsonb)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    SELECT * INTO outcome, facts FROM find_receipt(
        workspace, (intent ->> 'key_hash')::uuid, intent ->> 'operation', intent ->> 'fingerprint', at
    );
END
$$;
