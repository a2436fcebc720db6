-- `changes_marked` is the number of recorded changes when the present generation began. `issued_since` is from when on
-- the ledger holds every upload that was issued: an older object may be unknown to it.
ALTER TABLE deployment
    ADD COLUMN changes_marked bigint,
    ADD COLUMN issued_since timestamptz NOT NULL DEFAULT now();

-- Servers of the version before issue uploads without recording them, and may still run for a while.
UPDATE deployment SET issued_since = now() + interval '1 hour' WHERE claimed_at IS NOT NULL;

-- Counts the changes of all workspaces. It may also count one that is rolled back.
CREATE SEQUENCE change_numbers;

-- Each change of a workspace takes the next number of its events.
CREATE TRIGGER usage_numbered BEFORE UPDATE OF next_seq ON usage
FOR EACH STATEMENT EXECUTE FUNCTION count_change();
