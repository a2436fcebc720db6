-- Return the tags as the index `documents_tags` stores them: each begins with its workspace, so that a search of one
-- workspace never reads entries of another.
CREATE FUNCTION workspace_tags(workspace uuid, tags text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY(SELECT workspace::text || tag FROM unnest(tags) AS tag) $$;
