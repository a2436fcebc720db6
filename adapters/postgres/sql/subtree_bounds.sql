-- Return the bounds, in the index `folders_path`, of a folder and all folders below it. The index holds only the first
-- 600 characters of a path, because an index entry holds no more. So every reader also checks the whole path, with
-- `is_within`.
CREATE FUNCTION subtree_bounds(folder text, OUT lowest text, OUT highest text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- '0' follows '/' in the order of bytes.
AS $$ SELECT left(folder, 600), left(folder || '0', 600) $$;
