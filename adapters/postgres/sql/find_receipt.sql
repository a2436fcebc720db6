-- Return how a receipt answers this intent: 'replayed' with its facts, 'key_reused' if the idempotency key belongs to
-- another request, or no row if there is no receipt that is valid at that time.
--
-- Every reader of receipts calls this function. It is plain STABLE SQL without settings of its own, so the planner
-- inlines it: a batch of creates reads the receipts of all its rows in one statement. LIMIT 1 keeps the planner from
-- turning the look-ups into a join.
CREATE FUNCTION find_receipt(
    workspace uuid, sought_key_hash uuid, sought_operation text, sought_fingerprint text, at timestamptz
)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE sql STABLE
AS $$
    SELECT
        CASE
            WHEN operation = sought_operation AND fingerprint = decode(sought_fingerprint, 'hex')
            THEN 'replayed' ELSE 'key_reused'
        END,
        receipts.facts
    FROM receipts
    WHERE workspace_id = workspace AND key_hash = sought_key_hash AND expires_at > at
    LIMIT 1
$$;
