ALTER TABLE folders ADD CONSTRAINT folders_parent_digest_set CHECK (parent_digest IS NOT NULL) NOT VALID;

ALTER TABLE folders VALIDATE CONSTRAINT folders_parent_digest_set;

ALTER TABLE folders ALTER COLUMN parent_digest SET NOT NULL;

ALTER TABLE folders DROP CONSTRAINT folders_parent_digest_set;

CREATE INDEX CONCURRENTLY folders_level
ON folders (workspace_id, parent_digest, right(path, strpos(reverse(path), '/') - 1)) INCLUDE (path_digest, id);

-- Not before all folders were counted: until then, a server that deletes folders makes the number negative.
ALTER TABLE usage ADD CONSTRAINT usage_folders_check CHECK (folders >= 0) NOT VALID;

ALTER TABLE usage VALIDATE CONSTRAINT usage_folders_check;
