-- Triggers report a change whatever causes it: this version, an earlier one, or an operator with psql. A new API key is
-- not reported, because servers do not keep unknown API keys. `last_used_at` is left out, because it changes all the
-- time and decides nothing; so are the texts that only people read.
CREATE TRIGGER api_keys_changed
    AFTER DELETE OR UPDATE OF workspace_id, id, user_id, digest, permissions, tier, created_at, expires_at, revoked_at
    ON api_keys FOR EACH ROW EXECUTE FUNCTION report_api_keys('workspace_id');

CREATE TRIGGER workspaces_changed
    AFTER UPDATE OF plan ON workspaces FOR EACH ROW WHEN (OLD.plan IS DISTINCT FROM NEW.plan)
    EXECUTE FUNCTION report_api_keys('id');
