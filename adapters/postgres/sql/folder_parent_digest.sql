-- Return the SHA-256 of the path of the folder above: that of '' for '/a'. IMMUTABLE, although `convert_to` is only STABLE:
-- the encoding of a database never changes.
CREATE FUNCTION folder_parent_digest(path text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$ BEGIN RETURN sha256(convert_to(left(path, -strpos(reverse(path), '/')), 'UTF8')); END $$;
