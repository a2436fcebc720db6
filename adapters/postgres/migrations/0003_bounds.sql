-- What issued uploads may still take of the quota.
ALTER TABLE usage ADD COLUMN reserved_bytes bigint NOT NULL DEFAULT 0 CHECK (reserved_bytes >= 0);
