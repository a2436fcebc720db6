-- Recognises the secret of the deployment. The first server that starts records it.
ALTER TABLE deployment ADD COLUMN IF NOT EXISTS secret_check bytea CHECK (octet_length(secret_check) = 32);
