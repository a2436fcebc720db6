-- Return how many changes the workspaces have begun to record, and whether all of them are committed or rolled back. A
-- sum over the workspaces would take longer with each of them.
--
-- Read the count before the locks: each statement sees what is committed by then. A change is counted by a trigger of
-- its UPDATE of `usage`. The UPDATE takes a RowExclusiveLock on the table before the trigger runs, and the transaction
-- holds it until others see the change, or until it is rolled back.
CREATE FUNCTION recorded_changes(OUT changes bigint, OUT is_settled boolean)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- A sequence that is new has its first number as if it had been used.
    SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END INTO changes FROM change_numbers;
    is_settled := NOT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'relation' AND relation = 'usage'::regclass AND mode = 'RowExclusiveLock'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    );
END
$$;
