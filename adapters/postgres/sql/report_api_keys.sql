-- Report to every listening server that API keys of a workspace have changed. The argument of the trigger is the column
-- with the id of the workspace.
CREATE FUNCTION report_api_keys() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('dossier_api_keys', to_jsonb(OLD) ->> TG_ARGV[0]);
    RETURN NULL;
END
$$;
