-- `changes_marked` is the number of recorded changes when the present generation began. `issued_since` is from when on
-- the ledger holds every upload that was issued: an older object may be unknown to it.
ALTER TABLE deployment
    ADD COLUMN changes_marked bigint,
    ADD COLUMN issued_since timestamptz NOT NULL DEFAULT now();

-- Servers of the version before issue uploads without recording them, and may still run for a while.
UPDATE deployment SET issued_since = now() + interval '1 hour' WHERE claimed_at IS NOT NULL;
