-- Count a change: called once for each statement that numbers events. A trigger also counts for the functions of an
-- earlier version, and no new function can forget it. A sequence makes no change wait for another one, as a row would.
CREATE FUNCTION count_change() RETURNS trigger
LANGUAGE plpgsql
AS $$ BEGIN PERFORM nextval('change_numbers'); RETURN NULL; END $$;
