-- Return the state of a document, as `Document.state` of the domain does. `folder_digest` is the `path_digest` of its
-- folder, null in the root.
CREATE FUNCTION document_state(revision integer, folder_digest bytea) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT revision || coalesce('-' || left(encode(folder_digest, 'hex'), 16), '')
$$;
