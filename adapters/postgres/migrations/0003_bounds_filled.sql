-- Not before all folders were counted: until then, a server that deletes folders makes the number negative.
ALTER TABLE usage ADD CONSTRAINT usage_folders_check CHECK (folders >= 0) NOT VALID;

ALTER TABLE usage VALIDATE CONSTRAINT usage_folders_check;
