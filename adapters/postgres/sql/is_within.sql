-- Return whether a path is the folder itself or below it.
CREATE FUNCTION is_within(path text, folder text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT path = folder OR starts_with(path, folder || '/') $$;
